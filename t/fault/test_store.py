# SPDX-License-Identifier: BSD-2-Clause
"""The mail store is away, another's, read-only, full, or mounted late; the
queue is full or read-only (F7, F11, F25); and bits flip in queue files (F24).
Mail waits, is never put where the store is not mounted, and arrives by itself
when the store is back."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import disks  # noqa: E402
import faults  # noqa: E402
import suite  # noqa: E402
from away import pids_of  # noqa: E402


class Disk:
    """A small file system in memory that can be taken away: mounted in `where`
    and bound to `path`, so that what is in it stays."""

    def __init__(self, where, name, size="4m"):
        self.real, self.path = where / f"{name}.real", where / name
        self.real.mkdir()
        self.path.mkdir()
        self.mounted = False
        self.run("mount", "-t", "tmpfs", "-o",
                 f"size={size},nr_inodes=600,mode=755", "none", self.real)
        self.mount()

    @staticmethod
    def run(*args):
        subprocess.run([str(a) for a in args], check=True)

    def mount(self):
        self.run("mount", "--bind", self.real, self.path)
        self.mounted = True

    def unmount(self):
        self.run("umount", "-l", self.path)
        self.mounted = False

    def remount(self, how):
        self.run("mount", "-o", f"remount,{how}", self.real)

    def fill(self):
        """With bytes."""
        with open(self.real / "big", "wb", buffering=0) as f:
            with contextlib.suppress(OSError):
                for size in (65536, 4096, 1):
                    with contextlib.suppress(OSError):
                        while True:
                            f.write(b"x" * size)

    def fill_inodes(self):
        (self.real / "many").mkdir()
        with contextlib.suppress(OSError):
            for i in range(10000):
                (self.real / "many" / str(i)).touch()

    def free(self):
        subprocess.run(["rm", "-rf", self.real / "big", self.real / "many"])

    def remove(self):
        for path in [self.path] * self.mounted + [self.real]:
            subprocess.run(["umount", "-l", path], check=False)


class Store(away.AwayCase):
    def setup(self):
        self.disks = []

    def on_disks(self, make=Disk, **settings):
        """The store on one disk, the queue on another."""
        def prepare(s):
            self.mail = make(s.dir, "m")
            self.queue = make(s.dir, "qd")
            self.disks += [self.mail, self.queue]
            s.store = self.mail.path / "mail"
            s.queue = self.queue.path / "q"
            s.settings.update({"queue_directory": s.queue,
                               "virtual_mailbox_base": s.store})
            remove = s.remove

            def removed():
                s.stop()
                for d in self.disks:
                    d.remove()
                remove()

            s.remove = removed

        return self.server("st", prepare, **settings)

    def waits(self, what):
        """Mail is accepted and waits; nobody is told that it failed; and who
        logs in is told to come later, or sees what was there."""
        have = len(self.ledger.sent)
        for _ in range(3):
            self.equal(self.send(), 250, what)
            self.true(self.took < 4, f"{what}: {self.took:.1f} s")
        self.equal(self.relay(), 250, what)
        self.true(len(self.s.queue_files("deferred")) +
                  len(self.s.queue_files("active")) > 0, what)
        return have

    def arrives(self, what):
        """By itself: nobody flushes the queue."""
        suite.wait_for(lambda: not self.s.queue_files(), f"mail after {what}",
                       8)
        self.serves_again(what)
        self.settled()

    def bare_is_empty(self):
        self.true(not self.mail.mounted, "not bare")
        self.equal(os.listdir(self.mail.path), [], "on the bare mount point")

    def forget_agents(self):
        """Those that hold the store by descriptor."""
        away.strike(pids_of(self.s, "local", "imapd"), signal.SIGKILL)

    def test_F25_the_store_goes_and_comes(self):
        s = self.on_disks()
        self.serves_again("the start")
        session = self.imap()
        session.select()
        self.mail.unmount()
        self.forget_agents()
        self.waits("no store")
        self.bare_is_empty()
        with contextlib.suppress(OSError, EOFError):
            self.true(self.login_refusal() != "", "a session without a store")
        self.bare_is_empty()
        self.mail.mount()
        self.arrives("the store was away")
        with contextlib.suppress(Exception):
            session.shutdown()
        s.wait_log("is it mounted?")
        self.done("F25 away")

    def test_F25_the_store_is_mounted_late(self):
        s = self.on_disks()
        self.serves_again("the start")
        for how in ("stop", "kill"):
            s.stop() if how == "stop" else faults.kill_everything(s)
            self.mail.unmount()
            s.start(store=False)
            self.waits("a start without a store")
            self.bare_is_empty()
            self.mail.mount()
            self.arrives("the store was mounted late")
        self.done("F25 late")

    def test_F25_a_store_of_another(self):
        """Its mark says so; and so does an empty file system in its place."""
        s = self.on_disks()
        self.serves_again("the start")
        for mark in (None, "0" * 32 + "\n", ""):
            self.mail.unmount()
            self.forget_agents()
            Disk.run("mount", "-t", "tmpfs", "-o", "mode=755", "none",
                     self.mail.path)
            s.store.mkdir()
            if mark is not None:
                (s.store / ".postern-store").write_text(mark)
            self.waits(f"a store with the mark {mark!r}")
            self.equal([p.name for p in s.store.iterdir()
                        if p.name != ".postern-store"], [], "in another's")
            Disk.run("umount", "-l", self.mail.path)
            self.mail.mount()
            self.arrives("another store")
        self.done("F25 another's")

    def test_F25_the_store_is_full_or_read_only(self):
        self.on_disks()
        self.serves_again("the start")
        for what, begin, end in (
                ("full", self.mail.fill, self.mail.free),
                ("without inodes", self.mail.fill_inodes, self.mail.free),
                ("read-only", lambda: self.mail.remount("ro"),
                 lambda: self.mail.remount("rw"))):
            for agents in ("old", "new"):
                begin()
                if agents == "new":
                    self.forget_agents()
                try:
                    self.waits(what)
                finally:
                    end()
                self.arrives(f"a {what} store")
        self.done("F25 full, read-only")

    def test_F7_the_queue_is_full(self):
        """452, also for what could have been delivered at once or not
        at all; what is in the queue stays."""
        s = self.on_disks(fast_delivery_time="0")
        self.serves_again("the start")
        away.strike(pids_of(s, "smtp"), signal.SIGSTOP)
        self.equal(self.relay(), 250)
        for what, begin, end, code in (
                ("full", self.queue.fill, self.queue.free, 452),
                ("without inodes", self.queue.fill_inodes, self.queue.free,
                 452)):
            # A file that goes later would make room.
            suite.wait_for(lambda: len(s.queue_files()) == 1,
                           "the end of what was delivered")
            begin()
            try:
                for _ in range(2):
                    self.equal(self.send(), code, what)
                    self.equal(self.relay(), code, what)
                self.equal(self.submit(), 75, what)
            finally:
                end()
            self.serves_again(f"a {what} queue")
        away.strike(pids_of(s, "smtp"), signal.SIGCONT)
        self.settled()
        self.done("F7 the queue")

    def remounted(self, disk):
        self.s.stop()
        disk.unmount()
        disk.mount()
        self.s.start()

    def ext4(self, where, name):
        return disks.Disk(where, name, "ext4")

    def test_F11_the_queue_becomes_read_only(self):
        s = self.on_disks(self.ext4, fast_delivery_time="0")
        self.serves_again("the start")
        away.strike(pids_of(s, "smtp"), signal.SIGSTOP)
        self.equal(self.relay(), 250)
        self.queue.fail()
        for _ in range(2):
            self.equal(self.send(), 451)
            self.equal(self.relay(), 451)
        self.equal(self.submit(), 75)
        s.wait_log("Read-only file system")
        self.remounted(self.queue)
        self.arrives("a queue that was read-only")
        self.done("F11 the queue")

    def test_F11_the_store_becomes_read_only(self):
        s = self.on_disks(self.ext4)
        self.serves_again("the start")
        session = self.imap()
        session.select()
        self.mail.fail()
        self.waits("a store that is read-only")
        self.equal(session.store("1", "+FLAGS", r"\Flagged")[0], "NO")
        self.equal(session.fetch("1", "FLAGS")[0], "OK")
        session.shutdown()
        self.remounted(self.mail)
        self.arrives("a store that was read-only")
        self.done("F11 the store")

    # --- F24 ----------------------------------------------------------------

    FLIPS = 4000 if suite.LONG else 150

    def test_F24_bits_flip_in_queue_files(self):
        """Each message is relayed as it was, or kept in corrupt/; none is
        altered, bounced or gone. Where a bit does no harm, none is seen."""
        s = self.server("st", minimal_backoff_time="1h",
                        maximal_backoff_time="1h",
                        default_destination_concurrency_limit="1")
        s.sink.replies = {"MAIL": "451 4.3.0 later"}
        for _ in range(self.FLIPS):
            self.equal(self.relay(), 250)
        suite.wait_for(lambda: len(s.queue_files("deferred")) == self.FLIPS,
                       "all in deferred", 60)
        s.stop()
        for i, path in enumerate(sorted(s.queue_files("deferred"))):
            data = bytearray(path.read_bytes())
            at = i * len(data) // self.FLIPS
            data[at] ^= 1 << i % 8
            path.write_bytes(data)
        s.sink.replies = {}
        s.start()
        faults.drain(s)
        relayed, wrong = self.ledger.counts(
            m[2].decode(errors="replace") for m in s.sink.messages)
        self.equal(wrong, [], "altered")
        kept = s.queue_files("corrupt")
        self.equal(len(relayed) + len(kept), self.FLIPS, "gone")
        self.equal(len(s.sink.messages), len(relayed), "twice")
        self.equal(self.texts(away.ANN, away.BOB), [], "bounced")
        for p in kept:
            s.wait_log(f"the file is kept as corrupt/{p.name}")
        print(f"{self.FLIPS} bits flipped: {len(kept)} files put away, "
              f"{len(relayed)} relayed unharmed")
        self.true(len(kept) > self.FLIPS // 2, "few were noticed")


if os.geteuid() != 0:
    print("disks that go away need root: skipped")
    print("0 passed, 0 failed, 8 skipped")
else:
    suite.main()
