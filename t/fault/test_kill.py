# SPDX-License-Identifier: BSD-2-Clause
"""Kill -9 at every system call of every program, while a message passes (F1).

For each program on the message's way, and each entry into and return from a
system call that it makes meanwhile, one message is sent and the program is
killed at exactly that point. None is sampled; the count is printed.
"""
import faults
import suite

LARGE = 100_000  # lines: more than content_memory_limit, so in pieces
PROGRAMS = ["smtpd", "cleanup", "mapd", "qmgr", "local", "authd", "logd"]
POINTS_MAX = 2000  # of one program; far more than any makes


class Kill(suite.Case):
    def server(self, fault=None, fast="1s"):
        s = self.instance("ki").mail()
        s.settings["fast_delivery_time"] = fast
        s.settings["minimal_backoff_time"] = "1s"
        s.settings["maximal_backoff_time"] = "1s"
        s.settings["service_throttle_time"] = "0"
        if fault:
            faults.with_planted(s, *fault)
        s.start().add_users(faults.USER)
        return s

    def settle(self, s, ledger):
        """Wait until the queue is empty, and look at the mailbox."""
        faults.drain(s)
        return ledger.check(s.messages(faults.USER))

    def watch(self, s, ledger, program, n):
        """A driver on the program's processes; None when one just ended."""
        pids = faults.ready_pids(s, program)
        if not pids and program == "local":
            ledger.send(s.port)  # it is started by need alone
        driver = faults.Driver(pids, n, "kill") if pids else None
        return driver if driver and driver.ready else None

    def points(self, s, ledger, program):
        """Kill `program` at point 1, 2, ... until a message passes before
        the point is reached; the number of points."""
        n, patience = 1, faults.Patience()
        while n < POINTS_MAX:
            driver = suite.wait_for(
                lambda: self.watch(s, ledger, program, n),
                f"a {program} to kill")
            ledger.send(s.port)
            if program in ("qmgr", "local", "logd", "authd"):
                suite.wait_for(lambda: driver.p.poll() is not None
                               or not s.queue_files("incoming")
                               and not s.queue_files("active"),
                               "the attempt at delivery")
            if driver.finish():
                n += 1
                patience = faults.Patience()
                if program in ("qmgr", "local"):
                    # So that the next point is counted in the next message's
                    # calls and not in a second try of this one.
                    faults.drain(s)
            elif patience.is_over(driver, n):
                return n - 1
        raise AssertionError(f"{program} never came to its end")

    def run_all(self, s, programs, lines=5):
        ledger = faults.Ledger()
        ledger.lines = lines
        ledger.send(s.port)  # so that every program is up
        s.wait_messages(faults.USER, 1)
        total = 0
        for program in programs:
            n = self.points(s, ledger, program)
            print(f"{program}: {n} kill points", flush=True)
            total += n
        ledger.send(s.port)
        wrong = self.settle(s, ledger)
        print(f"{total} kill points, {len(ledger.sent)} sent, "
              f"{len(ledger.acked)} acknowledged, {len(wrong)} wrong")
        return total, wrong

    def test_nothing_is_lost_or_doubled(self):
        small, wrong = self.run_all(self.server(), PROGRAMS)
        self.equal(wrong, [])
        queued, wrong = self.run_all(self.server(fast="0"),
                                     ["cleanup", "qmgr", "local"])
        self.equal(wrong, [])
        large, wrong = self.run_all(self.server(), ["smtpd", "cleanup"],
                                    LARGE)
        self.equal(wrong, [])
        total = small + queued + large
        self.true(total >= 500, f"only {total} points")

    def test_a_planted_double_delivery_is_found(self):
        s = self.server(fault=("local", "random_name"))
        _, wrong = self.run_all(s, ["local"])
        self.true(any("delivered 2 times" in w for w in wrong), wrong)


suite.main()
