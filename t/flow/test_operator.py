# SPDX-License-Identifier: BSD-2-Clause
"""What an operator asks: the life of a message, the walls of the programs."""
import json
import os
import re
import socket

import suite


class Operator(suite.Case):
    def test_trace_follows_a_message_and_its_notification(self):
        s = self.instance("op").mail()
        s.settings["maximal_queue_lifetime"] = "0"
        s.start().add_users("ann@one.example")
        with s.smtp() as c:  # no service delivers to other sites
            c.sendmail("ann@one.example", ["bob@far.example"],
                       "Subject: x\r\n\r\nx")
        line = s.wait_log("non-delivery notification: ")[0]
        queue_id = re.search(r": ([0-9A-F]{16}): ", line)[1]
        child = line.split()[-1]
        s.wait_log(f"{child}: removed")
        s.wait_log(f"{queue_id}: removed")
        text = s.postern("trace", queue_id).stdout
        for part in (f"{queue_id}: client=", f"{queue_id}: removed",
                     f"{child}: from=<>", f"{child}: removed"):
            self.contains(text, part)
        self.equal(s.postern("trace", "0" * 16, check=False).returncode, 1)
        self.equal(s.postern("trace", "x", check=False).returncode, 64)

    def test_lists_as_json(self):
        s = self.instance("op").mail().start().add_users("ann@one.example")
        quoted = '"a\\"b"@two.example'
        s.postern("alias", "add", "all@one.example", "ann@one.example", quoted)
        alias, = self.objects(s, "alias", "list")
        self.equal((alias["name"], alias["tenant"], alias["targets"]),
                   ("all@one.example", "acme", ["ann@one.example", quoted]))
        user, = self.objects(s, "user", "list")
        self.equal((user["name"], user["enabled"], user["targets"]),
                   ("ann@one.example", True, []))
        found = {p["program"]: p for p in self.objects(s, "status")}
        self.equal(found["qmgr"]["service"], "qmgr")
        self.equal(found["qmgr"]["state"], "running")
        self.true(os.path.exists(f"/proc/{found['qmgr']['pid']}"))

    def objects(self, s, *args):
        return [json.loads(line) for line in
                s.postern("--json", *args).stdout.splitlines()]

    def test_a_mailbox_outlives_its_account(self):
        """And whoever has its name next is no surprise to the operator."""
        ann, secret = "ann@one.example", {"input": "secret\n"}
        s = self.instance("op").mail().start()
        add = ("user", "add", "Ann@One.example", "--password-stdin")
        s.postern("tenant", "add", "acme")
        s.postern("domain", "add", "one.example", "--tenant", "acme")
        self.equal(s.postern(*add, **secret).stderr, "")
        with s.smtp() as c:
            c.sendmail("x@y.example", [ann], "Subject: hi\r\n\r\nhi\r\n")
        box = s.wait_messages(ann, 1)[0].parents[1]
        self.equal(s.postern("user", "del", ann).stderr,
                   f"postern: note: its mail stays in {box}\n")
        self.equal(s.postern(*add, **secret).stderr,
                   "postern: note: mail of an earlier account of this name is "
                   f"this one's now: {box}\n")
        s.stop()
        said = s.postern("user", "del", ann, check=False)
        self.equal((said.returncode, said.stderr.count("\n")), (69, 1),
                   said.stderr)

    def test_changes_that_cannot_be_made(self):
        """Each says which name it is about, and what is to be done."""
        s = self.instance("op").mail().start().add_users("ann@one.example")
        for words, code, said in (
                ("tenant add acme", 65, "the tenant acme is there already"),
                ("domain add one.example --tenant acme", 65,
                 "the domain one.example is there already"),
                ("domain add two.example --tenant b", 65,
                 "there is no tenant b; add it first"),
                ("domain add two.example", 65,
                 "a domain needs a tenant: --tenant NAME"),
                ("user add ann@one.example --generate", 65,
                 "the account ann@one.example is there already"),
                ("user add ann@two.example --generate", 65,
                 "there is no domain two.example; add it first"),
                ("user set bob@one.example --quota 1M", 65,
                 "there is no account bob@one.example"),
                ("user del bob@one.example", 65,
                 "there is no account bob@one.example"),
                ("user add bob@one.example eve@one.example", 64,
                 "add takes one name, and not also eve@one.example"),
                ("alias add all@two.example ann@one.example", 65,
                 "there is no domain two.example; add it first"),
                ("alias add all@one.example", 65,
                 "an alias needs an address to go to"),
                ("alias set all@one.example ann@one.example", 65,
                 "there is no alias all@one.example"),
                ("domain del one.example", 65, "the domain one.example still "
                 "has accounts or aliases; delete them first"),
                ("tenant del acme", 65, "the tenant acme still has domains; "
                 "delete them first")):
            done = s.postern(*words.split(), check=False)
            self.equal((done.returncode, done.stdout, done.stderr),
                       (code, "", f"postern: fatal: {said}\n"), words)
        self.equal(s.postern("user", "list").stdout.count("\n"), 1)

    def test_a_uid_that_is_taken(self):
        """Not by a tenant of that name: tenant_uid_base went down."""
        s = self.instance("op").mail().start()
        for name in ("a", "b"):
            s.postern("tenant", "add", name)
        base = min(int(uid) for uid in re.findall(
            r"uid=(\d+)", s.postern("tenant", "list").stdout))
        s.stop()
        s.settings["tenant_uid_base"] = base - 2
        s.start()
        said = s.postern("tenant", "add", "c", check=False)
        self.equal(said.returncode, 65)
        self.contains(said.stderr, "cannot change the accounts: ")
        self.contains(said.stderr, "tenants.uid")

    def test_a_disabled_account(self):
        """Gets nothing, and nobody gets in; what else a list has, goes."""
        ann, bob = "ann@one.example", "bob@one.example"
        s = self.instance("op").mail().start().add_users(ann, bob)
        s.postern("alias", "add", "all@one.example", ann, bob)
        s.postern("user", "set", ann, "--enabled", "no")
        with s.smtp() as c:
            c.ehlo("x")
            c.mail("x@y.example")
            code, text = c.rcpt(ann)
            self.equal((code, text), (550, b"5.2.1 <ann@one.example>: Recipient"
                                      b" address rejected: mailbox disabled"))
            self.equal(c.rcpt("all@one.example")[0], 250)
            self.equal(c.data("Subject: to all\r\n\r\nhi\r\n")[0], 250)
        s.wait_messages(bob, 1)
        s.wait_log("to=<ann@one.example>, relay=none, delay=0, "
                   "delays=0/0/0/0, dsn=5.2.1, status=bounced")
        s.postern("user", "set", ann, "--enabled", "yes")
        with s.smtp() as c:
            c.sendmail("x@y.example", [ann], "Subject: again\r\n\r\nhi\r\n")
        s.wait_messages(ann, 1)

    @suite.not_watched("it shows walls that are not there")
    def test_hardening_shows_the_walls(self):
        s = self.instance("op").mail().tls().start()
        s.add_users("ann@one.example")
        done = s.postern("hardening", check=False)
        self.equal(done.returncode, 0, done.stdout + done.stderr)
        rows = [line.split() for line in done.stdout.splitlines()[1:]
                if re.match(r"\w+ +\S+ +\d+ +\d+ ", line)]
        self.true(len(rows) > 10, done.stdout)
        for program, _, _, uid, caps, nnp, seccomp, landlock, net, \
                root in rows:
            if program == "master":
                continue
            self.equal((caps, nnp, seccomp, landlock),
                       ("none", "yes", "yes", "yes"), program)
            if os.geteuid() == 0:
                self.true(uid != "0", program)
                self.equal((net, root), ("empty", "host" if program == "mapd"
                                         else "own"), program)
        self.contains(done.stdout, " 0 without a wall they should have; "
                      "0 set-id programs")
        if os.geteuid() == 0:
            self.contains(done.stdout, " 1 of them root;")

    @suite.not_watched("it shows walls that are not there")
    def test_hardening_does_not_blame_who_only_starts(self):
        s = self.instance("op").mail()
        programs = s.own_programs()
        s.settings["stop_timeout"] = "1s"
        s.start()
        (programs / "smtpd").unlink()
        (programs / "smtpd").write_text("#!/bin/sh\nexec sleep 1000\n")
        (programs / "smtpd").chmod(0o755)
        with socket.create_connection(("127.0.0.1", s.port)):
            suite.wait_for(lambda: ("smtpd", "starting") in
                           {(p[1], p[3]) for p in s.processes()},
                           "an smtpd that starts")
            done = s.postern("hardening", check=False)
        self.equal(done.returncode, 0, done.stdout + done.stderr)
        self.true(re.search(r"^1 of them only start,", done.stdout, re.M),
                  done.stdout)


suite.main()
