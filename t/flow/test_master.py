# SPDX-License-Identifier: BSD-2-Clause
"""Master: starting, stopping, reloading, restarting what dies."""
import os
import re
import signal
import socket
import subprocess

import suite


class Master(suite.Case):
    def test_starts_logs_and_stops(self):
        s = self.instance().start()
        line = s.wait_log("daemon started -- version")[0]
        self.true(re.match(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
                           r"mail\.test\.example postfix/master\[\d+\]: ",
                           line), line)
        self.equal(s.postern("status").returncode, 0)
        self.true(s.pid_of("logd"))
        s.stop()
        self.contains(s.log_text(), "terminating by request")
        self.equal(s.postern("status", check=False).returncode, 1)

    def test_a_second_master_is_refused(self):
        s = self.instance().start()
        again = s.postern("start", check=False)
        self.true(again.returncode != 0)
        self.contains(again.stderr, "a master is already running")

    def test_a_killed_program_is_started_again(self):
        s = self.instance().start()
        first = s.pid_of("logd")
        os.kill(first, signal.SIGKILL)
        suite.wait_for(lambda: s.pid_of("logd") not in (first, None),
                       "a new logd")
        s.wait_log(f"pid {first} killed by signal 9")

    def test_programs_die_with_master(self):
        s = self.instance().start()
        logd = s.pid_of("logd")
        os.kill(s.master_pid(), signal.SIGKILL)
        for pid in (logd, s.master_pid()):
            suite.wait_for(lambda: not suite.running(pid), f"the end of {pid}")
        s.running = False
        s.start()

    @staticmethod
    def smtpds(s):
        return {p[0] for p in s.processes() if p[1] == "smtpd"}

    def test_a_stop_does_not_wait_for_who_waits_for_the_stopped(self):
        s = self.instance("st").mail().tls("localhost")
        s.settings["stop_timeout"] = "3s"  # less than a question's deadline
        s.start()
        keyd = s.pid_of("keyd")
        before = self.smtpds(s)
        os.kill(keyd, signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", s.port)):
            suite.wait_for(lambda: self.smtpds(s) - before,
                           "another smtpd, which asks keyd at its start")
        stop = subprocess.Popen([s.bin / "postern", "-c", s.conf, "stop"])
        s.wait_log("terminating by request")
        os.kill(keyd, signal.SIGKILL)
        self.equal(stop.wait(suite.DEADLINE), 0)
        s.running = False
        self.equal("did not end" in s.log_text(), False, s.log_text())

    def test_reload_takes_a_good_configuration(self):
        s = self.instance().start()
        pid = s.pid_of("logd")
        s.settings["log_time_format"] = "iso"
        s.write()
        s.postern("reload")
        line = s.wait_log("reload -- version")[0]
        self.equal(s.pid_of("logd"), pid, "logd stays")
        self.true(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:",
                           line), line)

    def test_reload_refuses_a_bad_one_whole(self):
        s = self.instance().start()
        s.settings["log_time_format"] = "tomorrow"
        s.write()
        r = s.postern("reload", check=False)
        self.true(r.returncode != 0)
        self.contains(r.stderr, "log_time_format")
        s.wait_log("reload refused, the old configuration stays")
        s.settings["log_time_format"] = "bsd"
        s.settings["max_idle"] = "nonsense"
        s.write()
        self.true(s.postern("reload", check=False).returncode != 0)
        self.equal(s.postern("status").returncode, 0)

    def test_the_log_file_is_opened_again(self):
        s = self.instance().start()
        s.wait_log("daemon started")
        os.rename(s.log, str(s.log) + ".1")
        s.postern("logrotate")
        os.kill(s.pid_of("logd"), signal.SIGKILL)
        s.wait_log("killed by signal 9")

    def test_ids_only_go_forward(self):
        s = self.instance().start()
        s.stop()
        floor = int((s.queue / "id_floor").read_text())
        ahead = floor + 3600 * 1000000
        (s.queue / "id_floor").write_text(f"{ahead}\n")
        s.start()
        self.true(int((s.queue / "id_floor").read_text()) > ahead)
        s.stop()
        (s.queue / "id_floor").write_text("rubbish\n")
        self.true(s.postern("start", check=False).returncode != 0)

    def test_a_bad_config_names_file_and_line(self):
        s = self.instance()
        s.rows.append("smtp inet n - - - nonsense smtpd")
        s.write()
        r = subprocess.run([s.bin / "postern", "-c", s.conf, "start"],
                           text=True, capture_output=True)
        self.true(r.returncode != 0)
        self.contains(r.stderr, "master.cf, line 2")


suite.main()
