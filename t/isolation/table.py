# SPDX-License-Identifier: BSD-2-Clause
"""The table and the figures of docs/security.md, made from what the programs
say of themselves and from a running instance.

    python3 t/isolation/table.py --write    puts them into the document
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import suite  # noqa: E402
import test_unit  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/security.md"
BEGIN, END = "<!-- made by t/isolation/table.py -->\n", "<!-- end -->\n"

# What only the configuration names, besides.
MORE_RULES = {"mapd": "what tables of main.cf name: read list"}
# test_secrets.py looks for them.
SECRETS = {"keyd": "private keys", "authd": "password hashes",
           "login": "a password, during its login",
           "smtpd": "a password, during its login"}
KEPT = {"keyd", "authd"}  # secrets that outlast a login
FACING = ["smtpd", "login", "smtp", "dnsd"]  # strangers speak to them


def postern(s, *args):
    return s.postern("hardening", *args, check=False).stdout


def roles(s):
    found = {}
    for line in postern(s, "roles").splitlines():
        m = re.match(r"(\w+) +uid=(\S+) root=(\S+) net=(\S+) joins=(.*) "
                     r"sockets=(.*)$", line)
        found[m[1]] = m.groups()[1:]
    return found


def lists(s, what):
    return dict(line.split(maxsplit=1) for line in
                postern(s, what).splitlines())


def table(s):
    calls, rules = lists(s, "calls"), lists(s, "rules")
    lines = ["| program | uid | capabilities | root directory | "
             "may do to files | calls | network | sockets in public/ | "
             "may join | secrets |",
             "|---|---|---|---|---|--:|---|---|---|---|",
             "| master | root | those of the unit | the host's | anything | "
             "any | the host's | – | any | – |"]
    for name, (uid, root, net, joins, sockets) in roles(s).items():
        lines.append("| " + " | ".join([
            name, uid, "none", root, MORE_RULES.get(name, rules[name]),
            calls[name].split()[0], net,
            "its row's name" if sockets == "*" else sockets or "–",
            joins or "–", SECRETS.get(name, "–")]) + " |")
    return "\n".join(lines) + "\n"


def root_code():
    """Lines of code, without comments and blank ones, of what is linked into
    master; tables of parameters are not code."""
    said = subprocess.run(["objdump", "--dwarf=info", "--dwarf-depth=1",
                           suite.BUILD / "libexec/master"], text=True,
                          check=True, capture_output=True).stdout
    total = 0
    for name in set(re.findall(r"DW_AT_name .*: (/\S+\.c)$", said, re.M)):
        path = pathlib.Path(name)
        if path.name.startswith("params"):
            continue
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        total += sum(1 for x in text.splitlines() if x.strip())
    return total


def steps(lines):
    return f"under {(lines // 500 + 1) / 2:.1f} k"


def figures(s):
    said = postern(s)
    processes, roots, weak, setid = map(int, re.search(
        r"(\d+) processes, (\d+) of them root; (\d+) without .*; (\d+) set-id",
        said).groups())
    most = max(int(lists(s, "calls")[n].split()[0]) for n in FACING)
    own = sum(1 for p in (ROOT / "master").glob("*.c")
              if not p.name.startswith("params")
              for x in re.sub(r"/\*.*?\*/", "", p.read_text(),
                              flags=re.S).splitlines() if x.strip())
    return "\n".join([
        "| | figure | aim |", "|---|--:|--:|",
        f"| root processes | {roots} | 1 |",
        f"| other processes without a wall they should have | {weak} | 0 |",
        # In steps, or each change would be one of the document.
        f"| lines of root code: master/ | {steps(own)} | ≤ 2.5 k |",
        f"| and with all that is linked into it | {steps(root_code())} | |",
        "| processes that keep a secret and can be reached by a stranger | "
        f"{len(KEPT & set(FACING))} | 0 |",
        f"| set-id files | {setid} | 0 |",
        "| system calls of a network-facing program, at most | "
        f"{most} | ≤ 40 |",
        f"| exposure of the unit (systemd-analyze) | {test_unit.exposure()} "
        "| ≤ 4.0 |",
        "| goals of the drill refused | all | all |"]) + "\n"


def parts(s):
    return table(s) + "\n" + figures(s)


def written():
    text = DOCUMENT.read_text()
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)]


class Security(suite.Case):
    def started(self):
        s = self.instance("tb").mail().tls("localhost")
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        return s.start()

    def test_the_document_is_true(self):
        self.equal(written(), parts(self.started()), "docs/security.md; "
                   "python3 t/isolation/table.py --write")


if __name__ == "__main__":
    case = Security()
    case.instances = []
    try:
        made = parts(case.started())
    finally:
        for instance in case.instances:
            instance.remove()
    if sys.argv[1:] == ["--write"]:
        text = DOCUMENT.read_text()
        DOCUMENT.write_text(text[:text.index(BEGIN) + len(BEGIN)] + made
                            + text[text.index(END):])
    else:
        print(made, end="")
