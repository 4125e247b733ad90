# SPDX-License-Identifier: BSD-2-Clause
"""docs/security.md says what is so: its table and figures, and the tests that
it names exist."""
import re

import table
from table import Security

import suite


class Document(Security):
    def test_its_tests_are_there(self):
        text = table.DOCUMENT.read_text()
        named = re.findall(r"(t/\w+/test_\w+\.py)(?: (\w+))?", text)
        self.true(len(named) > 20, "tests are named")
        for path, what in named:
            file = table.ROOT / path
            self.true(file.exists(), f"{path} is not there")
            if what:
                self.true(what in file.read_text(), f"no {what} in {path}")
        for n in range(1, 21):
            self.true(re.search(rf"\bI{n}\b", text), f"I{n} is not named")


del Security

if __name__ == "__main__":
    suite.main()
