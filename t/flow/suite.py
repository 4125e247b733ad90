# SPDX-License-Identifier: BSD-2-Clause
"""A private instance of the whole suite, for tests that speak to it.

Each instance has a directory of its own, free ports, and its own queue,
store, accounts and log. Nothing here sleeps for a guessed time: wait_for()
and the log's follow() wait for a condition, with a deadline that only a
failure reaches.

    class MyTest(suite.Case):
        def test_something(self):
            s = self.instance()
            s.start()
            ...

    suite.main()
"""
import atexit
import contextlib
import os
import pathlib
import random
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

import watch
from watch import not_watched  # for the tests

BUILD = pathlib.Path(os.environ.get(
    "POSTERN_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
PRELOAD = BUILD / "t/preload.so"  # for valgrind
DEADLINE = watch.SLOWER * float(os.environ.get("POSTERN_TEST_DEADLINE", "30"))
LONG = "POSTERN_LONG" in os.environ  # as t/fault/run --long asks


def wait_for(condition, what, deadline=DEADLINE):
    """Wait until condition() is true and return what it returned."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:.0f} s in vain for {what}")
        time.sleep(0.005)


# Below those that the kernel gives to clients.
PORTS = random.SystemRandom().sample(range(20000, 32000), 12000)
watching = None  # a watch.Watch, in its modes
claims = []  # sockets whose abstract names say which ports this process has


def running(pid):
    """Has this process not ended yet? One that nobody waited for has."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def claim_port(port):
    """True if nobody has the port; other tests then leave it alone until this
    process ends, whether somebody listens on it or not."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0postern-test-port-{port}")
        with contextlib.closing(socket.socket()) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        return False
    claims.append(claim)
    return True


def free_port():
    while True:
        port = PORTS.pop()
        if claim_port(port):
            return port


def free_base(*offsets):
    """A number so that it plus each of the offsets is a free port."""
    while True:
        base = PORTS.pop() - min(offsets)
        if base + max(offsets) < 32000 and \
                all(claim_port(base + n) for n in offsets):
            return base


class Instance:
    """One instance. Rows and settings may be changed before start()."""

    def __init__(self, name="t"):
        # Short: a socket's path has at most 107 bytes.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"pst-{name}-"))
        os.chmod(self.dir, 0o755)
        self.bin = BUILD / "bin"
        self.libexec = BUILD / "libexec"
        self.conf = self.dir / "etc"
        self.queue = self.dir / "q"
        self.store = self.dir / "mail"
        self.log = self.dir / "log"
        self.conf.mkdir()
        self.settings = {
            "myhostname": "mail.test.example",
            "queue_directory": self.queue,
            "daemon_directory": self.libexec,
            "data_directory": self.dir / "data",
            "virtual_mailbox_base": self.store,
            "maillog_file": self.log,
            "inet_interfaces": "127.0.0.1",
            "queue_minfree": "0",
            "stop_timeout": "5s",
        }
        if watch.ON:
            self.settings.update(watch.WALLS,
                                 daemon_directory=watching.programs)
        self.rows = ["logd unix n - - - 1 logd"]
        self.running = False

    def mail(self):
        """The rows of a mail server, with SMTP on self.port; returns self."""
        self.port = free_port()
        self.rows += [
            f"127.0.0.1:{self.port} inet n - - - - smtpd",
            "submit unix n - - - - smtpd",
            "cleanup unix - - - - - cleanup",
            "qmgr unix n - - - 1 qmgr",
            "mapd unix - - - - - mapd",
            "authd unix n - - - 1 authd",
            "local unix - - - - - local",
            "bounce unix - - - - - bounce",
            "keyd unix - - - - 1 keyd",
        ]
        self.settings.update({
            "recipient_delimiter": "+",
            "auth_failure_delay": "0",
        })
        return self

    def tls(self, *names, kind="EC"):
        """A certificate for these host names (the instance's own, if none),
        and submission with TLS on self.submission and self.submissions."""
        self.ca = self.ca_file()
        self.certify("server", *(names or [self.settings["myhostname"]]),
                     kind=kind)
        self.settings["smtpd_tls_chain_files"] = self.dir / "server.pem"
        self.submission, self.submissions = free_port(), free_port()
        self.imap, self.imaps, self.pop3, self.pop3s = (
            free_port() for _ in range(4))
        common = "-o smtpd_sasl_auth_enable=yes " \
            "-o smtpd_client_restrictions=permit_sasl_authenticated,reject"
        self.rows += [
            f"127.0.0.1:{self.submission} inet n - - - - smtpd "
            f"-o smtpd_tls_security_level=encrypt {common}",
            f"127.0.0.1:{self.submissions} inet n - - - - smtpd "
            f"-o smtpd_tls_wrappermode=yes {common}",
            f"127.0.0.1:{self.imap} inet n - - - - login",
            f"127.0.0.1:{self.imaps} inet n - - - - login "
            "-o login_tls_wrappermode=yes",
            f"127.0.0.1:{self.pop3} inet n - - - - login "
            "-o login_protocol=pop3",
            f"127.0.0.1:{self.pop3s} inet n - - - - login "
            "-o login_protocol=pop3 -o login_tls_wrappermode=yes",
            "imapd unix - - - - - imapd",
            "pop3d unix - - - - - pop3d",
            "notify unix - - - - 1 notify",
        ]
        return self

    def context(self):
        """What a client needs to trust the instance's certificate."""
        return ssl.create_default_context(cafile=self.ca)

    def connect_tls(self, port, name=None):
        raw = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        return self.context().wrap_socket(
            raw, server_hostname=name or self.settings["myhostname"])

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True,
                       capture_output=True, cwd=self.dir)

    def ca_file(self):
        if not (self.dir / "ca.pem").exists():
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                         "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out",
                         "ca.pem")
        return self.dir / "ca.pem"

    def certify(self, file, *names, kind="EC"):
        """Make <file>.pem with a key and a certificate for the names."""
        self.ca_file()
        new = ["rsa:2048"] if kind == "RSA" else [
            "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.openssl("req", "-x509", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-newkey", *new, "-nodes", "-days", "30", "-subj",
                     f"/CN={names[0]}", "-addext", "subjectAltName=" +
                     ",".join(f"DNS:{n}" for n in names), "-addext",
                     "basicConstraints=critical,CA:FALSE", "-keyout",
                     f"{file}.key", "-out", f"{file}.crt")
        pem = self.dir / f"{file}.pem"
        pem.write_text((self.dir / f"{file}.key").read_text()
                       + (self.dir / f"{file}.crt").read_text())
        os.chmod(pem, 0o600)
        return pem

    def add_users(self, *addresses, tenant="acme", password="secret"):
        """Make the tenant, the domains and the accounts."""
        self.postern("tenant", "add", tenant)
        for domain in sorted({a.split("@")[1] for a in addresses}):
            self.postern("domain", "add", domain, "--tenant", tenant)
        for address in addresses:
            self.postern("user", "add", address, "--password-stdin",
                         input=password + "\n")
        return self

    def maildir(self, address, tenant="acme"):
        user, domain = address.split("@")
        return self.store / tenant / domain / user

    def messages(self, address, tenant="acme"):
        """The paths of a mailbox's messages, by name: those that one cleanup
        or local made, oldest first."""
        base = self.maildir(address, tenant)
        return sorted(p for d in ("new", "cur")
                      for p in (base / d).glob("*") if p.is_file())

    def wait_messages(self, address, count, tenant="acme"):
        def there():
            found = self.messages(address, tenant)
            return found if len(found) >= count else None
        return wait_for(there, f"{count} messages of {address}")

    def smtp(self):
        """A connected smtplib client."""
        return smtplib.SMTP("127.0.0.1", self.port, "client.example",
                            timeout=DEADLINE)

    def queue_files(self, name="*"):
        return [p for q in ("incoming", "active", "deferred", "hold",
                            "corrupt") if name in ("*", q)
                for p in (self.queue / q).iterdir()]

    def write(self):
        """In one piece: a command may read it just now. Whose it is, and who
        may write it, stays."""
        main, new = self.conf / "main.cf", self.conf / "main.cf.new"
        new.write_text("".join(
            f"{k} = {v}\n" for k, v in self.settings.items()))
        if main.is_file():
            st = main.stat()
            os.chown(new, st.st_uid, st.st_gid)
            new.chmod(st.st_mode & 0o7777)
        new.rename(main)
        (self.conf / "master.cf").write_text("\n".join(self.rows) + "\n")

    def own_programs(self):
        """Let daemon_directory be one of our own, with links to the programs,
        so that one can be replaced; its path."""
        programs = self.dir / "libexec"
        programs.mkdir()
        for p in self.libexec.iterdir():
            (programs / p.name).symlink_to(p)
        self.settings["daemon_directory"] = programs
        return programs

    def postern(self, *args, check=True, **kw):
        return subprocess.run(
            [self.bin / "postern", "-c", self.conf, *map(str, args)],
            check=check, text=True, capture_output=True, **kw)

    def start(self, store=True):
        """With `store`, a mail store is made where none is."""
        self.write()
        if store:
            self.store.mkdir(exist_ok=True)
            self.postern("store", "create")
        # Not captured: master keeps standard error for life.
        with open(self.dir / "stderr", "w") as err:
            code = subprocess.run(
                [self.bin / "postern", "-c", self.conf, "start"],
                stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                timeout=DEADLINE).returncode
        if code != 0:
            raise AssertionError(f"start failed with {code}:\n"
                                 + (self.dir / "stderr").read_text()
                                 + self.log_text())
        self.running = True
        self.pid = int((self.queue / "pid/master.pid").read_text())
        return self

    def master_pid(self):
        return self.pid

    def stop(self):
        if not self.running:
            return
        self.running = False
        stopped = False
        try:
            stopped = self.postern("stop", check=False,
                                   timeout=DEADLINE).returncode == 0
        finally:
            if not stopped:
                with contextlib.suppress(ProcessLookupError, OSError):
                    os.kill(self.master_pid(), signal.SIGKILL)

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def log_text(self):
        try:
            return self.log.read_text(errors="surrogateescape")
        except FileNotFoundError:
            return ""

    def wait_log(self, text, count=1, deadline=DEADLINE):
        """Wait until the log has `text` in `count` lines; return them. One
        that goes over a page of the file may be seen before all of it is."""
        def lines():
            whole = self.log_text().rpartition("\n")[0].splitlines()
            found = [x for x in whole if text in x]
            return found if len(found) >= count else None
        return wait_for(lines, f"{text!r} in the log", deadline)

    def processes(self):
        """[(pid, program, service, state)] as postern status says."""
        out = self.postern("status").stdout.splitlines()[1:]
        return [(int(f[0]), f[1], f[2], f[3])
                for f in (line.split() for line in out)]

    def pid_of(self, program):
        for pid, name, _, _ in self.processes():
            if name == program:
                return pid
        return None


class Case:
    """Test methods begin with test_; each gets a fresh object."""

    def __init__(self):
        self.instances = []

    def setup(self):
        pass

    def instance(self, name="t"):
        s = Instance(name)
        self.instances.append(s)
        return s

    def equal(self, a, b, what=""):
        if a != b:
            raise AssertionError(f"{what}: {a!r} is not {b!r}")

    def true(self, a, what=""):
        if not a:
            raise AssertionError(what or "not true")

    def contains(self, text, part):
        if part not in text:
            raise AssertionError(f"{part!r} is not in {text!r}")


def reports(case):
    """What was found in the memory of the programs, which have ended."""
    found = [watch.reported_on(s.dir / "stderr") for s in case.instances]
    if watching is not None:
        found.append(watching.take())
    return "\n".join(f for f in found if f)


def run_one(cls, name):
    """"ok", "FAILED" or, with its reason, "skipped"."""
    case = cls()
    try:
        outcome = attempt(case, name)
        found = reports(case)
        if found:
            print(found)
            outcome = "FAILED"
        return outcome
    finally:
        for s in case.instances:
            s.remove()


def attempt(case, name):
    try:
        try:
            case.setup()
            getattr(case, name)()
        finally:
            for s in case.instances:
                s.stop()
        return "ok"
    except watch.Skip as e:
        return f"skipped ({e})"
    except Exception:
        traceback.print_exc(file=sys.stdout)
        for s in case.instances:
            err = s.dir / "stderr"
            print("--- log ---\n" + s.log_text()[-4000:])
            print("--- stderr ---\n"
                  + (err.read_text()[-2000:] if err.exists() else ""))
        return "FAILED"


def become_user(uid):
    """Go on as an ordinary user, as `quickstart` without root does. The
    programs are copied to where that user can run them."""
    global BUILD
    home = pathlib.Path(tempfile.mkdtemp(prefix="pst-user-"))
    for part in ("bin", "libexec"):
        shutil.copytree(BUILD / part, home / part, symlinks=True)
    os.chmod(home, 0o755)
    os.chown(home, uid, uid)
    for path in [home / "bin", home / "libexec"]:
        os.chown(path, uid, uid)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    BUILD = home
    os.chdir("/")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def main():
    """Run the tests of the calling file; arguments choose some by name."""
    module = sys.modules["__main__"]
    wanted = sys.argv[1:]
    if "POSTERN_TEST_UID" in os.environ and os.geteuid() == 0:
        become_user(int(os.environ["POSTERN_TEST_UID"]))
    global watching
    why = watch.refuse(BUILD / "libexec") if watch.ON else None
    if why:
        print(f"skipped all: {why}")
        sys.exit(0)
    if watch.ON:
        watching = watch.Watch(BUILD / "libexec", PRELOAD)
    passed = failed = skipped = 0
    for cls in list(vars(module).values()):
        if not (isinstance(cls, type) and issubclass(cls, Case)):
            continue
        for name in [n for n in dir(cls) if n.startswith("test_")]:
            if wanted and not any(w in name for w in wanted):
                continue
            begin = time.monotonic()
            outcome = run_one(cls, name)
            print(f"{outcome} {name} ({time.monotonic() - begin:.2f} s)",
                  flush=True)
            passed += outcome == "ok"
            failed += outcome == "FAILED"
            skipped += outcome.startswith("skipped")
    print(f"{passed} passed, {failed} failed"
          + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed or not passed + skipped else 0)
