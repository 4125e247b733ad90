# SPDX-License-Identifier: BSD-2-Clause
"""What `cmake --install` puts there is a mail system: the README's steps."""
import os
import shutil
import subprocess

import suite


class Install(suite.Case):
    def test_the_installed_tree_works(self):
        if not (suite.BUILD / "CMakeCache.txt").exists():
            return  # an ordinary user's copy has the programs alone
        s = self.instance("in")
        root = s.dir / "root"

        def install():
            subprocess.run(["cmake", "--install", suite.BUILD], check=True,
                           capture_output=True,
                           env={**os.environ, "DESTDIR": str(root)})

        install()
        programs, = root.glob("**/libexec/postern")
        sbin = next(root.glob("**/sbin"))
        self.equal(os.readlink(sbin / "mailq"), "sendmail")
        for page in ("man1/mailq.1", "man5/main.cf.5", "man8/postern.8"):
            self.true(list(root.glob(f"**/share/man/{page}")), page)
        unit = next(root.glob("**/systemd/system/postern.service"))
        self.contains(unit.read_text(), "sbin/postern start-fg\n")
        # The administrator's files are not replaced.
        main_cf = root / "etc/postern/main.cf"
        main_cf.write_text(main_cf.read_text() + "mail_name = Ours\n")
        install()
        self.contains(main_cf.read_text(), "mail_name = Ours\n")

        # Here it must not touch the machine's own places and ports.
        shutil.rmtree(s.conf)
        shutil.copytree(root / "etc/postern", s.conf)
        s.bin, s.libexec, s.port = sbin, programs, suite.free_port()
        conf = ["-c", s.conf]
        subprocess.run([sbin / "postconf", *conf, "-e",
                        "myhostname=mail.test.example",
                        f"queue_directory={s.queue}",
                        f"data_directory={s.dir}/data",
                        f"virtual_mailbox_base={s.store}",
                        f"maillog_file={s.log}",
                        f"daemon_directory={programs}",
                        "queue_minfree=0"], check=True)
        rows = (s.conf / "master.cf").read_text()
        for name in ("smtp ", "submission ", "submissions ", "imap ",
                     "imaps ", "pop3 ", "pop3s "):
            port = s.port if name == "smtp " else suite.free_port()
            self.contains(rows, "\n" + name)
            rows = rows.replace("\n" + name, f"\n127.0.0.1:{port} ", 1)
        (s.conf / "master.cf").write_text(rows)
        self.equal(s.postern("check", check=False).returncode, 0)
        s.postern("store", "create")
        with open(s.dir / "stderr", "w") as err:
            subprocess.run([sbin / "postern", *conf, "start"], check=True,
                           stdin=subprocess.DEVNULL, stderr=err)
        s.running = True
        s.pid = int((s.queue / "pid/master.pid").read_text())
        s.add_users("ann@one.example")
        with s.smtp() as c:
            self.contains(c.ehlo()[1], b"mail.test.example")
            c.sendmail("x@y.example", ["ann+ext@one.example"],
                       "Subject: in\r\n\r\nx\r\n")
        s.wait_messages("ann@one.example", 1)
        subprocess.run([sbin / "sendmail", "-C", s.conf, "-f", "x@y.example",
                        "ann@one.example"], input="Subject: by hand\n\nx\n",
                       text=True, check=True)
        s.wait_messages("ann@one.example", 2)
        out = subprocess.run([sbin / "mailq", "-C", s.conf], check=True,
                             capture_output=True, text=True).stdout
        self.equal(out, "Mail queue is empty\n")


suite.main()
