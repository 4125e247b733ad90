# SPDX-License-Identifier: BSD-2-Clause
"""Tables: where mail goes by them, and what happens when they are bad."""
import os
import subprocess

import suite

TEXT = "Subject: hello\r\n\r\nhello\r\n"


class Tables(suite.Case):
    def setup(self):
        self.s = self.instance("tb").mail()
        # Beside no secret: mapd may read the whole directory of a table.
        self.maps = self.s.dir / "maps"
        self.maps.mkdir()
        os.chmod(self.maps, 0o755)

    def table(self, kind, name, text):
        """Write a table, make it if its type is made; its full name."""
        path = self.maps / name
        path.write_text(text)
        os.chmod(path, 0o644)
        if kind in ("hash", "btree"):
            tool = "postalias" if name == "aliases" else "postmap"
            subprocess.run([self.s.bin / tool, f"{kind}:{path}"], check=True)
        return f"{kind}:{path}"

    def replace(self, name, text):
        """As editors do it: a new file takes the old one's name."""
        new = self.maps / (name + ".new")
        new.write_text(text)
        os.chmod(new, 0o644)
        new.rename(self.maps / name)

    def start(self, *users, **settings):
        self.s.settings.update(settings)
        self.s.start()
        self.s.add_users(*(users or ("ann@one.example", "bob@one.example")))

    def send(self, *rcpts):
        with self.s.smtp() as c:
            c.sendmail("out@other.example", rcpts, TEXT)

    def rcpt(self, address, sender="out@other.example"):
        """(code, text) of RCPT."""
        with self.s.smtp() as c:
            c.ehlo()
            c.mail(sender)
            code, text = c.rcpt(address)
            return code, text.decode()

    def delivered_to(self, address, count=1):
        paths = self.s.wait_messages(address, count)
        return [x.split(": ", 1)[1] for p in paths
                for x in p.read_text().splitlines()
                if x.startswith("Delivered-To: ")]

    # --- virtual aliases -----------------------------------------------------

    def test_virtual_aliases_of_every_type(self):
        h = self.table("hash", "virtual",
                       "sales@one.example ann@one.example, bob@one.example\n"
                       "@catch.example ann@one.example\n"
                       "catch.example anything\n")
        b = self.table("btree", "more", "b@one.example bob@one.example\n")
        t = self.table("texthash", "text", "t@one.example bob@one.example\n")
        r = self.table("regexp", "re", "/^r[0-9]+@one/ bob@one.example\n")
        p = self.table("pcre", "pc", "/^p-(bob)@one/ $1@one.example\n")
        i = "inline:{ {i@one.example = bob@one.example} }"
        self.start(virtual_alias_maps=f"{h}, {b}, {t} {r} {p} {i}")
        self.send("Sales@one.example")
        self.s.wait_messages("ann@one.example", 1)
        self.s.wait_messages("bob@one.example", 1)
        names = ["b", "t", "r17", "p-bob", "i"]
        self.send(*(f"{n}@one.example" for n in names))
        self.s.wait_messages("bob@one.example", 1 + len(names))
        self.send("whoever@catch.example")
        self.equal(self.delivered_to("ann@one.example", 2),
                   ["ann@one.example"] * 2)
        self.contains(self.s.messages("ann@one.example")[1].read_text(),
                      "X-Original-To: whoever@catch.example\n")

    def test_an_alias_domain_has_only_aliases(self):
        t = self.table("texthash", "virtual",
                       "list.example x\nann@list.example ann@one.example\n")
        self.start(virtual_alias_maps=t, mynetworks="192.0.2.0/24")
        self.equal(self.rcpt("ann@list.example")[0], 250)
        code, text = self.rcpt("bob@list.example")
        self.equal(code, 550)
        self.contains(text, "5.1.1 <bob@list.example>: Recipient address "
                      "rejected: User unknown in virtual alias table")
        self.equal(self.rcpt("bob@else.example")[0], 554)

    def test_an_alias_may_name_itself(self):
        t = self.table("texthash", "virtual",
                       "ann@one.example ann@one.example, bob@one.example\n"
                       "bob@one.example ann@one.example\n")
        self.start(virtual_alias_maps=t)
        self.send("ann@one.example")
        self.s.wait_messages("ann@one.example", 1)
        self.s.wait_log("removed")
        self.equal(len(self.s.messages("bob@one.example")), 0)

    def test_aliases_that_lead_to_nobody_are_refused(self):
        self.start()
        for a, b in ("xy", "yx"):
            self.s.postern("alias", "add", f"{a}@one.example",
                           f"{b}@one.example")
        code, text = self.rcpt("x@one.example")
        self.equal(code, 550)
        self.contains(text, "its aliases lead to nobody")

    def test_extensions(self):
        t = self.table("texthash", "virtual",
                       "ann+special@one.example bob@one.example\n"
                       "list@one.example ann@one.example\n")
        self.start(virtual_alias_maps=t)
        self.send("ann+other@one.example")
        self.send("list+ext@one.example")
        self.equal(sorted(self.delivered_to("ann@one.example", 2)),
                   ["ann+ext@one.example", "ann+other@one.example"])
        self.send("ann+special@one.example")
        self.equal(self.delivered_to("bob@one.example"), ["bob@one.example"])

    # --- the other classes ---------------------------------------------------

    def test_local_aliases(self):
        a = self.table("hash", "aliases",
                       "postmaster: root\n"
                       "root: ann@one.example\n"
                       "both: ann@one.example, bob@one.example\n"
                       "run: ann@one.example, \"|/bin/true\"\n"
                       "file: /var/mail/file\n"
                       "many: :include:/etc/many\n")
        self.start(alias_maps=a, mydestination="here.example",
                   myorigin="here.example")
        self.send("Postmaster@here.example")
        self.send("both+x@here.example")
        self.s.wait_messages("ann@one.example", 2)
        self.s.wait_messages("bob@one.example", 1)
        for name, why in (("run", "names a command"),
                          ("file", "names a file"),
                          ("many", "names an :include: file")):
            code, text = self.rcpt(f"{name}@here.example")
            self.equal(code, 550, name)
            self.contains(text, why)
        code, text = self.rcpt("nobody@here.example")
        self.equal(code, 550)
        self.contains(text, "User unknown in local recipient table")

    def test_relay_recipients(self):
        d = self.table("texthash", "domains",
                       "in.example x\n!no.in.example x\n")
        r = self.table("texthash", "recipients",
                       "ann@in.example x\n@sub.in.example x\n")
        self.start(relay_domains=f"!no.in.example {d}",
                   relay_recipient_maps=r, mynetworks="192.0.2.0/24",
                   relay_transport="error:4.0.0 later")
        self.equal(self.rcpt("ann+x@in.example")[0], 250)
        self.equal(self.rcpt("anybody@sub.in.example")[0], 250)
        code, text = self.rcpt("bob@in.example")
        self.equal(code, 550)
        self.contains(text, "User unknown in relay recipient table")
        self.equal(self.rcpt("ann@no.in.example")[0], 554)

    def test_mailboxes_of_a_table(self):
        d = self.table("texthash", "domains", "shop.example x\n")
        m = self.table("texthash", "boxes",
                       "info@shop.example ann@one.example\n"
                       "lost@shop.example shop/lost/\n")
        self.start(virtual_mailbox_domains=f"directory: {d}",
                   virtual_mailbox_maps=f"directory: {m}")
        self.send("info@shop.example")
        self.equal(self.delivered_to("ann@one.example"),
                   ["info@shop.example"])
        self.equal(self.rcpt("none@shop.example")[0], 550)
        self.equal(self.rcpt("lost@shop.example")[0], 451)
        self.s.wait_log("virtual_mailbox_maps has it, but the directory has "
                        "no account lost@shop.example; run \"postern user "
                        "add lost@shop.example\"")

    def test_transports(self):
        t = self.table("hash", "transport",
                       "gone.example error:5.1.2 moved to nowhere\n"
                       "one.example :\n"
                       "bob@one.example error:no more mail for bob\n"
                       ".example.net error:5.1.9 below\n"
                       "example.net error:5.1.8 net\n")
        self.start(transport_maps=t)
        self.send("ann@one.example", "x@gone.example", "bob@one.example",
                  "y@sub.example.net")
        self.s.wait_messages("ann@one.example", 1)
        for address, dsn, text in (
                ("x@gone.example", "5.1.2", "moved to nowhere"),
                ("bob@one.example", "5.0.0", "no more mail for bob"),
                ("y@sub.example.net", "5.1.8", "net")):
            line = self.s.wait_log(f"to=<{address}>")[0]
            self.contains(line, f"dsn={dsn}, status=bounced ({text})")

    # --- when tables change or are bad ---------------------------------------

    def test_a_change_is_seen(self):
        h = self.table("hash", "virtual", "x@one.example ann@one.example\n")
        t = self.table("texthash", "text", "y@one.example ann@one.example\n")
        self.start(virtual_alias_maps=f"{h} {t}")
        self.send("x@one.example", "y@one.example")
        self.s.wait_messages("ann@one.example", 2)
        self.table("hash", "virtual", "x@one.example bob@one.example\n")
        self.replace("text", "z@one.example bob@one.example\n")
        self.send("x@one.example", "z@one.example")
        self.s.wait_messages("bob@one.example", 2)
        self.equal(self.rcpt("y@one.example")[0], 550)
        self.equal(len(self.s.messages("ann@one.example")), 2)
        self.true("seccomp" not in self.s.log_text(), "a wall was hit")

    def test_mail_waits_for_a_missing_table(self):
        self.start(virtual_alias_maps=f"hash:{self.maps}/virtual")
        code, text = self.rcpt("x@one.example")
        self.equal(code, 451)
        self.contains(text, "4.3.0 <x@one.example>: Temporary lookup failure")
        self.s.wait_log(f"virtual_alias_maps: cannot open table hash:"
                        f"{self.maps}/virtual.db: No such file or directory; "
                        f"run \"postmap hash:{self.maps}/virtual\"")
        self.table("hash", "virtual", "x@one.example ann@one.example\n")
        self.send("x@one.example")
        self.s.wait_messages("ann@one.example", 1)

    def test_a_bad_name_is_told(self):
        self.start(virtual_alias_maps="nis:virtual")
        self.equal(self.rcpt("ann@one.example")[0], 451)
        self.s.wait_log("virtual_alias_maps: cannot open table nis:virtual: "
                        "there is no table type \"nis\"; the types are hash, ")

    def test_bad_lines_are_skipped(self):
        t = self.table("texthash", "virtual",
                       "alone\nx@one.example ann@one.example\n")
        p = self.table("pcre", "pc", "/(/ y\n/^y@/ ann@one.example\n")
        self.start(virtual_alias_maps=f"{t} {p}")
        self.send("x@one.example")
        self.send("y@one.example")
        self.s.wait_messages("ann@one.example", 2)
        self.s.wait_log(f"{self.maps}/virtual, line 1: ")
        self.s.wait_log(f"{self.maps}/pc, line 1: ")

    def test_a_link_may_lead_to_a_table(self):
        real = self.s.dir / "elsewhere"
        real.mkdir()
        os.chmod(real, 0o755)
        (real / "text").write_text("x@one.example ann@one.example\n")
        os.chmod(real / "text", 0o644)
        (self.maps / "link").symlink_to(real / "text")
        self.start(virtual_alias_maps=f"texthash:{self.maps}/link")
        (real / "text").write_text("x@one.example bob@one.example\n")
        self.send("x@one.example")
        self.s.wait_messages("bob@one.example", 1)


suite.main()
