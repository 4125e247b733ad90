# SPDX-License-Identifier: BSD-2-Clause
"""The drill (security.md I19, I20): a probe in each daemon's exact jail.

Every program that exists is replaced by the probe, once for each goal, and
each goal must be refused: with all walls, and with any single one taken away.
A control run with no wall at all must reach goals, or the probe is blind.
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import suite  # noqa: E402

WALLS = ["root", "landlock", "seccomp", "network", "uid"]
REDTEAM = suite.BUILD / "redteam"
ROLES = sorted(p.name for p in REDTEAM.iterdir()
               if os.access(p, os.X_OK) and p.is_file())

# Programs whose work is to talk to the outside; they may connect.
TALKERS = {"smtp", "dnsd"}
# Programs that are started for one tenant or session only: they are driven
# through their own tests, since master starts none by itself.
DERIVED = {"local", "imapd", "pop3d"}
# Programs of which none waits in a pool: a probe in qmgr's place, which may
# join them, has them started.
ON_DEMAND = {"smtp", "bounce"}


class Redteam(suite.Case):
    def setup(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                self.listener.accept()[0].close()
            except OSError:
                return

    def rows(self, s, leave_out=()):
        """One service a role and goal; [(service, role, goal)]."""
        secret = s.dir / "secret"
        secret.write_text("the private key\n")
        os.chmod(secret, 0o600)
        victim = s.queue / "deferred" / "0123456789ABCDEF"
        goals = [
            ("read", secret), ("read", "/etc/passwd"),
            ("read", "/etc/shadow"), ("read", "/proc/self/environ"),
            ("write", s.dir / "new-file"), ("remove", victim),
            ("connect", self.port), ("unix", s.queue / "private/master"),
            ("exec", "/bin/true"), ("trace", os.getpid()),
            ("signal", os.getpid()), ("memory", os.getpid()),
            ("root", ""), ("code", ""), ("config", ""),
            ("join", "logd-real"),
        ]
        made = []
        for role in ROLES:
            if role in DERIVED:
                continue
            for i, (goal, target) in enumerate(goals):
                if role in TALKERS and goal == "connect":
                    continue
                if role == "qmgr" and goal == "remove":
                    continue  # it owns the queue; that is its work
                if role == "mapd" and target == "/etc/passwd" and \
                        "landlock" not in s.settings["sandbox_walls"]:
                    continue  # its tables may lie anywhere: its root is "/"
                if goal in leave_out:
                    continue
                name = f"{role}-{i}-{goal}"
                made.append((name, role, goal))
                s.rows.append(
                    f"{name} unix y - - - 1 {role} -o redteam_goal={goal} "
                    f"-o redteam_target={target}")
                if role in ON_DEMAND:
                    s.rows.append(f"call-{name} unix y - - - 1 qmgr "
                                  "-o redteam_goal=join "
                                  f"-o redteam_target={name}")
        return made

    def drill(self, walls, leave_out=()):
        """Run all goals with these walls; {service: 'refused'|'REACHED'}."""
        s = self.instance("rt")
        programs = s.dir / "libexec"
        programs.mkdir()
        for role in ROLES:
            (programs / role).symlink_to(REDTEAM / role)
        # The real logd writes the log; every other program is the probe.
        (programs / "master").symlink_to(suite.BUILD / "libexec/master")
        (programs / "logd").unlink()
        (programs / "logd").symlink_to(suite.BUILD / "libexec/logd")
        s.settings["daemon_directory"] = programs
        s.settings["sandbox_walls"] = " ".join(walls)
        if walls != WALLS:
            s.settings["sandbox_required"] = "no"
        made = [m for m in self.rows(s, leave_out) if m[1] != "logd"]
        s.rows = [r for r in s.rows if not r.startswith("logd")] \
            + ["logd-real unix n - - - 1 logd"]
        s.settings["max_idle"] = "1h"
        s.write()
        s.store.mkdir(exist_ok=True)
        (s.queue / "deferred").mkdir(parents=True)
        (s.queue / "deferred/0123456789ABCDEF").write_text("x")
        with open(s.dir / "stderr", "w") as err:
            # Not by "postern start": that gives up when programs end at once.
            master = subprocess.Popen([programs / "master", "-c", s.conf],
                                      stdin=subprocess.DEVNULL, stdout=err,
                                      stderr=err)
        s.running = True
        s.pid = master.pid
        results = {}

        def collect():
            for line in s.log_text().splitlines():
                m = re.search(r"redteam service=(\S+) goal=\S+ "
                              r"result=(\w+)", line)
                if m:
                    results[m[1]] = m[2]
                m = re.search(r"/(\w+) service (\S+) pid \d+ was ended by "
                              r"its seccomp wall", line)
                if m:
                    results.setdefault(m[2], "refused")
                m = re.search(r"/(\w+) service (\S+) pid \d+ (exit status|"
                              r"killed by signal) \d+", line)
                if m:
                    results.setdefault(m[2], "died")
            return all(name in results for name, _, _ in made)

        try:
            suite.wait_for(collect, "every goal's result")
        except AssertionError as e:
            raise AssertionError(f"{e}: " + ", ".join(
                n for n, _, _ in made if n not in results)) from None
        return {name: results[name] for name, _, _ in made}

    def refused(self, walls):
        results = self.drill(walls)
        reached = sorted(n for n, r in results.items() if r == "REACHED")
        print(f"walls {' '.join(walls)}: {len(results)} goals, "
              f"{len(reached)} reached")
        self.equal(reached, [], "goals reached")

    def test_all_walls(self):
        self.refused(WALLS)

    def test_the_probe_can_see(self):
        # A program that reaches exec is gone and cannot say so.
        results = self.drill([], leave_out=("exec",))
        reached = {n.split("-")[2] for n, r in results.items()
                   if r == "REACHED"}
        for goal in ("read", "write", "connect", "unix", "signal"):
            self.true(goal in reached,
                      f"with no wall the probe did not reach {goal}")


for wall in WALLS:
    def one(self, wall=wall):
        self.refused([w for w in WALLS if w != wall])
    setattr(Redteam, f"test_without_{wall}", one)

suite.main()
