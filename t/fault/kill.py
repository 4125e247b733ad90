# SPDX-License-Identifier: BSD-2-Clause
"""Kill -9 at every system call of one program, while a unit of work passes
(F1). For each entry into and return from a system call that the program makes
meanwhile, one unit is done and the program killed at exactly that point. None
is sampled; the count is printed. Which calls are counted:

  RUNNING   those of processes that are ready for work
  START     those of processes that start for it, from their first call
  SESSION   those of the process that serves the session of a works.Imap, from
            the login on
"""
import contextlib
import os
import signal

import faults
import suite

POINTS_MAX = 5000  # of one program; far more than any makes


RUNNING, START, SESSION = "running", "start", "session"


class Killing:
    what = "kill points"

    def __init__(self, s, work):
        self.s, self.work, self.total = s, work, 0
        self.action = ["kill"]

    def watch_running(self, program, n):
        """A driver on the program's processes; None when one just ended."""
        pids = faults.ready_pids(self.s, program)
        if not pids:
            self.work.unit(self.s)  # what is started by need alone
            return None
        driver = faults.Driver(pids, n, *self.action)
        return driver if driver.ready else None

    def watch_start(self, program, n):
        """A driver on processes that are yet to start: those there end."""
        driver = faults.Driver([self.s.master_pid()], n, *self.action,
                               children=program)
        if not driver.ready:
            return None
        self.end_all(program)
        return driver

    def end_all(self, program):
        for pid, name in faults.children_of(self.s):
            if name == program:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def watch_session(self, program, n):
        pids = suite.wait_for(lambda: [
            p for p, name in faults.children_of(self.s) if name == program],
            f"the {program} of a session")
        return faults.Driver(pids, n, *self.action)

    def attempt(self, program, n, how):
        """One unit, struck at point n: the driver, or None when there was
        nothing to watch."""
        found = []
        if how == SESSION:
            self.work.opened = lambda: found.append(
                self.watch_session(program, n))
        else:
            watch = self.watch_start if how == START else self.watch_running
            found.append(suite.wait_for(lambda: watch(program, n),
                                        f"a {program} to strike"))
        self.work.unit(self.s)
        self.work.opened = lambda: None
        if not found:
            return None
        suite.wait_for(lambda: found[0].p.poll() is not None
                       or self.work.quiet(self.s), "the end of the unit")
        return found[0]

    def struck(self, program):
        """Make it good, so that the next point is counted in the next unit's
        calls, and not in a second try of this one."""
        if program == "master":
            faults.kill_everything(self.s)
            faults.start_again(self.s)
        self.work.settle(self.s)

    def points(self, program, how):
        """Strike `program` at point 1, 2, ... until a unit passes before the
        point is reached; the number of points."""
        n, patience = 1, faults.Patience()
        while n < POINTS_MAX:
            driver = self.attempt(program, n, how)
            if driver is not None and driver.finish():
                n += 1
                patience = faults.Patience()
                self.struck(program)
                continue
            if driver is not None and patience.is_over(driver, n):
                return n - 1
            # A process makes most calls for its first unit.
            if program != "master":
                self.end_all(program)
        raise AssertionError(f"{program} never came to its end")

    def run(self, *programs, how=RUNNING):
        """All points of these programs; what is wrong afterwards."""
        self.work.start(self.s)
        for program in programs:
            n = self.points(program, how)
            print(f"{program}: {n} {self.what}", flush=True)
            self.total += n
        self.work.unit(self.s)
        wrong = suite.wait_for(lambda: self.checked(), "the suite to serve "
                               "again", faults.SERVES_AGAIN)[0]
        print(f"{self.total} {self.what}, {self.work}, {len(wrong)} wrong",
              flush=True)
        return wrong

    def checked(self):
        """The complaints in a tuple; None: it does not serve yet."""
        with contextlib.suppress(OSError):
            return self.work.check(self.s),
        return None
