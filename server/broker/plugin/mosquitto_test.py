#!/usr/bin/python3
"""mosquitto_otaria.so inside Debian's Mosquitto, configured by deploy/mosquitto/mosquitto.conf: the matrix of hostile clients.

Numbers in names are the rows of the matrix in docs/guide/brokers.md. Environment: OTARIA_PLUGIN, the library;
OTARIA_PRELOAD, what a library built with a sanitizer needs in its process.
"""
import getpass
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "testing"))
from broker_case import LIMIT_S, TIME_FACTOR, BrokerCase, answers, filled, replace, wait_for  # noqa: E402
from issuer import DEVICE, MAC, OTHER, OTHER_MAC, Issuer  # noqa: E402
from mqtt_client import Client  # noqa: E402

PLUGIN = pathlib.Path(os.environ["OTARIA_PLUGIN"])
NOTICE, STATUS, STATE = f"{DEVICE}/firmware/update", f"{DEVICE}/ota/status", f"{DEVICE}/ota/state"
NOT_AUTHORIZED, REFUSED_FILTER = 5, 0x80


class MosquittoCase(BrokerCase):
    def setUp(self):
        super().setUp()
        self.issuer = Issuer()
        self.jwks, self.denylist = self.directory / "jwks.json", self.directory / "denied"
        self.write_keys(self.issuer)
        self.start()

    def write_keys(self, *issuers):
        replace(self.jwks, json.dumps({"keys": [issuer.jwk() for issuer in issuers]}))

    def configuration(self):
        return filled("mosquitto/mosquitto.conf", {
            "PLUGIN_DIR": PLUGIN.parent, "STATE_DIR": self.directory, "PERSISTENCE_DIR": self.directory, "PORT": self.port,
            "BIND_ADDRESS": "127.0.0.1", "CERTIFICATE": self.certificate, "PRIVATE_KEY": self.key,
            # Flushed with each line, which its standard output is not.
            "LOG_DEST": f"file {self.directory}/mosquitto.log"})

    def launch(self):
        file = self.directory / "mosquitto.conf"
        # As root it would become user mosquitto, who may not read this directory.
        file.write_text(self.configuration() + f"\nuser {getpass.getuser()}\n")
        preload = os.environ.get("OTARIA_PRELOAD", "")
        # Mosquitto's own leaks at its end are none of ours.
        environment = {**os.environ, **({"LD_PRELOAD": preload, "ASAN_OPTIONS": "detect_leaks=0"} if preload else {})}
        return self.spawn("console", "/usr/sbin/mosquitto", "-c", file, env=environment)

    def start(self):
        self.broker = self.launch()
        wait_for(lambda: answers(self.port) or self.broker.poll() is not None, "mosquitto listens")
        self.assertIsNone(self.broker.poll(), self.log("console") + self.log("mosquitto"))

    def connect(self, password, client_id=DEVICE, username=MAC, **more):
        client = Client(self.port, self.certificate, client_id, username, password, **more)
        self.addCleanup(client.socket.close)
        return client

    def good(self, client_id=DEVICE, username=MAC, **more):
        client = self.connect(self.issuer.token(self.issuer.claims(client_id, username)), client_id, username, **more)
        self.assertEqual(client.code, 0, self.log("mosquitto"))
        return client

    def server(self):
        client = self.connect(self.issuer.token(self.issuer.server_claims()), "otariad-1", "otariad-1")
        self.assertEqual(client.code, 0, self.log("mosquitto"))
        for topic in ("+/ota/status", "+/ota/state"):
            self.assertEqual(client.subscribe(topic), 1)
        return client

    def assertRefused(self, client):
        self.assertEqual(client.code, NOT_AUTHORIZED)


class Admission(MosquittoCase):
    def test_01_a_device_with_a_good_token_does_its_work(self):
        server, device = self.server(), self.good()
        self.assertEqual(device.subscribe(NOTICE), 1)
        device.publish(STATUS, "a status")
        device.publish(STATE, "a state", retain=True)
        self.assertEqual(server.wait_for_message(STATUS), (STATUS, "a status", False))
        self.assertEqual(server.wait_for_message(STATE), (STATE, "a state", False))
        server.publish(NOTICE, "a notice", retain=True)
        self.assertEqual(device.wait_for_message(NOTICE)[1], "a notice")
        late = self.server()
        self.assertEqual(late.wait_for_message(STATE), (STATE, "a state", True))

    def test_02_nobody_comes_in_without_a_name_or_a_token(self):
        self.assertRefused(self.connect(None, username=None))
        self.assertRefused(self.connect(None))
        self.assertRefused(self.connect(""))

    def test_03_to_11_13_18_hostile_tokens_are_refused(self):
        for name, token in self.issuer.hostile_tokens():
            with self.subTest(name):
                client = self.connect(token)
                # 64 KB is above max_packet_size: the broker closes without asking anybody.
                self.assertIn(client.code, (NOT_AUTHORIZED, None) if "64 KB" in name else (NOT_AUTHORIZED,))
        self.assertEqual(self.good().code, 0)

    def test_12_an_audience_may_be_a_list(self):
        self.assertEqual(self.connect(self.issuer.token(self.issuer.claims(aud=["other", "otaria"]))).code, 0)

    def test_14_the_user_name_must_be_the_tokens(self):
        self.assertRefused(self.connect(self.issuer.token(), username=OTHER_MAC))
        self.assertRefused(self.connect(self.issuer.token(), username=MAC.upper()))

    def test_15_a_user_name_with_colons_is_good_when_the_claim_is_the_same(self):
        colons = "A4:CF:12:E0:A1:B2"
        self.assertEqual(self.connect(self.issuer.token(self.issuer.claims(mac=colons)), username=colons).code, 0)

    def test_16_the_client_id_must_be_the_tokens(self):
        self.assertRefused(self.connect(self.issuer.token(), client_id=OTHER))
        self.assertRefused(self.connect(self.issuer.token(), client_id=""))

    def test_17_a_thief_of_a_client_id_does_not_disturb_its_owner(self):
        owner = self.good(OTHER, OTHER_MAC)
        self.assertRefused(self.connect(self.issuer.token(), client_id=OTHER))
        self.assertRefused(self.connect(self.issuer.token(), client_id=OTHER, username=OTHER_MAC))
        self.assertEqual(owner.subscribe(f"{OTHER}/firmware/update"), 1)

    def test_19_a_token_must_name_its_key(self):
        self.assertRefused(self.connect(self.issuer.token(header=self.issuer.header(kid=None))))

    def test_20_21_rights_must_be_there_and_well_formed(self):
        for acl in (None, [], "all", {"sub": "x"}, {"sub": ["a/#/b"]}, [{"permission": "allow", "action": "all", "topic": "#"}]):
            with self.subTest(acl=acl):
                self.assertRefused(self.connect(self.issuer.token(self.issuer.claims(acl=acl))))


class Rights(MosquittoCase):
    def test_22_to_26_foreign_and_wild_subscriptions_are_refused(self):
        device = self.good()
        for topic in (f"{OTHER}/firmware/update", "#", "+/firmware/update", f"{DEVICE}/#", f"{DEVICE}/+/update", STATUS,
                      f"$share/g/{OTHER}/firmware/update", "$share/g/#", "$SYS/#", "$SYS/broker/version"):
            with self.subTest(topic):
                self.assertEqual(device.subscribe(topic), REFUSED_FILTER)
        self.assertEqual(device.subscribe(f"$share/g/{NOTICE}"), 1)

    def test_27_to_29_foreign_publications_reach_nobody(self):
        server, device = self.server(), self.good()
        other = self.good(OTHER, OTHER_MAC)
        self.assertEqual(device.subscribe(NOTICE), 1)
        self.assertEqual(other.subscribe(f"{OTHER}/firmware/update"), 1)
        for topic in (NOTICE, f"{OTHER}/firmware/update", f"{OTHER}/ota/status", f"{OTHER}/ota/state", "$CONTROL/x",
                      f"$delayed/1/{OTHER}/ota/status", f"$share/g/{STATUS}"):
            device.publish(topic, "forged", retain=True)
        device.publish(STATUS, "the last one")
        self.assertEqual(server.wait_for_message(STATUS)[1], "the last one")
        for client in (device, other, server):
            client.ping()
            self.assertEqual(client.messages, [])
        self.assertEqual(self.server().messages, [])  # nothing was retained either

    def test_30_a_will_on_anothers_topic_is_not_sent(self):
        server = self.server()
        self.good(will=(f"{OTHER}/ota/state", "forged")).cut()
        wait_for(lambda: "closed its connection" in self.log("mosquitto"), "the broker has noticed")
        self.good(OTHER, OTHER_MAC).publish(f"{OTHER}/ota/status", "the last one")
        self.assertEqual(server.wait_for_message(f"{OTHER}/ota/status")[1], "the last one")
        self.assertEqual(server.messages, [])

    def test_31_a_devices_own_will_is_sent(self):
        server = self.server()
        self.good(will=(STATE, "offline")).cut()
        self.assertEqual(server.wait_for_message(STATE)[1], "offline")

    def test_a_server_reads_and_writes_every_device_but_no_more(self):
        server = self.server()
        for topic in ("#", "+/telemetry", "+/firmware/update", "$SYS/#", "+/ota/+"):
            self.assertEqual(server.subscribe(topic), REFUSED_FILTER, topic)
        self.assertEqual(server.subscribe("$share/otaria/+/ota/status"), 1)


class Changes(MosquittoCase):
    KICKED_WITHIN_S = 10 * TIME_FACTOR  # promised: 2 s; the machine may be busy

    def test_32_a_client_whose_token_ends_is_disconnected_and_its_will_sent(self):
        server, now, lives_s = self.server(), int(time.time()), 2 * TIME_FACTOR
        device = self.connect(self.issuer.token(self.issuer.claims(iat=now - 100, exp=now + lives_s)), will=(STATE, "offline"))
        self.assertEqual(device.code, 0)
        self.assertIsNotNone(device.wait_until_closed(self.KICKED_WITHIN_S))
        self.assertGreaterEqual(time.time(), now + lives_s)
        self.assertEqual(server.wait_for_message(STATE)[1], "offline")

    def test_33_a_device_that_is_revoked_is_disconnected_and_stays_out(self):
        server, device, other = self.server(), self.good(will=(STATE, "offline")), self.good(OTHER, OTHER_MAC)
        replace(self.denylist, f"sub:{MAC}\n")
        self.assertIsNotNone(device.wait_until_closed(self.KICKED_WITHIN_S))
        self.assertEqual(server.wait_for_message(STATE)[1], "offline")
        self.assertRefused(self.connect(self.issuer.token()))
        self.assertTrue(other.is_connected())
        replace(self.denylist, "")
        wait_for(lambda: self.connect(self.issuer.token()).code == 0, "the device is admitted again")

    def test_33_a_single_token_can_be_revoked(self):
        claims = self.issuer.claims()
        device = self.connect(self.issuer.token(claims))
        replace(self.denylist, f"jti:{claims['jti']}\n")
        self.assertIsNotNone(device.wait_until_closed(self.KICKED_WITHIN_S))
        self.assertRefused(self.connect(self.issuer.token(claims)))
        self.assertEqual(self.good().code, 0)

    def test_34_a_new_issuer_key_is_good_at_once_and_drops_nobody(self):
        device, successor = self.good(), Issuer("issuer-2")
        token = successor.token(successor.claims(OTHER, OTHER_MAC))
        self.assertRefused(self.connect(token, OTHER, OTHER_MAC))
        self.write_keys(self.issuer, successor)
        wait_for(lambda: self.connect(token, OTHER, OTHER_MAC).code == 0, "the new key is known", self.KICKED_WITHIN_S)
        self.assertTrue(device.is_connected())

    def test_35_a_withdrawn_issuer_key_opens_nothing_any_more(self):
        successor = Issuer("issuer-2")
        self.write_keys(self.issuer, successor)
        wait_for(lambda: self.connect(successor.token()).code == 0, "the new key is known")
        old = self.good(OTHER, OTHER_MAC)
        new = self.connect(successor.token())
        self.write_keys(successor)
        self.assertIsNotNone(old.wait_until_closed(self.KICKED_WITHIN_S))
        self.assertRefused(self.connect(self.issuer.token()))
        self.assertTrue(new.is_connected())

    def test_36_keys_stay_in_force_when_their_file_breaks_or_goes(self):
        self.jwks.write_text("{")
        wait_for(lambda: "no usable issuer keys" in self.log("mosquitto"), "the broker warns")
        self.good()
        self.jwks.unlink()
        wait_for(lambda: "no file of issuer keys" in self.log("mosquitto"), "the broker warns")
        self.good()


class Restarts(MosquittoCase):
    def test_37_a_sighup_drops_none_of_a_thousand_clients(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
        clients = []
        for number in range(1000):
            mac = f"a4cf12{number:06x}"
            # A keep-alive longer than it takes a busy machine to make a thousand connections.
            clients.append(self.good(f"sensor_{number}", mac, keep_alive=300))
        slowest, reloaded_at, limit = 0.0, None, time.monotonic() + LIMIT_S
        self.broker.send_signal(signal.SIGHUP)
        # Without a pause, so that whatever holds up the broker's loop falls between a question and its answer.
        while reloaded_at is None or time.monotonic() - reloaded_at < 0.5:
            began = time.monotonic()
            clients[0].ping()
            slowest = max(slowest, time.monotonic() - began)
            if reloaded_at is None and "Reloading config" in self.log("mosquitto"):
                reloaded_at = time.monotonic()
            self.assertLess(time.monotonic(), limit, "the broker reloads")
        print(f"SIGHUP with {len(clients)} clients: the slowest ping took {slowest * 1000:.1f} ms", file=sys.stderr)
        self.assertTrue(all(client.is_connected() for client in clients))
        self.assertEqual(clients[7].subscribe("sensor_7/firmware/update"), 1)
        self.assertEqual(clients[7].subscribe("sensor_8/firmware/update"), REFUSED_FILTER)

    def test_38_a_session_of_before_the_restart_gets_nothing_until_its_owner_is_back(self):
        device = self.good(clean=False)
        self.assertEqual(device.subscribe(NOTICE), 1)
        device.disconnect()
        self.broker.terminate()
        self.broker.wait(LIMIT_S)
        self.start()
        server = self.server()
        server.publish(NOTICE, "while unknown")
        server.publish(NOTICE, "retained", retain=True)
        back = self.good(clean=False)
        self.assertTrue(back.session_present)
        back.ping()
        self.assertEqual(back.messages, [])
        self.assertEqual(back.subscribe(NOTICE), 1)
        self.assertEqual(back.wait_for_message(NOTICE), (NOTICE, "retained", True))

    def test_39_a_device_that_comes_back_over_its_old_connection_keeps_its_rights(self):
        for clean in (True, False):
            with self.subTest(clean=clean):
                old = self.good(clean=clean)
                new = self.good(clean=clean)
                self.assertIsNotNone(old.wait_until_closed())
                self.assertEqual(new.subscribe(NOTICE), 1)
                self.assertEqual(new.subscribe("#"), REFUSED_FILTER)
                self.assertTrue(new.is_connected())

    def test_39_a_device_that_comes_back_with_the_very_same_token_keeps_its_rights(self):
        token = self.issuer.token()
        old, new = self.connect(token), self.connect(token)
        self.assertIsNotNone(old.wait_until_closed())
        self.assertEqual(new.subscribe(NOTICE), 1)

    def test_40_hostile_connects_do_not_disturb_good_clients(self):
        clients = [self.good(f"sensor_{number}", f"a4cf12{number:06x}") for number in range(20)]
        stranger, slowest = Issuer(), 0.0
        for number in range(200):
            self.assertRefused(self.connect(stranger.token()))
            began = time.monotonic()
            clients[number % len(clients)].ping()
            slowest = max(slowest, time.monotonic() - began)
        print(f"beside 200 hostile connects the slowest ping took {slowest * 1000:.1f} ms", file=sys.stderr)
        self.assertTrue(all(client.is_connected() for client in clients))
        self.assertLess(self.log("mosquitto").count("otaria: refused"), 200)


class FailClosed(MosquittoCase):
    def start(self):
        pass  # each test tries on its own

    def assertDoesNotStart(self, reason):
        broker = self.launch()
        wait_for(lambda: broker.poll() is not None, "mosquitto has ended")
        self.assertNotEqual(broker.returncode, 0)
        self.assertIn(reason, self.log("mosquitto"))

    def test_without_usable_keys_the_broker_does_not_start(self):
        for content in ("", "{", '{"keys":[]}'):
            self.jwks.write_text(content)
            self.assertDoesNotStart("no usable issuer keys")
        self.jwks.unlink()
        self.assertDoesNotStart("no file of issuer keys")

    def test_with_a_private_key_in_its_file_the_broker_does_not_start(self):
        self.jwks.write_text(json.dumps({"keys": [{**self.issuer.jwk(), "d": "c2VjcmV0"}]}))
        self.assertDoesNotStart("private key")

    def test_with_a_denylist_that_cannot_be_read_the_broker_does_not_start(self):
        self.denylist.write_text(f"{MAC}\n")
        self.assertDoesNotStart("line 1")

    def test_with_an_option_that_is_misspelt_the_broker_does_not_start(self):
        right = self.configuration
        self.configuration = lambda: right().replace("plugin_opt_denylist", "plugin_opt_denylst")
        self.assertDoesNotStart("plugin_opt_denylst is unknown")


class Library(unittest.TestCase):
    def test_exports_its_three_entry_points_and_nothing_else(self):
        listed = subprocess.run(["nm", "-D", "--defined-only", "--format=just-symbols", PLUGIN], check=True, capture_output=True, text=True)
        self.assertEqual(sorted(listed.stdout.split()),
                         ["mosquitto_plugin_cleanup", "mosquitto_plugin_init", "mosquitto_plugin_version"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
