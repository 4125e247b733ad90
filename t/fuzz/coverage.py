# SPDX-License-Identifier: BSD-2-Clause
"""Lines of the parsers that fuzz inputs reach: llvm-cov's summary, by file.

The parsers are the files that read what others write; the rest of the tree
(loops, jails, queues) is what other tests are for.
"""
import json
import re
import sys

PARSERS = re.compile(
    r"(smtpd/(session|cmd_\w+|access|client)"
    r"|smtp/(dialogue|hosts)"
    r"|login/(imap|pop3|auth|client)"
    r"|imapd/(?!main|params)\w+"
    r"|pop3d/(session|retrieve)"
    r"|keyd/text|dnsd/answer|lib/dns/dns"
    r"|lib/mail/\w+|lib/config/(?!common)\w+|lib/queue/qfile"
    r"|lib/index/\w+|lib/maildir/(maildir|quota)|lib/ipc/message"
    r"|lib/sasl/\w+|lib/table/(?!mapcmd|dbfile|hash|bdb)\w+"
    r"|lib/net/stream|lib/base/(encode|utf8|view|network))\.c$")


def main():
    root = sys.argv[1] + "/"
    rows = []
    for file in json.load(sys.stdin)["data"][0]["files"]:
        name = file["filename"].removeprefix(root)
        lines = file["summary"]["lines"]
        if PARSERS.match(name):
            rows.append((name, lines["covered"], lines["count"]))
    print("lines reached         of   file")
    for name, covered, count in sorted(rows):
        print(f"{covered:6} {100 * covered / count:6.1f} % {count:6}   {name}")
    covered, count = (sum(row[i] for row in rows) for i in (1, 2))
    print(f"{covered:6} {100 * covered / count:6.1f} % {count:6}   all parsers")


main()
