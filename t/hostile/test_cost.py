# SPDX-License-Identifier: BSD-2-Clause
"""What a hostile input costs: no work grows faster than the input. The
instructions (counted by callgrind, so no other load disturbs them) that an
input of twice the size takes are at most 2.3 times those of the input, what is
done anyway taken off. The inputs are in cost/cost_*.c; a planted case has to be
found. POSTERN_COST=1 prints all figures."""
import os
import re
import subprocess

from hostile import suite

RATIO = 2.3
NOISE = 100000  # instructions; a buffer that grows once more, a cache


class Cost(suite.Case):
    def measure(self, driver):
        """{case: (instructions of size 1, n, 2n)} and what the driver says."""
        s = self.instance("co")  # for its directory
        out = s.dir / "out"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no",
             "--combine-dumps=yes", "--dump-line=no",
             f"--callgrind-out-file={out}",
             suite.BUILD / "t/hostile/cost" / driver],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=s.dir, timeout=300)
        self.equal(done.returncode, 0, done.stdout[-2000:])
        found, label = {}, None
        with open(out, errors="replace") as file:
            for line in file:
                if m := re.match(r"desc: Trigger: Client Request: (.*)=(\d+)$",
                                 line):
                    label = m[1], int(m[2])
                elif label and (m := re.match(r"totals: (\d+)", line)):
                    found.setdefault(label[0], {})[label[1]] = int(m[1])
                    label = None
        return {case: tuple(costs[n] for n in sorted(costs))
                for case, costs in found.items()}

    def judge(self, driver, least):
        """The cases whose work grows too fast."""
        found = self.measure(driver)
        self.true(len(found) >= least, f"only {len(found)} cases")
        bad = []
        for case, (base, once, twice) in found.items():
            once, twice = once - base, twice - base
            if "POSTERN_COST" in os.environ:
                print(f"{case:28}{once:12}{twice:12}"
                      f"{twice / once if once else 0:8.2f}")
            # Limits may make the larger input the cheaper one.
            if twice > RATIO * max(once, 0) + NOISE:
                bad.append(f"{case}: {once} and {twice}")
        return bad

    def test_H24_H30_H41_H46_messages_and_files(self):
        bad = self.judge("cost_mail", 32)
        self.equal([b.split(":")[0] for b in bad], ["planted"], bad)

    def test_H18_H20_H24_imap(self):
        self.equal(self.judge("cost_imap", 16), [])

    def test_H27_H28_H29_pop3(self):
        self.equal(self.judge("cost_pop3", 4), [])

    def test_H6_H9_H10_H14_smtp(self):
        self.equal(self.judge("cost_smtp", 7), [])


# Sanitizers (preset asan) keep books of memory themselves.
if b"__asan_init" in (suite.BUILD / "t/hostile/cost/cost_mail").read_bytes():
    print("built with a sanitizer: skipped")
    print("0 passed, 0 failed, 4 skipped")
else:
    suite.main()
