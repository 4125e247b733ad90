# SPDX-License-Identifier: BSD-2-Clause
"""Kill -9 at every system call of one program, while a unit of work passes
(F1). For each entry into and return from a system call that the program makes
meanwhile, one unit is done and the program killed at exactly that point. None
is sampled; the count is printed."""
import contextlib
import os
import signal

import faults
import suite

POINTS_MAX = 5000  # of one program; far more than any makes


class Killing:
    def __init__(self, s, work):
        self.s, self.work, self.total = s, work, 0

    def watch_running(self, program, n):
        """A driver on the program's processes; None when one just ended."""
        pids = faults.ready_pids(self.s, program)
        if not pids:
            self.work.unit(self.s)  # what is started by need alone
            return None
        driver = faults.Driver(pids, n, "kill")
        return driver if driver.ready else None

    def watch_start(self, program, n):
        """A driver on processes that are yet to start: those there end."""
        driver = faults.Driver([self.s.master_pid()], n, "kill",
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

    def points(self, program, life):
        """Kill `program` at point 1, 2, ... until a unit passes before the
        point is reached; the number of points. With `life` they count from a
        process's first call, else from when it is ready for work."""
        watch = self.watch_start if life else self.watch_running
        n, patience = 1, faults.Patience()
        while n < POINTS_MAX:
            driver = suite.wait_for(lambda: watch(program, n),
                                    f"a {program} to kill")
            self.work.unit(self.s)
            suite.wait_for(lambda: driver.p.poll() is not None
                           or self.work.quiet(self.s), "the end of the unit")
            if driver.finish():
                n += 1
                patience = faults.Patience()
                if program == "master":
                    faults.kill_everything(self.s)
                    faults.start_again(self.s)
                # So that the next point is counted in the next unit's calls
                # and not in a second try of this one.
                self.work.settle(self.s)
                continue
            if patience.is_over(driver, n):
                return n - 1
            # A process makes most calls for its first unit.
            if program != "master":
                self.end_all(program)
        raise AssertionError(f"{program} never came to its end")

    def run(self, *programs, life=False):
        """All points of these programs; what is wrong afterwards."""
        self.work.start(self.s)
        for program in programs:
            n = self.points(program, life)
            print(f"{program}: {n} kill points", flush=True)
            self.total += n
        self.work.unit(self.s)
        wrong = suite.wait_for(lambda: self.checked(), "the suite to serve "
                               "again", faults.SERVES_AGAIN)[0]
        print(f"{self.total} kill points, {self.work}, {len(wrong)} wrong",
              flush=True)
        return wrong

    def checked(self):
        """The complaints in a tuple; None: it does not serve yet."""
        with contextlib.suppress(OSError):
            return self.work.check(self.s),
        return None
