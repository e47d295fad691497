#!/usr/bin/python3
"""Debian's RabbitMQ, configured by deploy/rabbitmq, refuses what the other brokers refuse, with the hook that otariad answers.

Numbers in names are the rows of the matrix in docs/guide/brokers.md. Half of these tokens no otariad would make, so issuer and hook are the
test's own; the hook asks otaria-token-check, which runs the very check of otariad's. otariad itself: rabbitmq_otariad_test.py. One node
for all tests: it takes seconds to start. Environment: OTARIA_TOKEN_CHECK, the program.
"""
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent / "testing"))
from broker_case import BrokerCase, wait_for  # noqa: E402
from issuer import DEVICE, MAC, OTHER, OTHER_MAC, Issuer  # noqa: E402
from mqtt_client import Client, Closed  # noqa: E402
from rabbitmq_node import BAD_CREDENTIALS, Node  # noqa: E402

TOKEN_CHECK = os.environ["OTARIA_TOKEN_CHECK"]
NOTICE, STATUS, STATE = f"{DEVICE}/firmware/update", f"{DEVICE}/ota/status", f"{DEVICE}/ota/state"


class Hook(http.server.ThreadingHTTPServer):
    """Answers RabbitMQ's question who may connect."""

    daemon_threads = True

    def __init__(self, jwks):
        super().__init__(("127.0.0.1", 0), HookRequest)
        self.jwks, self.paths = jwks, set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class HookRequest(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
        self.server.paths.add(self.path)
        checked = subprocess.run(
            [TOKEN_CHECK, "--jwks", self.server.jwks, f"--username={form.get('username', '')}", f"--client-id={form.get('client_id', '')}"],
            input=form.get("password", ""), text=True, capture_output=True)
        answer = b"allow" if checked.returncode == 0 else b"deny"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass


class RabbitMq(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = BrokerCase()
        cls.addClassCleanup(cls.stage.doCleanups)
        cls.stage.setUp()
        cls.issuer = Issuer(with_scope=True)
        jwks = cls.stage.directory / "jwks.json"
        jwks.write_text(json.dumps({"keys": [cls.issuer.jwk()]}))
        cls.hook = Hook(jwks)
        cls.stage.addCleanup(cls.hook.close)
        cls.node = Node(cls.stage, cls.issuer.key_id, cls.issuer.public_pem(), f"http://127.0.0.1:{cls.hook.server_port}")

    def connect(self, password, client_id=DEVICE, username=MAC, **more):
        client = Client(self.stage.port, self.stage.certificate, client_id, username, password, **more)
        self.addCleanup(client.socket.close)
        return client

    def good(self, client_id=DEVICE, username=MAC, **more):
        client = self.connect(self.issuer.token(self.issuer.claims(client_id, username)), client_id, username, **more)
        self.assertEqual(client.code, 0, self.stage.log("rabbitmq")[-4000:])
        return client

    def server(self):
        client = self.connect(self.issuer.token(self.issuer.server_claims()), "otariad-1", "otariad-1")
        self.assertEqual(client.code, 0, self.stage.log("rabbitmq")[-4000:])
        for topic in ("+/ota/status", "+/ota/state"):
            self.assertEqual(client.subscribe(topic), 1)
        return client

    def assertRefused(self, client):
        self.assertEqual(client.code, BAD_CREDENTIALS)

    def test_01_a_device_with_a_good_token_does_its_work(self):
        server, device = self.server(), self.good()
        self.assertEqual(device.subscribe(NOTICE), 1)
        device.publish(STATUS, "a status")
        device.publish(STATE, "a state", retain=True)
        self.assertEqual(server.wait_for_message(STATUS)[1], "a status")
        self.assertEqual(server.wait_for_message(STATE)[1], "a state")
        server.publish(NOTICE, "a notice", retain=True)
        self.assertEqual(device.wait_for_message(NOTICE)[1], "a notice")
        device.disconnect()
        late = self.good()
        self.assertEqual(late.subscribe(NOTICE), 1)
        self.assertEqual(late.wait_for_message(NOTICE)[1], "a notice")
        server.publish(NOTICE, "", retain=True)
        # What the reference says: with oauth2 for rights, RabbitMQ asks the hook for users only.
        self.assertEqual(self.hook.paths, {"/broker/rabbitmq/user"})

    def test_02_nobody_comes_in_without_a_name_or_a_token(self):
        self.assertRefused(self.connect(None, username=None))
        self.assertRefused(self.connect(""))

    def test_03_to_13_18_hostile_tokens_are_refused(self):
        for name, token in self.issuer.hostile_tokens():
            with self.subTest(name):
                self.assertRefused(self.connect(token))

    def test_14_the_user_name_must_be_the_tokens(self):
        self.assertRefused(self.connect(self.issuer.token(), username=OTHER_MAC))
        self.assertRefused(self.connect(self.issuer.token(), username=MAC.upper()))

    def test_16_the_client_id_must_be_the_tokens(self):
        self.assertRefused(self.connect(self.issuer.token(), client_id=OTHER))
        self.assertRefused(self.connect(self.issuer.token(), client_id=""))

    def test_17_a_thief_of_a_client_id_does_not_disturb_its_owner(self):
        owner = self.good(OTHER, OTHER_MAC)
        self.assertRefused(self.connect(self.issuer.token(), client_id=OTHER))
        self.assertEqual(owner.subscribe(f"{OTHER}/firmware/update"), 1)

    def test_20_a_token_without_scope_or_rights_is_refused(self):
        self.assertRefused(self.connect(self.issuer.token(self.issuer.claims(scope=None))))
        self.assertRefused(self.connect(self.issuer.token(self.issuer.claims(acl=None))))

    def test_22_23_foreign_and_wild_subscriptions_close_the_connection(self):
        for topic in (f"{OTHER}/firmware/update", "#", "+/firmware/update", f"{DEVICE}/#", f"{DEVICE}/+/update"):
            with self.subTest(topic):
                with self.assertRaises(Closed):
                    self.good().subscribe(topic)

    def test_27_28_foreign_publications_close_the_connection_and_reach_nobody(self):
        server = self.server()
        for topic in (NOTICE, f"{OTHER}/ota/status", f"{OTHER}/ota/state", f"{OTHER}/firmware/update"):
            with self.subTest(topic):
                with self.assertRaises(Closed):
                    self.good().publish(topic, "forged")
        self.good().publish(STATUS, "the last one")
        self.assertEqual(server.wait_for_message(STATUS)[1], "the last one")
        self.assertEqual([message for message in server.messages if message[1] == "forged"], [])

    def test_31_a_devices_own_will_is_sent(self):
        server = self.server()
        self.good(will=(STATE, "offline")).cut()
        self.assertEqual(wait_for(lambda: server.wait_for_message(STATE), "the will")[1], "offline")


if __name__ == "__main__":
    unittest.main(verbosity=1)
