# SPDX-License-Identifier: BSD-2-Clause
"""The suite's programs with somebody looking at their memory.

Two modes, each by a variable of the environment:

    POSTERN_TEST_LEAKS=1         every program of the asan preset looks for
                                 leaks when it ends
    POSTERN_TEST_VALGRIND=all    the single-session daemons (or those named)
                                 run under valgrind, memcheck with leaks

Both must open files below /proc and trace themselves, which no jail allows:
these runs, and no others, are without the walls root, landlock and seccomp,
and each program says so in its log. daemon_directory is one of our own, where
a script of each program's name starts the real one. Every report fails the
test in which it was written. Without these variables, a report of the asan
preset's on standard error fails the test as well.
"""
import atexit
import os
import pathlib
import shlex
import shutil
import tempfile

SINGLE_SESSION = "smtpd imapd pop3d local smtp cleanup bounce"
LEAKS = os.environ.get("POSTERN_TEST_LEAKS", "") not in ("", "0")
VALGRIND = os.environ.get("POSTERN_TEST_VALGRIND", "").replace(
    "all", SINGLE_SESSION).split()
ON = LEAKS or bool(VALGRIND)
SLOWER = 5 if VALGRIND else 2 if LEAKS else 1

WALLS = {
    "sandbox_walls": "network uid",
    "sandbox_required": "no",
    "stop_timeout": "20s",
}
SIGNS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error: ",
         "LeakSanitizer has encountered a fatal error",
         "Sanitizer CHECK failed")
SANITIZER = "detect_leaks=1:log_path="
# Not what is "possibly" lost: that is all that glibc's trees hold, whose
# pointers have a colour in their lowest bit.
MEMCHECK = ["valgrind", "--quiet", "--leak-check=full", "--vgdb=no",
            "--show-leak-kinds=definite", "--num-callers=20"]


class Skip(Exception):
    """Raised by a test that cannot work in one of these modes, and why."""


def not_watched(why):
    """For a test: skip it here, because of `why`."""
    def decorate(test):
        def skip(self):
            raise Skip(why)
        return skip if ON else test
    return decorate


def is_sanitized(libexec):
    """Are the programs there those of the asan preset?"""
    return b"__asan_init" in (libexec / "smtpd").read_bytes()


def refuse(libexec):
    """Why the programs there cannot be run in the modes asked for, or None."""
    if VALGRIND and is_sanitized(libexec):
        return "valgrind cannot run programs of the asan preset"
    if LEAKS and not is_sanitized(libexec):
        return "only programs of the asan preset look for leaks"
    return None


class Watch:
    """The directory of wrappers and that of reports; one of a process."""

    def __init__(self, libexec, preload):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pst-watch-"))
        os.chmod(self.dir, 0o755)
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        self.programs = self.dir / "libexec"
        self.preload = preload
        self.reports = self.dir / "reports"
        self.programs.mkdir()
        self.reports.mkdir()
        os.chmod(self.reports, 0o777)  # each program has a uid of its own
        for program in sorted(p for p in libexec.iterdir() if p.is_file()):
            self.wrap(program)
        if LEAKS:
            os.environ["ASAN_OPTIONS"] = f"{SANITIZER}{self.reports}/command"

    def wrap(self, program):
        wrapper = self.programs / program.name
        if LEAKS:
            command = ["env", f"ASAN_OPTIONS={SANITIZER}{self.reports}/"
                       + program.name, str(program)]
        elif program.name in VALGRIND:
            command = ["env", f"LD_PRELOAD={self.preload}",
                       *MEMCHECK, f"--log-file={self.reports}/{program.name}"
                       ".%p", str(program)]
        else:
            wrapper.symlink_to(program)
            return
        wrapper.write_text("#!/bin/sh\nPATH=/usr/bin:/bin\nexec "
                           + shlex.join(command) + ' "$@"\n')
        wrapper.chmod(0o755)

    def take(self):
        """The reports since it was last asked, as one text."""
        texts = []
        for path in sorted(self.reports.iterdir()):
            text = path.read_text(errors="replace")
            # Of one that was killed while it looked, some other words.
            if text.strip() and (not LEAKS or says_so(text)):
                texts.append(f"--- {path.name} ---\n{text}")
            path.unlink()
        return "\n".join(texts)


def says_so(text):
    return any(sign in text for sign in SIGNS)


def reported_on(path):
    """What a sanitizer said in this file; "" if nothing."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return text if says_so(text) else ""
