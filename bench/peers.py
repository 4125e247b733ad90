# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are measured: each a private instance, on a file system of
its own in memory, on loopback, stopped and removed at the end."""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "t/flow"))
import suite  # noqa: E402

USER = "ann@one.example"
TICKS = os.sysconf("SC_CLK_TCK")
MAIL_UID = 5000  # of the peers' mailboxes


class Disk:
    """An ext4 on a loop device whose file is in memory."""

    def __init__(self, where, megabytes, inodes):
        fd, self.image = tempfile.mkstemp(prefix="bench-", dir="/dev/shm")
        os.truncate(fd, megabytes << 20)
        os.close(fd)
        self.path = pathlib.Path(where)
        self.path.mkdir()
        subprocess.run(["mkfs.ext4", "-q", "-F", "-N", str(inodes),
                        self.image], check=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.path],
                       check=True)
        os.chmod(self.path, 0o755)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=False)
        os.unlink(self.image)


def tree(pid):
    """The process and all its living descendants."""
    found = [pid]
    for p in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{task}/children") as f:
                    found += map(int, f.read().split())
    return found


class Server:
    """What all have: a disk, a process, and how to look at both."""

    def __init__(self, megabytes=1024, inodes=65536):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        os.chmod(self.dir, 0o755)
        self.disk = Disk(self.dir / "disk", megabytes, inodes)
        self.password = "secret"
        self.pid = None

    def cpu(self):
        """Seconds that it has used, with those of children that ended."""
        total = 0
        for pid in tree(self.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/stat") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
                total += sum(map(int, fields[11:15]))
        return total / TICKS

    def pss(self):
        """KiB of memory, what is shared being shared out."""
        total = 0
        for pid in tree(self.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    total += sum(int(x.split()[1]) for x in f
                                 if x.startswith("Pss:"))
        return total

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.disk.remove()
            shutil.rmtree(self.dir, ignore_errors=True)

    def wait_pid(self, file):
        """Wait until the daemon has written its process id."""
        def there():
            with contextlib.suppress(OSError, ValueError):
                return int(file.read_text())
        self.pid = suite.wait_for(there, file)

    def wait_gone(self):
        suite.wait_for(lambda: not os.path.exists(f"/proc/{self.pid}"),
                       f"{self.name} to end")


class Postern(Server):
    name = "Postern"
    suite = None

    def __init__(self, *size, **settings):
        super().__init__(*size)
        self.settings = settings

    def start(self):
        s = self.suite = suite.Instance("bench").mail().tls()
        s.queue, s.store = self.disk.path / "q", self.disk.path / "mail"
        s.settings.update({"queue_directory": s.queue,
                           "virtual_mailbox_base": s.store,
                           **self.settings})
        s.start().add_users(USER)
        self.pid = s.pid
        self.port, self.imaps = s.port, s.imaps
        self.maildir = s.maildir(USER)
        with s.smtp() as c:  # master makes the tenant's directory for it
            c.sendmail("out@other.example", [USER], "Subject: first\r\n")
        s.wait_messages(USER, 1)[0].unlink()

    def context(self):
        return self.suite.context()

    def own(self, path):
        """Give what is below `path` to whom the mailbox is of."""
        st = (self.suite.store / "acme").stat()
        subprocess.run(["chown", "-R", f"{st.st_uid}:{st.st_gid}", path],
                       check=True)

    def stop(self):
        if self.suite is not None:
            self.suite.remove()


class Peer(Server):
    """A peer from Debian, with a certificate of the suite's making."""

    def __init__(self, *args):
        super().__init__(*args)
        self.conf = self.dir / "etc"
        self.conf.mkdir()
        self.mail = self.disk.path / "mail"
        self.maildir = self.mail / "one.example/ann"
        self.maildir.parent.mkdir(parents=True)
        self.own(self.mail)

    def own(self, path):
        subprocess.run(["chown", "-R", f"{MAIL_UID}:{MAIL_UID}", path],
                       check=True)

    def context(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


class Postfix(Peer):
    name = "Postfix"

    def start(self):
        self.port = suite.free_port()
        self.queue, data = self.disk.path / "q", self.disk.path / "data"
        self.queue.mkdir()
        data.mkdir()
        owner = pwd.getpwnam("postfix")
        os.chown(data, owner.pw_uid, owner.pw_gid)
        (self.conf / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {self.queue}
data_directory = {data}
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.test.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {self.dir}/log
maillog_file_prefixes = {self.dir}
virtual_mailbox_domains = one.example
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = static:one.example/ann/
virtual_uid_maps = static:{MAIL_UID}
virtual_gid_maps = static:{MAIL_UID}
smtpd_recipient_restrictions = permit_mynetworks, reject
""")
        self.write_master()
        subprocess.run(["postfix", "-c", self.conf, "start"], check=True,
                       capture_output=True)
        self.wait_pid(self.queue / "pid/master.pid")

    def write_master(self):
        """Debian's, without chroot and with our port and log."""
        rows = []
        for row in open("/usr/share/postfix/master.cf.dist"):
            field = row.split()
            if len(field) < 8 or row[0] in "# ":
                continue
            if field[:2] == ["smtp", "inet"]:
                field[0] = f"127.0.0.1:{self.port}"
            field[4] = "n"
            rows.append(" ".join(field))
        if not any(r.startswith("postlog ") for r in rows):
            rows.append("postlog unix-dgram n - n - 1 postlogd")
        (self.conf / "master.cf").write_text("\n".join(rows) + "\n")

    def stop(self):
        subprocess.run(["postfix", "-c", self.conf, "stop"], check=False,
                       capture_output=True)
        if self.pid is not None:
            self.wait_gone()


class Dovecot(Peer):
    name = "Dovecot"

    def start(self):
        self.imaps = suite.free_port()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=mail.test.example", "-keyout", self.dir / "key.pem", "-out",
             self.dir / "cert.pem"], check=True, capture_output=True)
        conf = self.conf / "dovecot.conf"
        conf.write_text(f"""
base_dir = {self.dir}/run
state_dir = {self.dir}/state
log_path = {self.dir}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{self.dir}/cert.pem
ssl_key = <{self.dir}/key.pem
mail_location = maildir:{self.mail}/%d/%n
mail_max_userip_connections = 1000
first_valid_uid = 1000
passdb {{
  driver = static
  args = password={self.password}
}}
userdb {{
  driver = static
  args = uid={MAIL_UID} gid={MAIL_UID} home={self.mail}/%d/%n
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {self.imaps}
  }}
}}
""")
        # Not captured: the daemon keeps what it is given.
        subprocess.run(["dovecot", "-c", conf], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_pid(self.dir / "run/master.pid")

    def stop(self):
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            self.wait_gone()


class Imap:
    """An IMAP client that does nothing but send commands and wait."""

    def __init__(self, server):
        raw = socket.create_connection(("127.0.0.1", server.imaps))
        self.s = server.context().wrap_socket(
            raw, server_hostname="mail.test.example")
        self.tag = 0
        self.s.recv(65536)
        self.command(f"LOGIN {USER} {server.password}")
        self.command("NOOP")  # the session's program has started

    def command(self, text):
        """Seconds until it was answered with OK."""
        self.tag += 1
        tag = b"a%d " % self.tag
        begin = time.perf_counter()
        self.s.sendall(tag + text.encode() + b"\r\n")
        end = b""
        while True:
            data = self.s.recv(1 << 20)
            end = (end + data)[-1000:]
            if not data:
                raise AssertionError(f"{text}: the server closed: {end}")
            if end.endswith(b"\r\n") and \
                    end[:-2].rsplit(b"\r\n", 1)[-1].startswith(tag):
                break
        took = time.perf_counter() - begin
        if tag + b"OK" not in end:
            raise AssertionError(f"{text}: {end}")
        return took

    def idle(self):
        self.s.sendall(b"i IDLE\r\n")
        while not self.s.recv(65536).startswith(b"+"):
            pass

    def close(self):
        self.s.close()
