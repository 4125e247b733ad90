# SPDX-License-Identifier: BSD-2-Clause
"""The index of an account is deleted, cut short, changed bit by bit, replaced
by another's or by rubbish, while sessions are open and between them. It is
rebuilt: one session may end, the account is served again at once with all its
messages, and no UID ever stands for two."""
import os
import pathlib
import random
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import suite  # noqa: E402
from index import IndexCase  # noqa: E402

SEED = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 30)))


class Index(IndexCase):
    def data(self):
        return self.index / "data.mdb"

    def in_place(self, path, bytes_):
        """Other bytes in the same file: sessions have it mapped."""
        with open(path, "r+b") as f:
            f.write(bytes_)
            f.truncate(len(bytes_))

    def drill(self, name, harm, before=lambda: None):
        """Once below an open session and once while there is none."""
        for is_open in (True, False):
            before()
            what = f"{name}, {'open' if is_open else 'closed'}"
            c = self.opened() if is_open else None
            harm()
            if c:
                self.use(c)
            self.served_again(what)
            self.harms += 1

    def finish(self):
        """It is an ordinary account after all that."""
        self.deliver(away.ANN)
        c = self.imap()
        self.equal(self.append(c)[0], "OK")
        c.logout()
        self.served_again("the end")
        rebuilt = self.s.log_text().count("made anew from the files")
        signals = self.s.log_text().count("imapd pid") and sum(
            "imapd pid" in x and "signal" in x
            for x in self.s.log_text().splitlines())
        print(f"{self.harms} harms, {rebuilt} rebuilt, {signals} sessions "
              f"ended by a signal, {len(self.known)} UIDs seen", flush=True)

    def test_deleted_or_replaced(self):
        s = self.account()
        self.harms = 0
        index = self.index
        owner = os.stat(self.data())
        other = s.maildir(away.BOB) / "index/data.mdb"

        def put(path, bytes_):
            """Another file under this name."""
            if path.is_dir():
                shutil.rmtree(path)
            new = path.with_name("new")
            new.write_bytes(bytes_)
            os.chown(new, owner.st_uid, owner.st_gid)
            new.rename(path)

        def place_directory():
            self.data().unlink()
            self.data().mkdir()
            os.chown(self.data(), owner.st_uid, owner.st_gid)

        rubbish = random.Random(1).randbytes(300000)
        harms = {
            "no index": lambda: shutil.rmtree(index),
            "no data": lambda: self.data().unlink(),
            "no lock": lambda: (index / "lock.mdb").unlink(),
            "no lock file of ours": lambda: (index.parent / "index.lock")
            .unlink(),
            "an empty file": lambda: put(self.data(), b""),
            "rubbish": lambda: put(self.data(), rubbish),
            "rubbish in place": lambda: self.in_place(self.data(), rubbish),
            "zeros in place": lambda: self.in_place(self.data(), bytes(65536)),
            "another's": lambda: put(self.data(), other.read_bytes()),
            "another's in place": lambda: self.in_place(self.data(),
                                                        other.read_bytes()),
            "a directory": place_directory,
            "an older one": lambda: put(self.data(), self.older),
            "an older one in place": lambda: self.in_place(self.data(),
                                                           self.older),
            "a rubbish lock": lambda: put(index / "lock.mdb", rubbish),
            "a rubbish lock in place": lambda: self.in_place(
                index / "lock.mdb", rubbish[:8192]),
            "an empty lock in place": lambda: self.in_place(
                index / "lock.mdb", b""),
        }
        for name, harm in harms.items():
            self.drill(name, harm, self.go_on)
        self.finish()

    def go_on(self):
        """self.older is then what the index was, one message ago."""
        self.older = self.data().read_bytes()
        c = self.imap()
        self.append(c)
        c.logout()

    def test_cut_short(self):
        self.account()
        self.harms = 0
        size = self.data().stat().st_size
        sizes = {0, 1, 4095, 4096, 8191, 8192, 12288, size // 2, size - 4096,
                 size - 1}
        for to in sorted(sizes):
            self.drill(f"cut to {to}", lambda: os.truncate(self.data(), to))
        self.finish()

    def test_bits_flip(self):
        """In every page of the file, in CI at a few places each."""
        print(f"seed {SEED}")
        self.account()
        self.harms = 0
        chance = random.Random(SEED)
        pages = self.data().stat().st_size // 4096
        each = 64 if suite.LONG else max(1, 120 // pages)
        for page in range(pages):
            for i in range(each):
                # The first bytes of a page say most.
                at = chance.randrange(48) if i % 2 else chance.randrange(4096)
                self.flip(page * 4096 + at, 1 << chance.randrange(8),
                          (page + i) % 2)
        self.finish()

    def flip(self, at, bits, is_open):
        if at >= self.data().stat().st_size:
            return
        c = self.opened() if is_open else None
        with open(self.data(), "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ bits]))
        if c:
            self.use(c)
        self.served_again(f"bits {bits:#x} at {at}")
        self.harms += 1

    def test_a_planted_reuse_is_found(self):
        """Of an index that gives each new mailbox the same UIDVALIDITY."""
        self.account(fault=("imapd", "same_validity"))
        self.harms = 0
        found = False
        try:
            for _ in range(3):
                c = self.opened()
                c.uid("STORE", "1:2", "+FLAGS", r"(\Deleted)")
                c.expunge()
                c.logout()
                self.here -= {1, 2}
                shutil.rmtree(self.index)
                self.served_again("no index")
        except AssertionError as e:
            found = "was message" in str(e)
        self.true(found, "two messages with one UID were not seen")


suite.main()
