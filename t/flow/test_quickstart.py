# SPDX-License-Identifier: BSD-2-Clause
"""The first command of the README, but for packages and build."""
import os
import pathlib
import socket
import subprocess
import sys

import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTS = 25, 110, 143, 465, 587, 993, 995


class Quickstart(suite.Case):
    def run_it(self, directory, base):
        return subprocess.run(
            [sys.executable, "-B", ROOT / "tools/quickstart.py"], text=True,
            capture_output=True, timeout=120,
            env={**os.environ, "POSTERN_RUN": str(directory),
                 "POSTERN_BUILD": str(suite.BUILD),
                 "POSTERN_PORT_BASE": str(base)})

    def test_twice(self):
        s = self.instance("qs")
        directory = s.dir / "run"
        base = suite.free_base(*PORTS)
        try:
            for n in (1, 2):
                done = self.run_it(directory, base)
                self.equal(done.returncode, 0, done.stdout + done.stderr)
                for part in ("the certificate is good", "status=sent",
                             f"* {n} EXISTS", "Hello Bob!", "+OK Logging out",
                             "Settings for a mail client"):
                    self.contains(done.stdout, part)
            passwords = (directory / "passwords").read_text().split()
            for password in passwords[1::2]:
                self.true(password not in done.stdout, "a password is shown")
            self.equal((directory / "passwords").stat().st_mode & 0o777,
                       0o600)
        finally:
            subprocess.run([suite.BUILD / "bin/postern", "-c",
                            directory / "etc", "stop"], capture_output=True)

    def test_a_port_that_is_taken(self):
        s = self.instance("qs")
        base = suite.free_base(*PORTS)
        with socket.create_server(("127.0.0.1", base + 25)):
            done = self.run_it(s.dir / "run", base)
        self.equal(done.returncode, 1, done.stdout)
        self.contains(done.stderr, 'quickstart: step "start" failed: port '
                      f"{base + 25}, for smtp: Address already in use")
        self.contains(done.stderr, "POSTERN_PORT_BASE=")


suite.main()
