# SPDX-License-Identifier: BSD-2-Clause
"""Each manual page is well-formed and knows the options that its command
says it has, no more and no fewer."""
import pathlib
import re
import subprocess

import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Read at once: as another user the tree may be out of reach.
PAGES = {p.name: p.read_text() for p in (ROOT / "docs/man").glob("*.[158]")}
MAIN_CF = (suite.BUILD / "man/main.cf.5").read_text()
# sendmail's ways to work are two letters each.
PAIRS = ("bi", "bm", "bp", "bs", "bv", "oi")


def options(text):
    """The options that a text speaks of: letters, and words behind --."""
    found = set()
    for dashes, word in re.findall(r"(?<![\w=-])(--?)([A-Za-z#][\w-]*)", text):
        if dashes == "--":
            found.add(word)
        elif word in PAIRS:
            found.add(word)
        else:
            found.update(word)
    return found


class Manuals(suite.Case):
    def shown(self, page):
        """The page as it is read, without what makes letters bold."""
        text = subprocess.run(["mandoc", "-T", "utf8"], check=True,
                              capture_output=True, text=True,
                              input=page).stdout
        text = re.sub(".\b", "", text)
        return re.sub("[\u2010\u2212]", "-", text)

    def test_all_are_well_formed(self):
        self.true(len(PAGES) > 8)
        for page in [*PAGES.values(), MAIN_CF]:
            text = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"],
                                  capture_output=True, text=True,
                                  input=page).stdout
            self.equal(text, "")

    def test_options_are_those_of_the_command(self):
        for name, page in PAGES.items():
            command, section = name.rsplit(".", 1)
            if section == "5":
                continue
            done = subprocess.run([suite.BUILD / "bin" / command, "--help"],
                                  capture_output=True, text=True)
            said = options(done.stdout + done.stderr)
            self.equal(sorted(said), sorted(options(self.shown(page))),
                       name)


suite.main()
