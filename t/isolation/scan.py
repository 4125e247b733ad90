# SPDX-License-Identifier: BSD-2-Clause
"""Look for secrets in the memory of running processes, as root.

A needle is searched in everything that a process could have written: heap,
stacks, data, anonymous and shared memory. What is mapped read-only from a
file is that file.
"""
import base64
import pathlib
import re
import subprocess
import sys

MAP = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+) *(.*)")
PIECE = 16  # bytes that are too many to be there by chance


def memory(pid):
    """The parts of a process's memory that it may have written."""
    try:
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
        mem = open(f"/proc/{pid}/mem", "rb", 0)
    except (FileNotFoundError, ProcessLookupError):
        return
    with mem:
        for line in maps.splitlines():
            start, end, rights, inode, name = MAP.match(line).groups()
            if name in ("[vvar]", "[vsyscall]", "[vdso]", "[vvar_vclock]") or \
                    (int(inode) and "w" not in rights and
                     not name.startswith("/memfd:")):
                continue
            start, end = int(start, 16), int(end, 16)
            if end - start > 1 << 30:
                continue  # a file of LMDB, reserved and empty
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except OSError:
                continue  # it is gone, or nobody may read it


def descendants(pid):
    """All processes below a process, and itself."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(text.rsplit(")", 1)[1].split()[1]),
                           []).append(int(text.split()[0]))
    found, new = [], [pid]
    while new:
        found += new
        new = [c for p in new for c in parents.get(p, [])]
    return found


def program(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def scan(pids, needles):
    """{needle's name: the programs that have it}"""
    found = {}
    for pid in pids:
        for part in memory(pid):
            for name, needle in needles:
                if needle in part:
                    found.setdefault(name, set()).add(program(pid))
    return found


# --- needles: [(name, bytes)] ------------------------------------------------

def pieces(name, data):
    """The beginning, the middle and the end of it, either way round: OpenSSL
    keeps numbers by their lowest byte first."""
    found = []
    for way, d in (("", data), (" reversed", data[::-1])):
        for at in sorted({0, (len(d) - PIECE) // 2, len(d) - PIECE}):
            found.append((name + way, d[at:at + PIECE]))
    return found


def of_key(path):
    """Of a private key in PEM form: its secret numbers, the file's lines, and
    what the lines stand for."""
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"],
                          check=True, text=True, capture_output=True).stdout
    found = []
    for m in re.finditer(r"^(priv|privateExponent|prime1|prime2|exponent1|"
                         r"exponent2|coefficient):\n((?: +[0-9a-f:]+\n)+)",
                         text, re.M):
        data = bytes.fromhex(re.sub("[^0-9a-f]", "", m[2])).lstrip(b"\0")
        found += pieces(f"key {m[1]}", data)
    lines = [x for x in pathlib.Path(path).read_text().splitlines()
             if x and not x.startswith("-")]
    # The first line of a key says of which kind it is, which is no secret.
    for line in lines[1:-1]:
        found.append(("key PEM", line.encode()))
    if len(found) < 7:
        raise AssertionError(f"no secret numbers in {path}")
    return found


def of_password(user, password):
    """As it is, and as SASL has it in PLAIN and LOGIN."""
    plain = base64.b64encode(f"\0{user}\0{password}".encode())
    login = base64.b64encode(password.encode()).rstrip(b"=")
    return [("password", password.encode()), ("password as PLAIN", plain),
            ("password as LOGIN", login)]


def planted(needles):
    """A process that has them all; it ends when its standard input does."""
    code = "import sys; kept = bytes.fromhex(sys.stdin.readline()); " \
        "print('ready', flush=True); sys.stdin.read()"
    p = subprocess.Popen([sys.executable, "-c", code], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"".join(n for _, n in needles).hex() + "\n")
    p.stdin.flush()
    p.stdout.readline()
    return p
