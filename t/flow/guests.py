# SPDX-License-Identifier: BSD-2-Clause
"""Debian's other mail servers beside ours. Their packages exclude each other,
so each is installed into a root file system of its own, laid over this one
and kept in memory, and runs there on loopback. Needs root.

    with guests.Exim({"one.example": port}) as peer:
        socket.create_connection(("127.0.0.1", peer.port))
"""
import contextlib
import fnmatch
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import suite

BOUND = ("/dev", "/proc", "/var/cache/apt/archives")


def can_mount():
    return os.geteuid() == 0 and os.path.exists("/dev/loop-control")


class Guest:
    """A server that relays: mail for a domain of `routes` goes to the port
    that it says, anything else is refused."""
    packages = ()
    queue = ()        # its directories, below /var/spool
    entry = "*"       # the names of one file a message or more in them
    pipelines = True  # takes commands that come before its answers
    patient = True    # after a refusal other mail goes on

    def __init__(self, routes):
        self.routes, self.port = routes, suite.free_port()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pst-guest-"))
        self.root = self.dir / "root"
        self.mounted, self.process, self.log = [], None, None

    def mount(self, where, *options):
        subprocess.run(["mount", *map(str, options), where], check=True)
        self.mounted.append(where)

    def __enter__(self):
        try:
            self.lay()
            self.install()
            self.configure()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def lay(self):
        memory = self.dir / "memory"
        memory.mkdir()
        self.mount(memory, "-t", "tmpfs", "tmpfs")
        upper, work = memory / "upper", memory / "work"
        upper.mkdir()
        work.mkdir()
        self.root.mkdir()
        self.mount(self.root, "-t", "overlay", "overlay", "-o",
                   f"lowerdir=/,upperdir={upper},workdir={work}")
        for path in BOUND:
            self.mount(f"{self.root}{path}", "--bind", path)

    def command(self, *args, **kw):
        return subprocess.run(["chroot", self.root, *args], check=True,
                              capture_output=True, **kw)

    def install(self):
        """No service starts by itself, and no index of manuals is made."""
        self.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        for name in ("usr/bin/mandb", "usr/bin/systemctl"):
            self.write(name, "#!/bin/sh\nexit 0\n", 0o755)
        try:
            self.apt_install()
        except subprocess.CalledProcessError:
            self.command("apt-get", "update", "-qq")  # the lists are too old
            self.apt_install()
        # Nobody answers there, at once.
        self.write("etc/resolv.conf", "nameserver 127.0.0.1\n"
                   "options timeout:1 attempts:1\n")

    def apt_install(self):
        self.command("apt-get", "install", "-y", "-qq",
                     "--no-install-recommends", *self.packages,
                     env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})

    def write(self, path, text, mode=0o644):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # not through a link of this system
        path.write_text(text)
        path.chmod(mode)

    def begin(self, *args):
        self.log = open(self.dir / "log", "w")
        self.process = subprocess.Popen(
            ["chroot", self.root, *args], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, start_new_session=True)

        self.wait_port(self.port)

    def wait_port(self, port):
        def listens():
            if self.process.poll() is not None:
                raise AssertionError("it ended: "
                                     + (self.dir / "log").read_text()[-2000:])
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                return True
        suite.wait_for(listens, f"{self.packages[0]} on port {port}")

    def queued(self):
        """How many files lie in its queue."""
        return sum(len(fnmatch.filter(files, self.entry))
                   for top in self.queue
                   for _, _, files in os.walk(self.root / "var/spool" / top))
    def inside(self):
        """The processes whose root this is, or in it: daemons leave their
        session."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                root = pathlib.Path(os.readlink(f"/proc/{pid}/root"))
                if root.is_relative_to(self.root):
                    yield int(pid)

    def kill(self):
        """End all of it at once, as a power cut does."""
        def ended():
            found = list(self.inside())
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not found
        suite.wait_for(ended, "the end of a guest's processes")
        if self.process is not None:
            self.process.wait()
            self.log.close()

    def __exit__(self, *_):
        with contextlib.suppress(AssertionError):
            self.kill()
        for where in reversed(self.mounted):
            subprocess.run(["umount", "-l", where], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Postfix(Guest):
    packages = ("postfix",)
    queue = ("postfix/incoming", "postfix/active", "postfix/deferred")

    def configure(self):
        routes = ", ".join(f"{domain}=smtp:[127.0.0.1]:{port}"
                           for domain, port in self.routes.items())
        self.write("etc/postfix/main.cf", f"""\
compatibility_level = 3.6
myhostname = postfix.guest.example
mydestination =
mynetworks = 127.0.0.0/8
transport_maps = inline:{{{routes}}}
relay_domains = {" ".join(self.routes)}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtp_destination_concurrency_failed_cohort_limit = 0
default_process_limit = 20
maillog_file = /dev/stdout
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
""")
        rows = (self.root / "etc/postfix/master.cf").read_text().splitlines()
        rows = [r for r in rows if r.split()[:2] != ["smtp", "inet"]]
        rows = [" ".join(f[:4] + ["n"] + f[5:]) if len(
            f := r.split()) > 7 and r[0] not in "# \t" else r for r in rows]
        rows.append(f"127.0.0.1:{self.port} inet n - n - - smtpd")
        self.write("etc/postfix/master.cf", "\n".join(rows) + "\n")

    def start(self):
        self.begin("postfix", "start-fg")


class Exim(Guest):
    packages = ("exim4-daemon-light",)
    queue = ("exim4/input",)
    entry = "*-H"

    def configure(self):
        routers = "".join(f"""
to_{port}:
  driver = manualroute
  domains = {domain}
  transport = to_{port}
  route_list = * 127.0.0.1
  self = send
""" for domain, port in self.routes.items())
        transports = "".join(f"""
to_{port}:
  driver = smtp
  port = {port}
  allow_localhost
  hosts_avoid_tls = *
""" for port in self.routes.values())
        self.write("etc/exim4/exim4.conf", f"""\
primary_hostname = exim.guest.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
acl_smtp_rcpt = everything
acl_smtp_data = everything
host_lookup =
dkim_verify_signers =
rfc1413_query_timeout = 0s
smtp_enforce_sync = false
ignore_bounce_errors_after = 0s
smtp_accept_max = 50
smtp_accept_queue_per_connection = 0
queue_only_load = 1000.0
tls_advertise_hosts =
keep_environment =

begin acl
everything:
  accept

begin routers
{routers}
begin transports
{transports}
begin retry
* * F,1h,1s
""")

    def start(self):
        self.begin("exim4", "-bdf", "-q1s")


class OpenSMTPD(Guest):
    packages = ("opensmtpd",)
    pipelines = patient = False
    queue = ("smtpd/incoming", "smtpd/queue")

    def configure(self):
        actions = "".join(f"""\
action "to_{port}" relay host smtp://127.0.0.1:{port}
match from any for domain "{domain}" action "to_{port}"
""" for domain, port in self.routes.items())
        self.write("etc/mailname", "opensmtpd.guest.example\n")
        self.write("etc/smtpd.conf",
                   f"listen on 127.0.0.1 port {self.port}\n{actions}")

    def start(self):
        self.begin("smtpd", "-d")


ALL = {"postfix": Postfix, "exim": Exim, "opensmtpd": OpenSMTPD}
