# SPDX-License-Identifier: BSD-2-Clause
"""The drill (I4, I9, I10, I19, I20): a probe in each daemon's exact jail.

Every program is replaced by the probe, once for each goal, and each goal must
be refused: with all walls, and with any single one taken away. A control run
with no wall at all must reach goals, or the probe is blind.

local, imapd and pop3d are started by a real delivery and real logins; as
everywhere, a probe is the daemon's own main.c in the daemon's own jail.
"""
import os
import re

import drill
from drill import ANN, BOB, DERIVED, EVE, ROLES, TALKERS, WALLS, words

import suite

victim = None


def the_victim():
    global victim
    victim = victim or drill.Victim()
    return victim


def host_goals(s, v):
    """What no program may have, whichever it is."""
    return [
        ("read", words(v.files)), ("read", s.dir / "server.pem"),
        ("read", "/etc/shadow"), ("read", "/proc/self/environ"),
        ("write", s.dir / "new-file"), ("remove", v.entry),
        ("link", words(v.mail)), ("symlink", "/etc/shadow"),
        ("descriptors", ""), ("connect", v.port), ("listen", ""),
        ("unix", words([s.queue / "private/master", *v.sockets])),
        ("exec", "/bin/true"), ("trace", words([*v.pids, os.getpid()])),
        ("signal", words([*v.pids, os.getpid()])),
        ("memory", words([*v.pids, os.getpid()])),
        ("root", ""), ("code", ""), ("config", ""),
    ]


def mailboxes(s):
    """Put a message into two accounts and another tenant's; their paths."""
    made = []
    for who, tenant in ((ANN, "acme"), (BOB, "acme"), (EVE, "globex")):
        place = s.maildir(who, tenant)
        i = drill.imap(s, who)  # master makes the account's directory
        suite.wait_for(place.exists, f"the directory of {who}")
        i.shutdown()
        owner = place.stat()
        new = place / "new"
        new.mkdir(mode=0o700, exist_ok=True)
        mail = new / "1.secret"
        mail.write_text(drill.MESSAGE)
        for p in (new, mail):
            os.chown(p, owner.st_uid, owner.st_gid)
        os.chmod(mail, 0o600)
        made.append(mail)
    return made


class Redteam(suite.Case):
    def add_rows(self, d, v, roles, leave_out):
        """Probes in the place of what a whole service has."""
        s = d.s
        entry = s.queue / "deferred/0123456789ABCDEF"
        for role in sorted(roles):
            goals = host_goals(s, v)
            if role in TALKERS:
                goals = [g for g in goals if g[0] not in ("connect", "listen")]
            if role != "mapd":
                goals.append(("read", "/etc/passwd"))
            else:
                # Its tables may lie anywhere, so it has the host's root, and
                # one wall less: what is anybody's on the host is kept from it
                # by Landlock alone, sockets that are by seccomp alone.
                walls = s.settings["sandbox_walls"]
                if "landlock" in walls:
                    goals.append(("read", "/etc/passwd"))
                if walls and "seccomp" not in walls:
                    goals = [g for g in goals if g[0] != "unix"]
            if role != "qmgr":
                goals += [("read", entry), ("remove", entry)]
            if role != "authd":
                goals += [("read", s.dir / "data/accounts.db"),
                          ("session", "acme/one.example/ann")]
            goals.append(("submit", "cleanup"))  # in an account's name
            if role != "mapd" and "uid" in s.settings["sandbox_walls"]:
                goals.append(("directory", ANN))  # see drill.take_orders
            goals += [("join", "logd"), ("join", "imapd")]
            for goal, target in goals:
                if goal not in leave_out:
                    d.add(role, goal, target)

    def orders(self, d, v):
        """[(program, goal, target)] for those that a tenant's mail starts."""
        s = d.s
        ann, bob, eve = mailboxes(s)
        found = []
        for program in DERIVED:
            goals = host_goals(s, v) + [
                ("read", "/etc/passwd"), ("read", drill.database(s)),
                ("read", eve),
                ("guess", "globex/two.example/eve/new/1.secret"),
                ("guess", "mail/globex/two.example/eve/new/1.secret"),
                ("guess", "two.example/eve/new/1.secret"),
                ("link", eve), ("remove", eve),
                ("session", "acme/one.example/bob"),
                ("submit", "cleanup"), ("directory", BOB),
                ("sign", "20"), ("join", "qmgr"), ("join", "authd"),
            ]
            if program == "local":
                # It delivers to all of a tenant, and has the message open.
                goals.remove(("descriptors", ""))
            else:
                goals += [
                    ("read", bob), ("link", bob), ("remove", bob),
                    ("guess", "bob/new/1.secret"),
                    ("guess", "one.example/bob/new/1.secret"),
                    ("guess", "acme/one.example/bob/new/1.secret"),
                ]
            found += [(program, *g) for g in goals]
        return found

    def instance_with(self, walls):
        s = self.instance("rt").mail().tls("localhost")
        return drill.Drill(s, walls)

    def drill_rows(self, walls, roles, leave_out):
        d = self.instance_with(walls)
        self.add_rows(d, the_victim(), roles, leave_out)
        deferred = d.s.queue / "deferred"
        deferred.mkdir(parents=True)
        (deferred / "0123456789ABCDEF").write_text("x")
        return d.start().results()

    def drill_orders(self, walls, leave_out):
        d = self.instance_with(walls)
        d.take_orders()
        d.start()
        d.s.wait_log("daemon started")
        drill.add_tenants(d.s)
        return {f"{program} {goal} {str(target)[:60]}":
                d.order(program, goal, target)
                for program, goal, target in self.orders(d, the_victim())
                if goal not in leave_out}

    def drill(self, walls, leave_out=()):
        """{probe: (how it ended, why)} of all goals with these walls."""
        # Every probe of logd is handed every service's lines: on its own.
        return {**self.drill_rows(walls, {*ROLES} - {*DERIVED, "logd"},
                                  leave_out),
                **self.drill_rows(walls, {"logd"}, leave_out),
                **self.drill_orders(walls, leave_out)}

    def refused(self, walls):
        results = self.drill(walls)
        reached = sorted(f"{n}: {why}" for n, (how, why) in results.items()
                         if how != "refused")
        print(f"walls {' '.join(walls)}: {len(results)} goals, "
              f"{len(reached)} reached")
        self.equal(reached, [], "goals reached")

    def test_i19_all_walls(self):
        self.refused(WALLS)

    def test_i19_the_probe_can_see(self):
        # A program that reaches exec is gone and cannot say so; links would
        # be made in the host's root directory.
        results = self.drill([], ("exec", "code", "link", "symlink"))
        for program in DERIVED + ["smtpd", "mapd"]:
            reached = {re.split("[ -]", n)[1 if " " in n else 2]
                       for n, (how, _) in results.items()
                       if how == "REACHED" and n.startswith(program)}
            wanted = {"read", "connect", "listen", "unix", "signal"}
            if program not in DERIVED:
                wanted |= {"write"}
            self.equal(wanted - reached, set(), f"what {program}'s probe did "
                       "not reach with no wall")


for wall in WALLS:
    def one(self, wall=wall):
        self.refused([w for w in WALLS if w != wall])
    setattr(Redteam, f"test_i20_without_{wall}", one)

if __name__ == "__main__":
    suite.main()
