# SPDX-License-Identifier: BSD-2-Clause
"""postmap and postalias: options, messages, exit codes, and their files side
by side with those of Debian's Postfix, where it is installed.

POSTFIX_SBIN names the directory of another Postfix's commands."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import suite

POSTFIX = pathlib.Path(os.environ.get("POSTFIX_SBIN", "/usr/sbin"))

MAP = """\
Ann@Example.com   ann  lee
# comment
key:      value
bob
   continued
   # between
   twice
lonely
"q k"     quoted
"open     never
dup 1
DUP 2
"""

ALIASES = """\
Root: ann,
   bob
"post master": "|cmd a, b", /file/x
list: :include:/etc/list
a@b: c
nothing
"""


class Base(suite.Case):
    def setup(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pst-postmap-"))
        self.instances.append(self)

    def stop(self):
        pass

    def remove(self):
        shutil.rmtree(self.dir)

    def log_text(self):
        return ""

    def run_in(self, program, *args, input="", env=None):
        return subprocess.run(
            [program, *args], cwd=self.dir, input=input, text=True,
            capture_output=True, env={**os.environ, **(env or {})})

    def postmap(self, *args, **kw):
        return self.run_in(suite.BUILD / "bin/postmap", *args, **kw)

    def postalias(self, *args, **kw):
        return self.run_in(suite.BUILD / "bin/postalias", *args, **kw)

    def put(self, name, text):
        (self.dir / name).write_text(text)

    def is_(self, r, code, out="", err=""):
        self.equal(r.stdout, out, "stdout")
        self.equal(r.stderr, err, "stderr")
        self.equal(r.returncode, code, "exit code")

    def lines(self, r):
        self.equal(r.returncode, 0, r.stderr)
        return sorted(r.stdout.splitlines())


class Tables(Base):
    def test_a_map_is_made_and_asked(self):
        self.put("map", MAP)
        self.is_(self.postmap("hash:map"), 0, "", (
            "postmap: warning: map, line 3: record is in \"key: value\" "
            "format; is this an alias file?\n"
            "postmap: warning: map, line 8: expected format: key whitespace "
            "value -- ignoring this line\n"
            "postmap: warning: map, line 10: unbalanced '\"' -- ignoring this "
            "line\n"
            "postmap: warning: map.db: duplicate entry: \"dup\"\n"))
        self.is_(self.postmap("-q", "ann@EXAMPLE.com", "hash:map"), 0,
                 "ann  lee\n")
        self.is_(self.postmap("-q", "bob", "hash:map"), 0,
                 "continued   twice\n")
        self.is_(self.postmap("-q", "lonely", "hash:map"), 1)
        self.is_(self.postmap("-q", "", "hash:map"), 1)
        self.is_(self.postmap("-q", "-", "hash:map",
                              input="nobody\nDup\nkey:\n"), 0,
                 "Dup\t1\nkey:\tvalue\n")
        self.is_(self.postmap("-q", "-", "hash:map", input="nobody\n"), 1)
        self.is_(self.postmap("-q", "-", "hash:map", input=""), 1)
        self.equal(self.lines(self.postmap("-s", "hash:map")), [
            "\"q k\"\tquoted", "ann@example.com\tann  lee",
            "bob\tcontinued   twice", "dup\t1", "key:\tvalue"])
        self.equal(sorted(os.listdir(self.dir)), ["map", "map.db"])

    def test_the_first_table_that_knows_answers(self):
        self.put("a", "x 1\n")
        self.put("b", "x 2\ny 3\n")
        self.is_(self.postmap("hash:a", "btree:b"), 0)
        self.is_(self.postmap("-q", "x", "hash:a", "btree:b"), 0, "1\n")
        self.is_(self.postmap("-q", "y", "hash:a", "btree:b"), 0, "3\n")
        # What comes after the answer is not even opened.
        self.is_(self.postmap("-q", "x", "hash:a", "hash:none"), 0, "1\n")
        self.equal(self.postmap("-q", "y", "hash:a", "hash:none").returncode,
                   1)

    def test_every_type_can_be_asked(self):
        self.put("cidr", "10.0.0.0/8 ten\n")
        self.put("re", "/^(.*)@(.*)$/ $2 $1\n")
        for spec, key, answer in (
                ("cidr:cidr", "10.1.1.1", "ten"),
                ("regexp:re", "A@b", "b A"), ("pcre:re", "A@b", "b A"),
                ("texthash:cidr", "10.0.0.0/8", "ten"),
                ("static:yes", "x", "yes"), ("inline:{ A=1 }", "a", "1")):
            self.is_(self.postmap("-q", key, spec), 0, answer + "\n")
        self.is_(self.postmap("-s", "pcre:re"), 1, "",
                 "postmap: fatal: cannot list table pcre:re: tables of type "
                 "pcre have no list of keys\n")

    def test_entries_are_added_and_removed(self):
        self.put("map", "a 1\nb 2\n")
        self.postmap("hash:map")
        self.is_(self.postmap("-i", "hash:map", input="A 9\nc 3\n"), 0, "",
                 "postmap: warning: map.db: duplicate entry: \"a\"\n")
        self.is_(self.postmap("-iw", "hash:map", input="A 9\n"), 0)
        self.equal(self.lines(self.postmap("-s", "hash:map")),
                   ["a\t1", "b\t2", "c\t3"])
        self.is_(self.postmap("-ir", "hash:map", input="A 9\n"), 0)
        self.is_(self.postmap("-q", "a", "hash:map"), 0, "9\n")
        self.is_(self.postmap("-d", "B", "hash:map"), 0)
        self.is_(self.postmap("-d", "B", "hash:map"), 1)
        self.is_(self.postmap("-d", "-", "hash:map", input="x\nc\na\n"), 0)
        self.is_(self.postmap("-s", "hash:map"), 0)
        # Incremental mode makes a table that is not there.
        self.is_(self.postmap("-i", "hash:new", input="n 1\n"), 0)
        self.is_(self.postmap("-q", "n", "hash:new"), 0, "1\n")

    def test_options_that_decide_what_is_stored(self):
        self.put("map", "Ab 1\nAB 2\n")
        self.is_(self.postmap("-f", "hash:map"), 0)
        self.is_(self.postmap("-fq", "AB", "hash:map"), 0, "2\n")
        self.is_(self.postmap("-fq", "ab", "hash:map"), 1)
        self.is_(self.postmap("-r", "hash:map"), 0)
        self.is_(self.postmap("-q", "aB", "hash:map"), 0, "2\n")
        # In the page, the value stands before its key, \1 before each.
        for option, stored in (("-N", b"\1myvalue\0\1mykey\0"),
                               ("-n", b"\1myvalue\1mykey")):
            self.put("map", "mykey myvalue\n")
            self.is_(self.postmap(option, "hash:map"), 0)
            self.true(stored in (self.dir / "map.db").read_bytes(), option)
            self.is_(self.postmap("-q", "mykey", "hash:map"), 0, "myvalue\n")

    def test_modes_follow_the_source(self):
        for mode, options, want in ((0o600, [], 0o600), (0o640, [], 0o640),
                                    (0o666, [], 0o644), (0o600, ["-p"], 0o644)):
            self.put("map", "a 1\n")
            os.chmod(self.dir / "map", mode)
            self.is_(self.postmap(*options, "hash:map"), 0)
            self.equal((self.dir / "map.db").stat().st_mode & 0o777, want)
            # A table that is there keeps its own.
            os.chmod(self.dir / "map.db", 0o604)
            self.is_(self.postmap(*options, "hash:map"), 0)
            self.equal((self.dir / "map.db").stat().st_mode & 0o777, 0o604)
            os.remove(self.dir / "map.db")

    def test_root_works_as_the_owner(self):
        if os.getuid() != 0:
            print("not root: skipped")
            return
        self.put("map", "a 1\n")
        os.chown(self.dir / "map", 65534, 65534)
        r = self.postmap("hash:map")
        self.equal(r.returncode, 1, "nobody cannot write here")
        self.contains(r.stderr, "Permission denied")
        self.is_(self.postmap("-o", "hash:map"), 0)
        self.equal((self.dir / "map.db").stat().st_uid, 0)
        os.remove(self.dir / "map.db")
        os.chown(self.dir, 65534, 65534)
        self.is_(self.postmap("hash:map"), 0)
        self.equal((self.dir / "map.db").stat().st_uid, 65534)

    def test_failures_are_told(self):
        self.put("map", "a 1\n")
        for args, err in (
                (["hash:none"], "open none: No such file or directory"),
                (["-q", "a", "hash:none"],
                 "cannot open table hash:none.db: No such file or directory; "
                 "run \"postmap hash:none\""),
                (["-d", "a", "hash:none"],
                 "open database none.db: No such file or directory"),
                (["texthash:map"], "unsupported dictionary type: texthash "
                 "does not support bulk-mode creation"),
                (["-s", "-q", "a", "hash:map"],
                 "specify only one of -s -q or -d"),
                (["-d", "a", "-q", "a", "hash:map"],
                 "specify only one of -s -q or -d")):
            self.is_(self.postmap(*args), 1, "", f"postmap: fatal: {err}\n")
        for args in ([], ["-Z", "hash:map"], ["-q"]):
            r = self.postmap(*args)
            self.equal(r.returncode, 1)
            self.contains(r.stderr, "postmap: fatal: usage: postmap [-")
        self.postmap("btree:map")
        r = self.postmap("-q", "a", "hash:map")
        self.equal(r.returncode, 1)
        self.contains(r.stderr, "it is no Berkeley DB 5.3 file of this type")

    def test_the_default_type_comes_from_main_cf(self):
        self.put("main.cf", "default_database_type = btree\n")
        self.put("map", "a 1\n")
        self.is_(self.postmap("-c", ".", "map"), 0)
        self.is_(self.postmap("-q", "a", "btree:map"), 0, "1\n")
        self.is_(self.postmap("-q", "a", "map",
                              env={"POSTERN_CONFIG": "."}), 0, "1\n")
        r = self.postmap("-c", "nowhere", "map")
        self.equal(r.returncode, 1)
        self.contains(r.stderr, "nowhere/main.cf")

    def test_an_alias_file_is_made_and_asked(self):
        self.put("aliases", ALIASES)
        self.is_(self.postalias("hash:aliases"), 0, "", (
            "postalias: warning: aliases, line 5: name must be local\n"
            "postalias: warning: aliases, line 6: need name:value pair\n"))
        self.is_(self.postalias("-q", "ROOT", "hash:aliases"), 0,
                 "ann, bob\n")
        self.is_(self.postalias("-q", "-", "hash:aliases", input="root\n"), 0,
                 "root:\tann, bob\n")
        listed = self.lines(self.postalias("-s", "hash:aliases"))
        self.equal([x for x in listed if not x.startswith("YP_")], [
            "@:\t@", "list:\t:include:/etc/list",
            "post master:\t\"|cmd a, b\", /file/x", "root:\tann, bob"])
        self.equal(len(listed), 6)
        self.is_(self.postalias("-q", "x", "hash:aliases2"), 1, "",
                 "postalias: fatal: cannot open table hash:aliases2.db: No "
                 "such file or directory; run \"postalias hash:aliases2\"\n")

    def test_newaliases_makes_what_main_cf_names(self):
        self.put("aliases", "root: ann\n")
        self.put("main.cf", f"alias_maps = hash:{self.dir}/aliases "
                            f"texthash:{self.dir}/more\n")
        program = suite.BUILD / "bin/newaliases"
        self.is_(self.run_in(program, "-C", self.dir), 0)
        self.is_(self.postalias("-q", "root", "hash:aliases"), 0, "ann\n")
        self.put("main.cf", "alias_maps = texthash:/x\n")
        self.is_(self.run_in(program, "-C", self.dir), 78, "",
                 "newaliases: fatal: alias_database names no hash: or btree: "
                 "table\n")

    def test_a_kill_leaves_the_old_table(self):
        self.put("map", "a old\n")
        self.postmap("hash:map")
        self.put("map", "a new\n" + "".join(f"k{i} v\n"
                                            for i in range(200000)))
        p = subprocess.Popen([suite.BUILD / "bin/postmap", "hash:map"],
                             cwd=self.dir, stderr=subprocess.DEVNULL)
        suite.wait_for(lambda: len(os.listdir(self.dir)) > 2 or
                       p.poll() is not None, "the temporary file")
        p.send_signal(signal.SIGKILL)
        self.equal(p.wait(), -signal.SIGKILL)
        self.is_(self.postmap("-q", "a", "hash:map"), 0, "old\n")

    def test_changes_at_the_same_time_are_all_kept(self):
        self.put("map", "a 1\n")
        self.postmap("hash:map")
        running = []
        for i in range(8):
            p = subprocess.Popen([suite.BUILD / "bin/postmap", "-i",
                                  "hash:map"], cwd=self.dir,
                                 stdin=subprocess.PIPE, text=True)
            p.stdin.write(f"k{i} v\n")
            running.append(p)
        for p in running:
            p.stdin.close()
        for p in running:
            self.equal(p.wait(), 0)
        self.equal(len(self.lines(self.postmap("-s", "hash:map"))), 9)


class Peer(Base):
    """Both directions with Postfix's own commands."""

    def setup(self):
        super().setup()
        self.missing = not (POSTFIX / "postmap").exists()
        if self.missing:
            return
        self.put("main.cf", "compatibility_level = 3.6\n"
                 "mail_owner = daemon\nsetgid_group = games\n"
                 f"queue_directory = {self.dir}\n"
                 f"data_directory = {self.dir}\n")

    def theirs(self, program, *args, **kw):
        return self.run_in(POSTFIX / program, "-c", self.dir, *args, **kw)

    def compare(self, program, name, text, options=()):
        """Each makes a table, both read both."""
        if self.missing:
            print(f"{POSTFIX}/postmap is not installed: skipped")
            return
        ours = getattr(self, program)
        for kind in ("hash", "btree"):
            seen = []
            for make, ask in ((ours, self.theirs), (self.theirs, ours)):
                self.put(name, text)
                made = make(*options, f"{kind}:{name}") if make is ours \
                    else make(program, *options, f"{kind}:{name}")
                self.equal(made.returncode, 0, made.stderr)
                for r in (ours("-s", f"{kind}:{name}"),
                          self.theirs(program, "-s", f"{kind}:{name}")):
                    seen.append([x for x in self.lines(r)
                                 if not x.startswith("YP_")])
                os.remove(self.dir / f"{name}.db")
            self.true(len(seen[0]) > 2, seen)
            for other in seen[1:]:
                self.equal(other, seen[0], kind)

    def test_maps_agree(self):
        self.compare("postmap", "map", MAP)

    def test_maps_without_nul_agree(self):
        self.compare("postmap", "map", MAP, ["-n"])

    def test_maps_with_unicode_agree(self):
        self.compare("postmap", "map", "Ü@Straße.De x\nΣΑΣ y\nİ z\n")

    def test_aliases_agree(self):
        self.compare("postalias", "aliases", ALIASES)

    def test_each_changes_the_others_table(self):
        if self.missing:
            print(f"{POSTFIX}/postmap is not installed: skipped")
            return
        for option in ("-N", "-n"):
            self.put("map", "a 1\nb 2\n")
            self.theirs("postmap", option, "hash:map")
            self.is_(self.postmap("-i", "hash:map", input="c 3\n"), 0)
            self.is_(self.postmap("-d", "a", "hash:map"), 0)
            r = self.theirs("postmap", "-q", "-", "hash:map",
                            input="a\nb\nc\n")
            self.equal(r.stdout, "b\t2\nc\t3\n", option)
            self.theirs("postmap", "-d", "c", "hash:map")
            self.is_(self.postmap("-s", "hash:map"), 0, "b\t2\n")


suite.main()
