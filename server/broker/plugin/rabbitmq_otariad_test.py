#!/usr/bin/env python3
"""RabbitMQ as deploy/rabbitmq sets it up, otariad with its own issuer and hook, and a virtual device: the whole arrangement, over TLS.

What hostile tokens meet: rabbitmq_test.py. Environment: OTARIA_BIN, the folder of our programs.
"""
import json
import os
import pathlib
import ssl
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "testing"), str(HERE.parents[1] / "api"), str(HERE.parents[1] / "app")]
from broker_case import BrokerCase, answers, free_port, wait_for  # noqa: E402
from identity_test import Device  # noqa: E402
from mqtt_client import Client, Closed  # noqa: E402
from rabbitmq_node import BAD_CREDENTIALS, Node  # noqa: E402

BIN = pathlib.Path(os.environ["OTARIA_BIN"])
LIMIT_S = 60


class Otariad:
    """One otariad in production mode, and the operator's way to it."""

    def __init__(self, stage):
        self.stage, self.port = stage, free_port()
        # Under a CA, as an operator makes them: Erlang takes no certificate that signed itself.
        for words in (("ca", "--out", "tls"), ("server", "--ca", "tls", "--host", "127.0.0.1", "--host", "localhost", "--out", "tls/server")):
            subprocess.run([BIN / "otaria", "cert", *words], cwd=stage.directory, check=True, capture_output=True, timeout=LIMIT_S)
        self.ca = stage.directory / "tls/ca.pem"
        stage.certificate, stage.key = (stage.directory / f"tls/server/server.{end}" for end in ("pem", "key"))
        self.origin = f"https://127.0.0.1:{self.port}"
        self.data = stage.directory / "data"
        config = stage.directory / "otaria.toml"
        config.write_text(f"""
data = "{self.data}"
public_url = "{self.origin}"
[http]
listen = "127.0.0.1:{self.port}"
certificate = "{stage.certificate}"
private_key = "{stage.key}"
[mqtt]
url = "mqtts://127.0.0.1:{stage.port}"
ca_file = "{self.ca}"
token = "self"
[tokens]
broker = "rabbitmq"
""")
        process = stage.spawn("otariad", BIN / "otariad", "--config", config)
        wait_for(lambda: answers(self.port) or process.poll() is not None, "otariad listens")
        if process.poll() is not None:
            raise AssertionError("otariad has ended:\n" + stage.log("otariad"))
        self.token = (self.data / "bootstrap-token").read_text().strip()

    def call(self, method, path, body=None, token=None):
        request = urllib.request.Request(self.origin + path, body, {"Authorization": f"Bearer {token}"} if token else {}, method=method)
        trust = ssl.create_default_context(cafile=self.ca)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S, context=trust) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def admin(self, method, path, body=None):
        return self.call(method, "/api/v1" + path, body, self.token)

    def otaria(self, *words):
        environment = {**os.environ, "OTARIA_SERVER": self.origin, "OTARIA_CA_FILE": str(self.ca),
                       "OTARIA_TOKEN_FILE": str(self.data / "bootstrap-token")}
        done = subprocess.run([BIN / "otaria", "--json", *(str(word) for word in words)], capture_output=True, text=True, timeout=120,
                              env=environment, check=False)
        if done.returncode != 0:
            raise AssertionError(f"otaria {words[:2]} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def key(self):
        """The issuer's key as an operator gives it to RabbitMQ: its id, and its public half as PEM."""
        key_id = self.otaria("issuer", "show")["items"][0]["kid"]
        made = subprocess.run(["openssl", "pkey", "-in", self.data / f"keys/issuer-{key_id}.pem", "-pubout"], capture_output=True, check=True)
        return key_id, made.stdout

    def connected(self):
        return self.admin("GET", "/server")[1]["broker"]["connected"]


class RabbitMqWithOtariad(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = BrokerCase()
        cls.addClassCleanup(cls.stage.doCleanups)
        cls.stage.setUp()
        cls.server = Otariad(cls.stage)
        cls.node = Node(cls.stage, *cls.server.key(), f"https://localhost:{cls.server.port}", cls.server.ca)
        try:
            wait_for(cls.server.connected, "otariad is connected to RabbitMQ", LIMIT_S)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{cls.stage.log('otariad')[-3000:]}\n{cls.stage.log('rabbitmq')[-3000:]}") from late

    def imported(self, mac):
        """A device whose key the factory has read, and its token."""
        device = Device(mac)
        line = f"id,mac,public_key\n,{mac},{device.pub}"
        status, answer = self.server.admin("POST", "/devices/import", line.encode())
        self.assertEqual(status, 200, answer)
        nonce = self.server.call("POST", "/api/v1/device/nonce", b"")[1]["nonce"]
        identity = "sensor_" + mac[-4:].upper()
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": device.assertion(nonce, self.server.origin, id=identity)}
        status, answer = self.server.call("POST", "/api/v1/device/token", urllib.parse.urlencode(form).encode())
        self.assertEqual((status, answer.get("clientid")), (200, identity), answer)
        return answer["token"], identity

    def connect(self, token, client_id, username):
        client = Client(self.stage.port, self.server.ca, client_id, username, token)
        self.addCleanup(client.socket.close)
        return client

    def good(self, token, client_id, username):
        client = self.connect(token, client_id, username)
        self.assertEqual(client.code, 0, self.stage.log("rabbitmq")[-4000:])
        return client

    def test_a_production_device_enrols_connects_and_updates_to_confirmed(self):
        folder, otaria = self.stage.directory, self.server.otaria
        for name, role in (("a", "root"), ("b", "root"), ("release", "release")):
            otaria("key", "create", "--role", role, "--out", folder / f"{name}.key", "--development")
        otaria("keylist", "make", "--root", folder / "a.key", "--root", folder / "b.key", "--threshold-root", 2,
               "--release", folder / "release.key", "--out", folder / "1.json", "--development")
        otaria("keylist", "sign", folder / "1.json", "--key", folder / "a.key", "--out", folder / "1.jws", "--development")
        otaria("keylist", "sign", folder / "1.jws", "--key", folder / "b.key", "--development")
        otaria("keylist", "publish", folder / "1.jws")
        for version in ("1.3.0", "1.4.0"):
            otaria("image", "make", folder / f"{version}.bin", "--version", version, "--project", "sensor", "--size", 60000)
        claim = otaria("device", "claim", "020000e0c1d2")["items"][0]["claim"]
        device = [BIN / "otaria-device", "--flash", folder / "device.flash"]
        subprocess.run([*device, "--factory", folder / "1.3.0.bin", "--mac", "020000e0c1d2", "--app-version", "1.3.0",
                        "--keylist", folder / "1.jws", "--ca", self.server.ca, "--server", self.server.origin, "--claim", claim],
                       check=True, capture_output=True, timeout=LIMIT_S)
        self.stage.spawn("device", *device, "--mqtt", f"mqtts://127.0.0.1:{self.stage.port}", "--retry-first-ms", 100)
        known = lambda: self.server.admin("GET", "/devices/sensor_C1D2")[0] == 200
        wait_for(known, "the device says its state: " + self.stage.log("device")[-2000:], LIMIT_S)
        otaria("release", "publish", folder / "1.4.0.bin", "--key", folder / "release.key", "--development")
        sent = otaria("update", "send", "sensor_C1D2", "--release", "1.4.0", "--wait")
        self.assertEqual([item["state"] for item in sent["items"]], ["succeeded"], sent)
        state = self.server.admin("GET", "/devices/sensor_C1D2")[1]
        self.assertEqual((state["version"], state["confirmed"], state["mode"]), ("1.4.0", True, "production"), state)

    def test_a_devices_token_opens_its_own_topics_only(self):
        token, identity = self.imported("a4cf12e0a1b2")
        device = self.good(token, identity, "a4cf12e0a1b2")
        self.assertEqual(device.subscribe(f"{identity}/firmware/update"), 1)
        device.publish(f"{identity}/ota/status", "a status")
        device.publish(f"{identity}/telemetry", "a measurement")
        self.assertEqual(device.subscribe(f"{identity}/firmware/update"), 1)  # still there: nothing of it was refused
        for topic in ("sensor_FFFF/firmware/update", "#", "+/firmware/update"):
            with self.subTest(topic), self.assertRaises(Closed):
                self.good(token, identity, "a4cf12e0a1b2").subscribe(topic)
        for topic in ("sensor_FFFF/ota/status", "sensor_FFFF/firmware/update", f"{identity}/firmware/update"):
            with self.subTest(topic), self.assertRaises(Closed):
                self.good(token, identity, "a4cf12e0a1b2").publish(topic, "forged")

    def test_the_hook_of_otariad_binds_names_to_the_token_and_spares_the_victim(self):
        token, identity = self.imported("a4cf12e0d3e4")
        other_token, other = self.imported("a4cf12e0f5a6")
        owner = self.good(other_token, other, "a4cf12e0f5a6")
        self.assertEqual(self.connect(token, other, "a4cf12e0d3e4").code, BAD_CREDENTIALS)
        self.assertEqual(self.connect(token, identity, "a4cf12e0f5a6").code, BAD_CREDENTIALS)
        self.assertEqual(self.connect(token[:-4] + "AAAA", identity, "a4cf12e0d3e4").code, BAD_CREDENTIALS)
        self.assertEqual(owner.subscribe(f"{other}/firmware/update"), 1)

    def test_a_suspended_device_is_refused_at_its_next_connect(self):
        token, identity = self.imported("a4cf12e0b7c8")
        self.good(token, identity, "a4cf12e0b7c8").disconnect()
        body = json.dumps({"state": "suspended"}).encode()
        self.assertEqual(self.server.admin("POST", f"/devices/{identity}/state", body)[0], 200)
        # RabbitMQ itself would take it: the token is genuine and has not expired.
        self.assertEqual(self.connect(token, identity, "a4cf12e0b7c8").code, BAD_CREDENTIALS)


if __name__ == "__main__":
    unittest.main(verbosity=1)
