# SPDX-License-Identifier: BSD-2-Clause
"""The second half of ./quickstart: an instance in ./run, and a first message
through it, with the whole dialogue shown.

What is there already stays: certificates, accounts, passwords, mail.
"""
import base64
import os
import pathlib
import re
import secrets
import socket
import ssl
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
RUN = pathlib.Path(os.environ.get("POSTERN_RUN", ROOT / "run"))
BUILD = pathlib.Path(os.environ.get("POSTERN_BUILD", ROOT / "build"))
BIN = BUILD / "bin"
HOST = "localhost"
TENANT, DOMAIN = "demo", "example.test"
USERS = [f"ann@{DOMAIN}", f"bob@{DOMAIN}"]
BASE = int(os.environ.get("POSTERN_PORT_BASE", "20000"))
SERVICES = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143,
            "imaps": 993, "pop3": 110, "pop3s": 995}
PORTS = {name: BASE + port for name, port in SERVICES.items()}
WAIT = 20  # seconds, for anything that should take milliseconds


class Failure(Exception):
    """What went wrong and what to do about it."""


def command(*args, data=None, check=True):
    done = subprocess.run([str(a) for a in args], input=data, text=True,
                          capture_output=True, cwd=RUN)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(map(str, args))}\n{done.stderr.strip()}")
    return done


def postern(*args, **kw):
    return command(BIN / "postern", "-c", RUN / "etc", *args, **kw)


# --- the instance ---

def make_certificate():
    """A CA of its own, and a certificate for localhost."""
    tls = RUN / "tls"
    tls.mkdir(exist_ok=True)
    if (tls / "server.pem").exists():
        return
    command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj",
            "/CN=Postern quickstart CA", "-keyout", tls / "ca.key", "-out",
            tls / "ca.pem")
    command("openssl", "req", "-x509", "-CA", tls / "ca.pem", "-CAkey",
            tls / "ca.key", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "825", "-subj",
            f"/CN={HOST}", "-addext",
            f"subjectAltName=DNS:{HOST},IP:127.0.0.1", "-addext",
            "basicConstraints=critical,CA:FALSE", "-keyout",
            tls / "server.key", "-out", tls / "server.crt")
    pem = (tls / "server.key").read_text() + (tls / "server.crt").read_text()
    fd = os.open(tls / "server.pem", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(fd, "w") as f:
        f.write(pem)
    os.chmod(tls / "server.key", 0o600)
    os.chmod(tls / "ca.key", 0o600)


def make_configuration():
    etc = RUN / "etc"
    etc.mkdir(exist_ok=True)
    if not (etc / "main.cf").exists():
        (etc / "main.cf").write_text(
            "# Made by ./quickstart; main.cf(5) tells of every parameter.\n"
            f"myhostname = {HOST}\n"
            f"mydomain = {DOMAIN}\n"
            f"queue_directory = {RUN}/queue\n"
            f"daemon_directory = {BUILD}/libexec\n"
            f"command_directory = {BUILD}/bin\n"
            f"data_directory = {RUN}/data\n"
            f"virtual_mailbox_base = {RUN}/mail\n"
            f"maillog_file = {RUN}/log\n"
            f"smtpd_tls_chain_files = {RUN}/tls/server.pem\n"
            "inet_interfaces = 127.0.0.1\n"
            "recipient_delimiter = +\n")
    sample = (ROOT / "etc/master.cf").read_text()
    for name, port in PORTS.items():
        sample = re.sub(rf"^{name}( +)inet", rf"127.0.0.1:{port}\1inet",
                        sample, flags=re.M)
    (etc / "master.cf").write_text(sample)


def check_ports():
    for name, port in PORTS.items():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError as e:
                raise Failure(
                    f"port {port}, for {name}: {e.strerror}. Choose others:\n"
                    f"    POSTERN_PORT_BASE={BASE + 10000} ./quickstart\n"
                    "(and remove run/etc/master.cf if it is there)") from None


def is_running():
    return postern("status", check=False).returncode == 0


def start():
    if is_running():
        print("   it runs already")
        return
    check_ports()
    if not (RUN / "mail/.postern-store").exists():
        postern("store", "create")
    with open(RUN / "start.log", "w") as out:
        code = subprocess.run([BIN / "postern", "-c", RUN / "etc", "start"],
                              stdin=subprocess.DEVNULL, stdout=out,
                              stderr=out).returncode
    if code != 0:
        raise Failure((RUN / "start.log").read_text().strip()
                      + f"\nthe log is {RUN}/log")


def make_accounts():
    """{address: password}; passwords are made once and kept for the owner."""
    path = RUN / "passwords"
    known = dict(line.split() for line in path.read_text().splitlines()) \
        if path.exists() else {}
    if TENANT not in postern("tenant", "list").stdout.split():
        postern("tenant", "add", TENANT)
    if DOMAIN not in postern("domain", "list").stdout.split():
        postern("domain", "add", DOMAIN, "--tenant", TENANT)
    there = postern("user", "list").stdout.split()
    for user in USERS:
        if user in there and user in known:
            continue
        known[user] = secrets.token_urlsafe(12)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write("".join(f"{u} {p}\n" for u, p in known.items()))
        postern("user", "passwd" if user in there else "add", user,
                "--password-stdin", data=known[user] + "\n")
    return known


# --- a dialogue ---

class Talk:
    """A connection that prints what is said, but for passwords."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
        self.file = self.sock.makefile("rb")

    def read(self):
        raw = self.file.readline()
        if not raw:
            raise Failure("the server ended the connection")
        line = raw.decode(errors="replace").rstrip("\r\n")
        print(f"   S: {line}" if len(line) < 100 else f"   S: {line[:97]}...")
        return line

    def say(self, text, shown=None):
        print(f"   C: {shown or text}")
        self.sock.sendall(text.encode() + b"\r\n")

    def ask(self, text, good, shown=None):
        """Say it and read lines up to one that begins with `good`."""
        self.say(text, shown)
        return self.until(good)

    def until(self, good):
        bad = ("4", "5") if good[0].isdigit() else (
            "-ERR",) if good[0] == "+" else (good[0] + " NO", good[0] + " BAD")
        while True:
            line = self.read()
            if line.startswith(good):
                return line
            if line.startswith(bad):
                raise Failure(f"the server said: {line}")

    def tls(self):
        context = ssl.create_default_context(cafile=RUN / "tls/ca.pem")
        self.file.close()
        self.sock = context.wrap_socket(self.sock, server_hostname=HOST)
        self.file = self.sock.makefile("rb")
        print(f"   -- {self.sock.version()}, {self.sock.cipher()[0]}; the "
              "certificate is good --")


def send(passwords, mark):
    """By submission, with TLS and a login; the queue id."""
    sender, rcpt = USERS
    c = Talk(PORTS["submission"])
    c.until("220 ")
    c.ask("EHLO quickstart", "250 ")
    c.ask("STARTTLS", "220 ")
    c.tls()
    c.ask("EHLO quickstart", "250 ")
    login = base64.b64encode(
        f"\0{sender}\0{passwords[sender]}".encode()).decode()
    c.ask(f"AUTH PLAIN {login}", "235 ", shown="AUTH PLAIN (ann's password)")
    c.ask(f"MAIL FROM:<{sender}>", "250 ")
    c.ask(f"RCPT TO:<{rcpt}>", "250 ")
    c.ask("DATA", "354 ")
    for line in (f"From: Ann <{sender}>", f"To: Bob <{rcpt}>",
                 f"Subject: quickstart {mark}", "", "Hello Bob!"):
        c.say(line)
    line = c.ask(".", "250 ")
    c.ask("QUIT", "221 ")
    return line.split()[-1]


def wait_delivered(queue_id):
    end = time.monotonic() + WAIT
    while f"{queue_id}: removed" not in (RUN / "log").read_text():
        if time.monotonic() > end:
            raise Failure(f"{queue_id} was not delivered in {WAIT} seconds; "
                          f"see {RUN}/log and: mailq")
        time.sleep(0.02)


def read_by_imap(passwords, mark):
    c = Talk(PORTS["imap"])
    c.until("* OK")
    c.ask("a STARTTLS", "a OK")
    c.tls()
    c.ask(f"b LOGIN {USERS[1]} {passwords[USERS[1]]}", "b OK",
          shown=f"b LOGIN {USERS[1]} (bob's password)")
    c.ask("c SELECT INBOX", "c OK")
    found = c.ask(f'd SEARCH SUBJECT "{mark}"', "* SEARCH")
    c.until("d OK")
    if len(found.split()) != 3:
        raise Failure("the message is not in INBOX")
    c.ask(f"e FETCH {found.split()[2]} (FLAGS BODY.PEEK[TEXT])", "e OK")
    c.ask("f LOGOUT", "f OK")


def read_by_pop3(passwords):
    c = Talk(PORTS["pop3"])
    c.until("+OK")
    c.ask("STLS", "+OK")
    c.tls()
    c.ask(f"USER {USERS[1]}", "+OK")
    c.ask(f"PASS {passwords[USERS[1]]}", "+OK", shown="PASS (bob's password)")
    count = c.ask("STAT", "+OK").split()[1]
    c.ask(f"TOP {count} 5", "+OK")
    c.until(".")
    c.ask("QUIT", "+OK")


SETTINGS = """
Settings for a mail client:
   user       {ann} (or {bob}); passwords are in run/passwords
   sending    {host}, port {submission} with STARTTLS, or {submissions} with TLS
   IMAP       {host}, port {imap} with STARTTLS, or {imaps} with TLS
   POP3       {host}, port {pop3} with STARTTLS, or {pop3s} with TLS
   authority  run/tls/ca.pem

Try next:
   export POSTERN_CONFIG={run}/etc PATH={bin}:$PATH
   postern status
   postern hardening
   mailq
   postern user add carol@{domain} --generate
   postconf -n
Stop it with: ./quickstart stop
"""


def step(name, fn, *args):
    print(f"== {name}")
    try:
        return fn(*args)
    except (Failure, OSError) as e:
        sys.stdout.flush()
        print(f'\nquickstart: step "{name}" failed: {e}', file=sys.stderr)
        sys.exit(1)


def main():
    sys.stdout.reconfigure(line_buffering=True)
    RUN.mkdir(exist_ok=True)
    os.chmod(RUN, 0o755)
    mark = secrets.token_hex(4)
    step("certificate", make_certificate)
    step("configuration", make_configuration)
    step("start", start)
    passwords = step("accounts", make_accounts)
    queue_id = step(f"send, as {USERS[0]}, through the submission port",
                    send, passwords, mark)
    step("delivery", wait_delivered, queue_id)
    print(postern("trace", queue_id).stdout, end="")
    print(command(BIN / "mailq", "-C", RUN / "etc").stdout, end="")
    step(f"read by IMAP, as {USERS[1]}", read_by_imap, passwords, mark)
    step("read by POP3", read_by_pop3, passwords)
    print(SETTINGS.format(ann=USERS[0], bob=USERS[1], host=HOST, run=RUN,
                          bin=BIN, domain=DOMAIN, **PORTS))


main()
