# SPDX-License-Identifier: BSD-2-Clause
"""What a file system may hold after a crash (F3), as POSIX has it: of the
changes that no fsync(2) has returned for, any.

A recording (record.c) is the order in which a suite's processes changed files.
After any number of those steps the power may go. Then there surely is:
  - of a file, what it held at its last fsync, and what was written with O_DSYNC
  - of a directory, the names that were there at its last fsync
and of the later changes any part. Kinder than POSIX, as all file systems with
a journal are, in one thing: a rename is whole or not at all.

All parts of the later changes would be too many; states() gives none, all,
each one alone, all but each one; and of each file the old content, the new,
half of the new, and every other block of it.
"""
import hashlib
import os
import pathlib
import re
import shutil
import stat
import subprocess

import crashes
import faults

BLOCK = 512
DIR, FILE = "dir", "file"


class Node:
    """A file or directory: what is durable of it is in `data`."""

    def __init__(self, kind, attr):
        self.kind, self.attr = kind, attr  # (uid, gid, mode, mtime_ns)
        self.data = {} if kind == DIR else b""

    def copy(self):
        n = Node(self.kind, self.attr)
        n.data = dict(self.data) if self.kind == DIR else self.data
        return n


def attr_of(st):
    return st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode), st.st_mtime_ns


def look(root):
    """{inode: Node} of what is below `root`, sockets left out; and its own
    inode."""
    nodes = {}

    def add(path):
        st = path.lstat()
        if stat.S_ISDIR(st.st_mode):
            n = Node(DIR, attr_of(st))
            for child in path.iterdir():
                if (inode := add(child)) is not None:
                    n.data[child.name] = inode
        elif stat.S_ISREG(st.st_mode):
            n = Node(FILE, attr_of(st))
            n.data = path.read_bytes()
        else:
            return None
        nodes[st.st_ino] = n
        return st.st_ino
    return nodes, add(pathlib.Path(root))


def decode(text):
    return re.sub(rb"%(..)", lambda m: bytes([int(m[1], 16)]), text.encode())


class Recording:
    """The steps of a suite between `with` and its end."""

    def __init__(self, s, root):
        self.s, self.root, self.out = s, root, s.dir / "recorded"
        self.out.mkdir()

    def processes(self):
        pids = [self.s.master_pid()]
        for pid in pids:
            pids += faults.children(pid)
        return pids

    def __enter__(self):
        """A process that began while others were being attached to would be
        missed; then all begins again."""
        while True:
            self.nodes, self.top = look(self.root)
            pids = self.processes()
            self.p = subprocess.Popen(
                [faults.FAULT / "record", self.root, self.out,
                 ",".join(map(str, pids))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            if self.p.stdout.readline() != "ready\n":
                raise AssertionError("record does not")
            if set(self.processes()) <= set(pids):
                return self
            self.stop()

    def stop(self):
        self.p.stdin.close()
        self.p.wait()

    def __exit__(self, *_):
        self.stop()
        self.read()

    def said(self):
        """How much has been said so far."""
        with open(self.out / "log", "rb") as f:
            return sum(line.startswith(b"say ") for line in f)

    def read(self):
        """self.steps: [(what, ...)]; self.says: [(step, program, bytes)]."""
        self.steps, self.says = [], []
        for line in (self.out / "log").read_text().splitlines():
            what, *f = line.split(" ")
            if what == "say":
                self.says.append((len(self.steps), f[0], decode(f[1])))
            elif what == "attr":
                mode = int(f[3], 8)
                self.steps.append((what, int(f[0]), DIR if stat.S_ISDIR(mode)
                                   else FILE, (int(f[1]), int(f[2]),
                                               stat.S_IMODE(mode), int(f[4]))))
            elif what in ("data", "part"):
                self.steps.append((what, int(f[0]), (
                    self.out / f[1]).read_bytes(), *map(int, f[2:])))
            elif what == "sync":
                self.steps.append((what, int(f[0])))
            else:
                self.steps.append((what, *(
                    decode(x).decode() if i in (1, 3) else int(x)
                    for i, x in enumerate(f))))


class Disk:
    """Durable nodes, and the changes that are not: names in directories, in
    order, and contents of files."""

    def __init__(self, recording):
        self.top = recording.top
        self.nodes = {i: n.copy() for i, n in recording.nodes.items()}
        self.names = []     # (directories it waits for, step)
        self.contents = {}  # inode: the newest

    def step(self, step):
        what, at = step[:2]
        if what == "attr":
            node = self.nodes.setdefault(at, Node(step[2], step[3]))
            node.attr = step[3]
        elif what == "data":
            self.contents[at] = step[2]
        elif what == "part":
            self.contents[at] = step[2]
            end = step[3] + step[4]
            old = self.nodes[at].data.ljust(end, b"\0")
            self.nodes[at].data = old[:step[3]] + step[2][step[3]:end] \
                + old[end:]
        elif what == "sync":
            self.sync(at)
        else:
            self.names.append((step[3] if what == "move" else at, step))

    def sync(self, inode):
        if inode in self.contents:
            self.nodes[inode].data = self.contents.pop(inode)
        waiting = []
        for directory, step in self.names:
            if directory == inode:
                change_name(self.nodes, step)
            else:
                waiting.append((directory, step))
        self.names = waiting

    def with_these(self, names, contents):
        nodes = {i: n.copy() for i, n in self.nodes.items()}
        for step in names:
            change_name(nodes, step)
        for inode, data in contents.items():
            nodes[inode].data = data
        return nodes

    def variants(self):
        """What may be there if the power goes now."""
        steps = [step for _, step in self.names]
        new = dict(self.contents)
        yield self.with_these([], {})
        yield self.with_these(steps, new)
        for i, step in enumerate(steps):
            yield self.with_these([step], new)
            yield self.with_these([step], {})
            yield self.with_these(steps[:i] + steps[i + 1:], new)
        for inode, data in new.items():
            for part in partial(self.nodes[inode].data, data):
                yield self.with_these(steps, new | {inode: part})
                yield self.with_these([], {inode: part})


def partial(old, new):
    """Contents between the old and the new."""
    blocks = [new[i:i + BLOCK] for i in range(0, len(new), BLOCK)]
    olds = [old[i:i + BLOCK].ljust(len(b), b"\0")[:len(b)]
            for i, b in zip(range(0, len(new), BLOCK), blocks)]
    half = len(blocks) // 2
    yield old
    yield new
    yield b"".join(blocks[:half] + olds[half:])
    yield b"".join(b if i % 2 else o
                   for i, (b, o) in enumerate(zip(blocks, olds)))


def change_name(nodes, step):
    """Do it if what it needs is there."""
    what, directory, name = step[:3]
    here = nodes[directory].data if directory in nodes else {}
    if what == "make":
        here[name] = step[3]
    elif what == "drop":
        here.pop(name, None)
    elif name in here:
        inode = here.pop(name)
        if step[3] in nodes:
            nodes[step[3]].data[step[4]] = inode


def write(nodes, inode, path):
    """Make a state real below `path`, which is there if it is a directory."""
    node = nodes[inode]
    uid, gid, mode, mtime = node.attr
    if node.kind == DIR:
        path.mkdir(exist_ok=True)
        for name, child in node.data.items():
            if child in nodes:
                write(nodes, child, path / name)
    else:
        path.write_bytes(node.data)
    os.chown(path, uid, gid)
    path.chmod(mode)
    os.utime(path, ns=(mtime, mtime))


def clear(path):
    for child in path.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()


def key_of(nodes, inode):
    """What tells one state from another: names and contents."""
    h = hashlib.sha256()

    def add(i, name):
        node = nodes.get(i)
        if node is None:
            return
        h.update(f"{name}\0{node.kind}\0".encode())
        if node.kind == DIR:
            for child in sorted(node.data):
                add(node.data[child], child)
            h.update(b"/")
        else:
            h.update(hashlib.sha256(node.data).digest())
    add(inode, "")
    return h.digest()


def states(recording):
    """[(step, nodes)]: each different state that a crash may leave, with the
    last step before which it may."""
    disk, found = Disk(recording), {}
    for i in range(len(recording.steps) + 1):
        for nodes in disk.variants():
            key = key_of(nodes, disk.top)
            # Before the last step that leaves it, most was promised.
            found[key] = (i, nodes)
        if i < len(recording.steps):
            disk.step(recording.steps[i])
    return list(found.values())


class Reordering(crashes.Crashing):
    """Work done under the recorder on the file system that is mounted on
    `root`."""

    def __init__(self, s, work, root):
        super().__init__(s, work)
        self.root = root

    def recording(self):
        self.log = Recording(self.s, self.root)
        return self.log

    def when(self, words):
        """A command may have had several answers: the last one promised."""
        return words, self.log.said()

    def recorded(self):
        """When each promise was made: the step before which it was said."""
        made = self.made[:1]
        for (words, n), what in self.made[1:]:
            steps = [step for step, _, text in self.log.says[:n]
                     if words in text]
            if not steps:
                raise AssertionError(f"{words!r} was not recorded")
            made.append((steps[-1], what))
        self.made, self.steps = made, len(self.log.steps)

    def states(self):
        return states(self.log)

    def restore(self, state):
        clear(self.root)
        write(state, self.log.top, self.root)
