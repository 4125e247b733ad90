# SPDX-License-Identifier: BSD-2-Clause
"""Run a command on a kernel that lacks some system calls (x86-64 and arm64):
a seccomp filter answers them with ENOSYS."""
import ctypes
import errno
import os
import platform
import struct
import sys

X86 = platform.machine() == "x86_64"
NUMBERS = {"landlock": [444], "seccomp": [317 if X86 else 277],
           "mount": [430], "unshare": [272 if X86 else 97],
           "prctl": [157 if X86 else 167]}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7fff0000, 0x00050000 | errno.ENOSYS


def program(lacks):
    """Calls in `lacks` fail, prctl(PR_SET_SECCOMP) among "seccomp"."""
    code = [(LOAD, 0, 0, 0)]
    for number in (n for name in lacks for n in NUMBERS[name]):
        code += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, FAIL)]
    if "seccomp" in lacks:
        code += [(JUMP_EQUAL, 0, 3, NUMBERS["prctl"][0]),
                 (LOAD, 0, 0, 16),  # the first argument
                 (JUMP_EQUAL, 0, 1, PR_SET_SECCOMP), (RETURN, 0, 0, FAIL)]
    return code + [(RETURN, 0, 0, ALLOW)]


def enter(lacks):
    code = program(lacks)
    text = b"".join(struct.pack("HBBI", *row) for row in code)
    kept = ctypes.create_string_buffer(text, len(text))
    head = struct.pack("HxxxxxxP", len(code), ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.c_char_p(head), 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "no seccomp filter")


if __name__ == "__main__":
    enter(sys.argv[1].split(","))
    os.execv(sys.argv[2], sys.argv[2:])
