#!/usr/bin/env python3
"""otariad as an operator runs it: real processes, a real Mosquitto. Environment: OTARIAD, the program."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from otariad_harness import LIMIT_S, ServerCase, free_port, wait_for  # noqa: E402


class Truth(ServerCase):
    def test_a_notice_decided_before_a_kill_is_published_after_the_restart(self):
        broker = self.start_broker()
        server = self.start_server()
        self.connected()
        self.register()
        self.assertEqual(self.publish_release().status, 201)
        self.kill_hard(broker)  # decision yes, effect no
        update = self.send()
        self.kill_hard(server)
        self.start_broker()
        self.assertNoNotice()
        self.start_server()
        notice = wait_for(self.retained_notice, "the notice is published")
        self.assertEqual(notice["update"], update)

    def test_a_broker_that_forgot_everything_gets_the_unanswered_notices_again(self):
        broker = self.start_broker()
        self.start_server()
        self.connected()
        self.register()
        self.publish_release()
        update = self.send()
        wait_for(self.retained_notice, "the notice is published")
        self.kill_hard(broker)
        self.start_broker()  # keeps nothing on disk
        self.assertEqual(wait_for(self.retained_notice, "the notice stands again")["update"], update)

    def test_an_update_goes_from_offer_to_success_and_its_notice_is_emptied(self):
        self.start_broker()
        self.start_server()
        self.connected()
        self.register()
        self.publish_release()
        update = self.send()
        wait_for(self.retained_notice, "the notice is published")
        self.assertFalse(self.update(update)["delivered"])
        for seq, state in enumerate(["received", "downloading", "verifying", "installed", "rebooting", "trial", "succeeded"], 2):
            self.device_says_status(update, state, seq)
        self.wait_state(update, "succeeded")
        wait_for(lambda: self.retained_notice() is None, "the notice is emptied")
        history = [entry["state"] for entry in self.update(update)["history"]]
        self.assertEqual(history, ["received", "downloading", "verifying", "installed", "rebooting", "trial", "succeeded"])

    def test_a_withdrawn_update_leaves_no_notice(self):
        self.start_broker()
        self.start_server()
        self.connected()
        self.register()
        self.publish_release()
        update = self.send()
        wait_for(self.retained_notice, "the notice is published")
        self.assertEqual(self.call("DELETE", f"/api/v1/updates/{update}").status, 200)
        wait_for(lambda: self.retained_notice() is None, "the notice is emptied")
        self.assertEqual(self.call("DELETE", f"/api/v1/updates/{update}").json()["code"], "already_final")

    def test_a_withdrawal_is_not_overtaken_by_the_notice_that_a_lost_connection_had_in_flight(self):
        broker = self.start_broker()
        self.start_server()
        self.connected()
        self.register()
        self.publish_release()
        broker.send_signal(signal.SIGSTOP)  # takes bytes, acknowledges nothing
        update = self.send()
        self.assertEqual(self.call("DELETE", f"/api/v1/updates/{update}").status, 200)
        self.kill_hard(broker)
        self.start_broker()
        wait_for(lambda: "otaria_outbox_notices 0" in self.get("/metrics").body.decode(), "the outbox is empty")
        self.assertNoNotice()

    def test_waiting_for_a_closed_update_is_answered_by_an_empty_payload(self):
        self.start_broker()
        self.start_server()
        self.connected()
        self.register()
        self.publish_release()
        update = self.send()
        self.device_says_status(update, "failed", 5, error={"code": "flash_failed", "detail": "d", "hint": "h"})
        self.wait_state(update, "failed")
        wait_for(lambda: self.retained_notice() is None, "the notice is emptied")
        self.say("sensor_A1B2/firmware/update", '{"left":"over"}', retain=True)  # a withdrawal that the broker lost
        self.device_says_status(update, "waiting", 6)
        wait_for(lambda: self.retained_notice() is None, "the leftover is emptied")
        self.assertEqual(self.update(update)["state"], "failed")

    def test_reports_sent_while_the_server_is_away_are_not_lost(self):
        self.start_broker()
        server = self.start_server()
        self.connected()
        self.register()
        self.publish_release()
        update = self.send()
        self.kill_hard(server)
        self.device_says_status(update, "received", 2)
        self.device_says_status(update, "succeeded", 3)
        self.start_server()
        self.wait_state(update, "succeeded")

    def test_two_servers_that_repeat_each_other_do_no_harm(self):
        self.start_broker()
        self.start_server()
        second = free_port()
        config = self.directory / "second.toml"
        config.write_text("[mqtt]\nserver_number = 2\n")
        self.start_server("--config", str(config), data="second", http=second)
        self.connected()
        self.register()
        self.publish_release()
        update = self.send()
        for seq, state in enumerate(["received", "downloading", "succeeded"], 2):
            self.device_says_status(update, state, seq)
            self.device_says_status(update, state, seq)
        self.wait_state(update, "succeeded")
        self.assertEqual(len(self.update(update)["history"]), 3)
        wait_for(lambda: self.call("GET", "/api/v1/devices/sensor_A1B2/statuses", http=second).status == 200, "the second one listens too")

    def test_a_second_mac_under_one_id_is_refused_and_logged(self):
        self.start_broker()
        self.start_server()
        self.connected()
        self.register()
        self.device_says_state(mac="ffffffffa1b2", session=9, seq=99, version="6.6.6")
        wait_for(lambda: "otaria_id_conflicts_total 1" in self.get("/metrics").body.decode(), "the conflict is counted")
        self.assertEqual(self.get("/api/v1/devices/sensor_A1B2").json()["version"], "1.3.0")
        self.assertIn("id_conflict", self.log())

    def test_messages_that_are_none_of_the_contracts_are_counted(self):
        self.start_broker()
        self.start_server()
        self.connected()
        for payload in ["{", "[]", "x" * 5000, '{"id":"sensor_OTHER","version":"1","state":"received","seq":1}']:
            self.say("sensor_A1B2/ota/status", payload)
        wait_for(lambda: "otaria_bad_messages_total 4" in self.get("/metrics").body.decode(), "four bad messages are counted")

    def test_starts_and_serves_without_a_broker(self):
        self.start_server()
        self.assertEqual(self.get("/readyz").status, 200)
        self.assertEqual(self.publish_release().status, 201)
        self.start_broker()
        self.connected()


class Operation(ServerCase):
    def run_server(self, *words, **environment):
        return subprocess.run([self.otariad, *words], capture_output=True, text=True, timeout=LIMIT_S, check=False,
                              env={**os.environ, **environment})

    def test_stops_gracefully_on_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.start_server()
            server.send_signal(number)
            self.assertEqual(server.wait(LIMIT_S), 0)

    def test_the_data_directory_is_private_and_taken_once(self):
        self.start_server()
        self.assertEqual(stat.S_IMODE((self.directory / "data").stat().st_mode), 0o700)
        second = self.run_server("--data", str(self.directory / "data"), "--http", f"127.0.0.1:{free_port()}")
        self.assertEqual(second.returncode, 1)
        self.assertIn("another otariad", second.stderr)

    def test_the_lock_ends_with_a_killed_server(self):
        self.kill_hard(self.start_server())
        self.start_server()

    def make_certificate(self, name, host="127.0.0.1"):
        files = [str(self.directory / f"{name}.{kind}") for kind in ("pem", "key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-out", files[0],
                        "-keyout", files[1], "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{host}"], check=True, capture_output=True)
        os.chmod(files[1], 0o600)
        return files

    def https(self, trusted):
        """The name in the certificate of a server that is trusted by `trusted`; nothing when it is not."""
        context = ssl.create_default_context(cafile=trusted)
        try:
            with socket.create_connection(("127.0.0.1", self.http), LIMIT_S) as plain, \
                    context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                self.assertIn(b"200 OK", secure.recv(4096))
                return dict(pair for row in secure.getpeercert()["subject"] for pair in row)["commonName"]
        except ssl.SSLError:
            return None

    def test_serves_https_and_changes_its_certificate_at_a_signal_and_by_itself(self):
        old, new = self.make_certificate("old"), self.make_certificate("new")
        server = self.start_server("--certificate", old[0], "--private-key", old[1])
        self.assertIn("public_url is https://", self.log())
        trusted = shutil.copy(old[0], self.directory / "old-ca.pem")
        self.assertEqual(self.https(trusted), "old")
        shutil.copy(new[0], old[0])  # without its key: another's
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: "does not belong to the certificate" in self.log(), "the mixed-up pair is named")
        self.assertEqual(self.https(trusted), "old")
        shutil.copy(new[1], old[1])
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: self.https(new[0]) == "new", "the new pair is in use")
        last = self.make_certificate("last")
        for there, here in zip(last, old):
            os.replace(there, here)
        wait_for(lambda: self.https(old[0]) == "last", "the change is noticed without a signal")
        self.assertIsNone(server.poll())

    def test_says_before_it_starts_which_tls_setting_cannot_work(self):
        certificate, key = self.make_certificate("old")
        other = self.make_certificate("other")[1]
        exposed = shutil.copy(key, self.directory / "exposed.key")
        os.chmod(exposed, 0o644)
        config = self.directory / "otaria.toml"
        for words, text, part in (
                (["--certificate", certificate], "", "http.private_key"),
                (["--certificate", certificate, "--private-key", exposed], "", "chmod 600"),
                (["--certificate", certificate, "--private-key", other], "", "does not belong to the certificate"),
                (["--certificate", "/nonexistent.pem", "--private-key", key], "", "No such file"),
                (["--certificate", certificate, "--private-key", key], '[http]\nclient_certificates = "required"\n', "http.client_ca"),
                (["--certificate", certificate, "--private-key", key], f'[http]\nclient_ca = "{certificate}"\n', "is off"),
                ([], f'[mqtt]\nca_file = "{certificate}"\n', "mqtts://"),
                ([], f'[mqtt]\nurl = "mqtts://h"\ncertificate = "{certificate}"\n', "mqtt.private_key")):
            config.write_text(text)
            refused = self.run_server("--config", str(config), "--check-config", *words)
            self.assertEqual(refused.returncode, 2, (words, text))
            self.assertIn(part, refused.stderr)

    def test_names_the_unknown_key_and_its_line(self):
        config = self.directory / "otaria.toml"
        config.write_text('[http]\nlisten = "127.0.0.1:1"\nlissten = "x"\n')
        refused = self.run_server("--config", str(config), "--check-config")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("http.lissten", refused.stderr)
        self.assertIn("otaria.toml:3", refused.stderr)

    def test_flags_stand_over_environment_over_file(self):
        config = self.directory / "otaria.toml"
        config.write_text('public_url = "http://file.example"\n[http]\nlisten = "nonsense"\n')
        words = ["--config", str(config), "--check-config"]
        self.assertEqual(self.run_server(*words).returncode, 2)
        config.write_text('[http]\nlisten = "127.0.0.1:1"\n')
        self.assertIn("OTARIAD_HTTP", self.run_server(*words, OTARIAD_HTTP="nonsense").stderr)
        self.assertIn("--http", self.run_server(*words, "--http", "worse", OTARIAD_HTTP="127.0.0.1:2").stderr)
        self.assertEqual(self.run_server(*words, OTARIAD_HTTP="127.0.0.1:2").returncode, 0)

    def test_refuses_what_cannot_work_before_it_starts(self):
        for words in (["--http", "0.0.0.0:8080"], ["--http", "127.0.0.1:0"], ["--http", "::1:80"], ["--mqtt", "http://x"],
                      ["--public-url", "ftp://x"], ["--log-format", "xml"], ["--config", "/nonexistent.toml"], ["--no-such-flag"]):
            refused = self.run_server("--check-config", *words)
            self.assertEqual(refused.returncode, 2, words)
            self.assertTrue(refused.stderr, words)

    def test_warns_when_only_this_machine_can_fetch(self):
        self.assertIn("warning: public_url", self.run_server("--check-config").stdout)
        self.assertNotIn("warning", self.run_server("--check-config", "--public-url", "http://10.0.0.1:8080/").stdout)

    def test_says_its_version_and_its_flags(self):
        self.assertRegex(self.run_server("--version").stdout, r"^otariad \d+\.\d+\.\d+")
        self.assertIn("--public-url", self.run_server("--help").stdout)

    def test_a_database_that_is_none_is_named(self):
        (self.directory / "data").mkdir()
        (self.directory / "data" / "otaria.db").write_text("x" * 4096)
        refused = self.run_server("--data", str(self.directory / "data"), "--http", f"127.0.0.1:{free_port()}")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("otaria.db", refused.stderr)

    def test_a_port_in_use_is_named(self):
        self.start_server()
        refused = self.run_server("--data", str(self.directory / "other"), "--http", f"127.0.0.1:{self.http}")
        self.assertEqual(refused.returncode, 1)
        self.assertIn(str(self.http), refused.stderr)

    def test_logs_json_on_request(self):
        server = self.start_server("--log-format", "json")
        server.terminate()
        server.wait(LIMIT_S)
        for line in self.log().splitlines():
            self.assertEqual(set(json.loads(line)), {"time", "level", "message"})

    def test_the_guide_describes_every_key(self):
        root = pathlib.Path(__file__).parents[2]
        table = (root / "server/app/config.cpp").read_text()
        keys = re.findall(r'\bKey\{"([a-z_.]+)"', table)
        self.assertGreater(len(keys), 20)
        guide = (root / "docs/guide/configuration.md").read_text()
        described = re.findall(r"^\| `([a-z_.]+)` \|", guide, re.M)
        self.assertEqual(sorted(keys), sorted(described))


if __name__ == "__main__":
    unittest.main()
