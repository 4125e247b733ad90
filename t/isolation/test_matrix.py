# SPDX-License-Identifier: BSD-2-Clause
"""Who may do what to whom: queue entries (I3), joins (I12), signatures (I17).

Each is a table here, held against what a probe in each jail is given.
"""
import os
import re

import drill
from drill import DERIVED, ROLES

import suite

# Which role may join which. Whatever is not here is refused.
JOINS = {
    "authd": [],
    "bounce": ["cleanup"],
    "cleanup": ["authd", "mapd", "qmgr"],
    "dnsd": [],
    "imapd": ["notify"],
    "keyd": [],
    "local": ["notify"],
    "logd": [],
    "login": ["authd", "keyd"],
    "mapd": ["authd"],
    "notify": [],
    "pop3d": ["notify"],
    "qmgr": ["bounce", "local", "mapd", "smtp"],
    "smtp": ["dnsd", "mapd"],
    "smtpd": ["authd", "cleanup", "dnsd", "keyd", "mapd"],
}

# What may be done to queue entries. cleanup makes files and can do nothing
# to one that is there; a link within incoming/ is how a file that was written
# gets its name. qmgr owns what is there and makes none; one in incoming/ is
# read-only until it has taken it.
QUEUES = ["incoming", "active", "deferred", "hold"]
OPERATIONS = ["create", "read", "append", "truncate", "unlink", "rename",
              "link", "chmod"]
ALLOWED = {("cleanup", "incoming", "create"), ("cleanup", "incoming", "link")}
ALLOWED |= {("qmgr", queue, operation) for queue in QUEUES
            for operation in ("read", "append", "truncate", "unlink",
                              "rename")
            if queue != "incoming" or operation not in ("append", "truncate")}


class Matrix(suite.Case):
    def probes(self, name="mx"):
        return drill.Drill(self.instance(name).mail().tls("localhost"))

    def test_i12_joins(self):
        d = self.probes()
        s = d.s
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd",
                   f"{suite.free_port()} inet n - - - - login",
                   "login unix - - - - - login",
                   "smtpd unix - - - - - smtpd"]
        everybody = ",".join(ROLES)
        for role in set(ROLES) - set(DERIVED):
            d.add(role, "joins", everybody, name=f"{role}-x-joins")
        d.take_orders()
        d.start()
        suite.wait_for(lambda: s.postern("user", "list",
                                         check=False).returncode == 0, "authd")
        drill.add_tenants(s)
        said = {n.split("-")[0]: why for n, (_, why) in d.results().items()}
        for role in DERIVED:
            said[role] = d.order(role, "joins", everybody)[1]
        had = {role: sorted(why.removeprefix("had:").split())
               for role, why in said.items()}
        self.equal(had, JOINS, "who may join whom")

    def entry(self, s, queue, name):
        place = s.queue / queue
        place.mkdir(parents=True, exist_ok=True)
        path = place / name
        path.write_text("not a message\n")
        uid = int(s.settings["role_uid_base"]) + 1
        for p in (place, path):
            os.chown(p, uid, uid)
        os.chmod(path, 0o400 if queue == "incoming" else 0o600)
        return path

    def test_i3_queue_entries(self):
        d = self.probes()
        s = d.s
        s.settings["role_uid_base"] = "1878982656"
        # The real one would find the entries, and set them aside.
        s.rows = [r for r in s.rows if not r.startswith("qmgr")]
        tried = {}
        for role in sorted(set(ROLES) - set(DERIVED) - {"logd"}
                           - drill.ON_DEMAND):
            wide = role in ("cleanup", "qmgr")
            for queue in QUEUES if wide else ["incoming"]:
                for i, what in enumerate(OPERATIONS):
                    name = f"{role[:3].upper()}{queue[:3].upper()}{i:04}"
                    path = s.queue / queue / name
                    if what != "create":
                        self.entry(s, queue, name)
                    below = f"{queue}/{name}"
                    if role == "cleanup":
                        below = name if queue == "incoming" else f"../{below}"
                    d.add(role, f"queue-{what}", f"{below},{path}",
                          name=f"{role}-{queue}-{what}")
                    tried[f"{role}-{queue}-{what}"] = (role, queue, what)
        results = d.start().results()
        had = {tried[n] for n, (how, _) in results.items() if how == "REACHED"}
        print(f"{len(results)} operations, {len(had)} allowed")
        self.equal(had - ALLOWED, set(), "allowed and should not be")
        self.equal(ALLOWED - had, set(), "refused and should not be")

    def test_i17_signatures(self):
        d = self.probes()
        for role in ("smtpd", "login"):
            d.add(role, "sign", "5000")
        for role in ("cleanup", "qmgr", "mapd", "authd", "dnsd", "notify"):
            d.add(role, "sign", "1")
        for role in ("smtpd", "cleanup", "qmgr"):
            d.add(role, "table", "smtp_sasl_password_maps")
        for name, (how, why) in d.start().results().items():
            self.equal(how, "refused", f"{name}: {why}")
            if "sign" in name and name.startswith(("smtpd", "login")):
                asked, chain = re.match(r"(\d+) asked, 0 signed, (\d+) bytes",
                                        why).groups()
                self.equal(int(asked), 5000)
                self.true(int(chain) > 0, "keyd has no key: nothing was shown")
        # The same key signs what it may.
        self.true(d.s.connect_tls(d.s.imaps, "localhost").version())


if __name__ == "__main__":
    suite.main()
