"""otariad, Mosquitto and what a device says, for the tests of the whole program. Everything listens on 127.0.0.1."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from signing import base64url

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "broker/plugin/testing"))
from mqtt_client import Client, Closed  # noqa: E402
from ports import free_port  # noqa: E402

LIMIT_S = 30 * int(os.environ.get("OTARIA_TIME_FACTOR", "1"))


def wait_for(claim, what):
    """The claim's value once it is true; far beyond any real delay it fails."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        value = claim()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"did not come true within {LIMIT_S} s: {what}")


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def make_image(version="1.4.0", project="sensor", chip=9, size=4096):
    """The smallest genuine application image: descriptor in DROM, the rest in IRAM, checksum, appended SHA-256."""
    descriptor = struct.pack("<IIII", 0xABCD5432, 0, 0, 0)
    descriptor += version.encode().ljust(32, b"\0") + project.encode().ljust(32, b"\0")
    descriptor += b"\0" * 32 + b"v5.5.1".ljust(32, b"\0") + hashlib.sha256(version.encode()).digest()
    descriptor = descriptor.ljust(256, b"\0")
    code = bytes((i * 7) & 0xFF for i in range(size))
    segments = [(0x3C000020, descriptor), (0x40374000, code)]
    image = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x3F, 0x40374000)
    image += b"\xee\0\0\0" + struct.pack("<HBHH", chip, 0, 0, 0xFFFF) + b"\0" * 4 + b"\x01"
    checksum = 0xEF
    for address, data in segments:
        image += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    image += b"\0" * (15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class ServerCase(unittest.TestCase):
    """A test with a directory, ports, and programs that end with it."""

    otariad = os.environ.get("OTARIAD", "")

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="otariad-test-"))
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.http, self.mqtt = free_port(), free_port()
        self.processes = []
        self.tokens = {}  # by port: what call() shows unless told otherwise
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def spawn(self, *words):
        log = open(self.directory / (pathlib.Path(words[0]).name + ".log"), "ab")
        self.addCleanup(log.close)
        process = subprocess.Popen(words, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def log(self, name="otariad"):
        return (self.directory / f"{name}.log").read_text()

    def start_broker(self):
        broker = self.spawn("/usr/sbin/mosquitto", "-p", str(self.mqtt))
        wait_for(lambda: answers(self.mqtt), "mosquitto listens")
        return broker

    def start_server(self, *more, data="data", http=None):
        server = self.spawn(self.otariad, "--data", str(self.directory / data), "--http", f"127.0.0.1:{http or self.http}",
                            "--mqtt", f"mqtt://127.0.0.1:{self.mqtt}",
                            # On loopback nobody would be asked for one.
                            *([] if "--access" in more else ["--access", "tokens"]), *more)
        wait_for(lambda: answers(http or self.http) or server.poll() is not None, "otariad listens")
        self.assertIsNone(server.poll(), self.log())
        token = self.directory / data / "bootstrap-token"
        self.tokens[http or self.http] = token.read_text().strip() if token.exists() else None
        return server

    def call(self, method, path, body=None, headers=None, http=None, token=""):
        """`token`: another one than the server's bootstrap token, or None for none."""
        token = self.tokens.get(http or self.http) if token == "" else token
        if token is not None:
            headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(f"http://127.0.0.1:{http or self.http}{path}", body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as reply:
                return Reply(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers, error.read())

    def get(self, path):
        return self.call("GET", path)

    def connected(self):
        wait_for(lambda: self.get("/api/v1/server").json()["broker"]["connected"], "the broker is connected")

    def publish_release(self, query="", image=None):
        return self.call("POST", "/api/v1/releases" + query, image or make_image(), {"Content-Type": "application/octet-stream"})

    def fetch(self, release, headers=None, method="GET"):
        """An image, from the URL that its release names, without an operator's token."""
        base = f"http://127.0.0.1:{self.http}"
        self.assertTrue(release["url"].startswith(base + "/firmware/"), release["url"])
        return self.call(method, release["url"].removeprefix(base), headers=headers, token=None)

    def kept(self, digest):
        """Whether the server has an image of this digest on its disk."""
        return (self.directory / "data" / "artifacts" / f"{digest}.bin").exists()

    def publish_signed(self, image, manifest, query=""):
        headers = {"Content-Type": "application/octet-stream", "Otaria-Manifest": base64url(manifest)}
        return self.call("POST", "/api/v1/releases" + query, image, headers)

    def publish_keys(self, file):
        return self.call("PUT", "/api/v1/keylist", file, {"Content-Type": "application/jose"})

    def say(self, topic, message, retain=False):
        words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.mqtt), "-q", "1", "-t", topic, "-m",
                 message if isinstance(message, str) else json.dumps(message)]
        subprocess.run(words + (["-r"] if retain else []), check=True, timeout=LIMIT_S)

    def device_says_state(self, device="sensor_A1B2", session=1, seq=1, **more):
        state = {"id": device, "mac": "a4cf12e0a1b2", "online": True, "session": session, "product": "sensor", "hardware": "esp32s3-8mb",
                 "chip": "esp32s3", "channel": "stable", "version": "1.3.0", "mode": "development", "max_image": 3342336,
                 "confirmed": True, "seq": seq, **more}
        self.say(f"{device}/ota/state", state, retain=True)

    def register(self, device="sensor_A1B2", **more):
        self.device_says_state(device, **more)
        wait_for(lambda: self.get(f"/api/v1/devices/{device}").status == 200, f"{device} is registered")

    def device_says_status(self, update, state, seq, device="sensor_A1B2", **more):
        self.say(f"{device}/ota/status", {"id": device, "version": "1.3.0", "update": update, "target": "1.4.0", "state": state, "seq": seq, **more})

    def retained_notice(self, device="sensor_A1B2", listen_s=0):
        """The retained notice, or nothing; `listen_s`: when there is none, so long is waited for one."""
        topic = f"{device}/firmware/update"
        try:
            client = Client(self.mqtt, None, "onlooker")
        except OSError:
            return None  # no broker, no notice
        with client.socket:
            try:
                client.subscribe(topic)
                client.ping()  # what is retained came before the answer
                found = client.messages[-1] if client.messages else client.wait_for_message(topic, listen_s)
            except Closed:
                return None
        return json.loads(found[1]) if found and found[1] else None

    def assertNoNotice(self):
        """Neither now nor a moment later."""
        self.assertIsNone(self.retained_notice(listen_s=1))

    def update(self, update):
        return self.get(f"/api/v1/updates/{update}").json()

    def wait_state(self, update, state):
        wait_for(lambda: self.update(update)["state"] == state, f"{update} is {state}, not {self.update(update)['state']}")

    def send(self, release="1.4.0", device="sensor_A1B2", **more):
        reply = self.call("POST", "/api/v1/updates", {"devices": [device], "release": release, **more})
        self.assertEqual(reply.status, 202, reply.body)
        return reply.json()["items"][0]["id"]

    @staticmethod
    def kill_hard(process):
        process.send_signal(signal.SIGKILL)
        process.wait()
