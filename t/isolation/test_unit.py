# SPDX-License-Identifier: BSD-2-Clause
"""The unit for systemd: what it leaves to be exposed, and that the suite works
with no more than it gives."""
import re
import subprocess

from drill import ANN

import suite

EXPOSURE_MAX = 4.0
UNIT = suite.BUILD / "etc/postern.service"


def analyze(*args):
    return subprocess.run(["systemd-analyze", *map(str, args)], check=True,
                          text=True, capture_output=True).stdout


def exposure():
    said = analyze("security", "--offline=yes", "--no-pager", UNIT)
    return float(re.search(r"exposure level .*: ([\d.]+)", said)[1])


def setting(name):
    """All words of a setting that may be given more than once."""
    return " ".join(re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.M))


def calls():
    """The system calls that SystemCallFilter lets through."""
    found, todo = set(), setting("SystemCallFilter").split()
    while todo:
        word = todo.pop()
        if not word.startswith("@"):
            found.add(word)
            continue
        todo += [w for w in analyze("syscall-filter", word).split("\n")[1:]
                 if w.strip() and not w.strip().startswith("#")]
        todo = [w.strip() for w in todo]
    return found


class Unit(suite.Case):
    def test_exposure(self):
        print(f"exposure {exposure()}")
        self.true(exposure() <= EXPOSURE_MAX, f"exposure {exposure()}")

    def test_the_suite_works_in_it(self):
        s = self.instance("un").mail().tls("localhost")
        s.write()
        s.store.mkdir()
        s.postern("store", "create")
        caps = ",".join("+" + c.removeprefix("CAP_").lower() for c in
                        setting("CapabilityBoundingSet").split())
        trace = s.dir / "trace"
        with open(s.dir / "stderr", "w") as err:
            tracer = subprocess.Popen(
                ["setpriv", f"--bounding-set=-all,{caps}", "--inh-caps=-all",
                 "--no-new-privs", "strace", "-f", "-qq", "-o", trace,
                 s.libexec / "master", "-c", s.conf],
                stdin=subprocess.DEVNULL, stderr=err)
        s.wait_log("daemon started")
        s.running = True
        s.pid = int((s.queue / "pid/master.pid").read_text())
        s.add_users(ANN)
        with s.smtp() as c:
            c.sendmail("x@a.example", [ANN], "Subject: 1\r\n\r\n1")
        s.wait_messages(ANN, 1)
        self.equal(s.postern("hardening", check=False).returncode, 0)
        s.stop()
        tracer.wait(suite.DEADLINE)
        made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(
            errors="replace"), re.M))
        self.equal(made - calls(), set(), "calls that the unit forbids")


if __name__ == "__main__":
    suite.main()
