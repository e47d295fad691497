#!/usr/bin/env python3
"""The REST API against a running otariad, held to server/api/openapi.yaml and to the table in endpoints.cpp. Environment: OTARIAD."""
import hashlib
import pathlib
import re
import sys
import unittest
import urllib.request

import jsonschema
import yaml

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "app"))
from otariad_harness import ServerCase, make_image, wait_for  # noqa: E402

OPENAPI = yaml.safe_load((HERE / "openapi.yaml").read_text())


def resolved(node):
    while isinstance(node, dict) and "$ref" in node:
        target = OPENAPI
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operation_of(method, path):
    for pattern, operations in OPENAPI["paths"].items():
        if re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", pattern), path) and method.lower() in operations:
            return operations[method.lower()]
    return None


class Document(unittest.TestCase):
    def test_lists_exactly_the_endpoints_of_the_table(self):
        table = set(re.findall(r'Endpoint\{"([A-Z]+)",\s*"([^"]+)"', (HERE / "endpoints.cpp").read_text()))
        document = {(method.upper(), path) for path, operations in OPENAPI["paths"].items() for method in operations}
        self.assertGreater(len(table), 10)
        self.assertEqual(table, document)

    def test_every_operation_has_a_name_a_summary_and_responses(self):
        names = [operation["operationId"] for operations in OPENAPI["paths"].values() for operation in operations.values()]
        self.assertEqual(len(names), len(set(names)))
        for operations in OPENAPI["paths"].values():
            for operation in operations.values():
                self.assertTrue(operation["summary"] and operation["responses"])

    def test_every_schema_is_one(self):
        for schema in OPENAPI["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)


class ApiCase(ServerCase):
    """Every exchange is checked against the document: status, content type and shape."""

    def setUp(self):
        super().setUp()
        self.start_broker()
        self.start_server()

    def call(self, method, path, body=None, headers=None, http=None, token=""):
        reply = super().call(method, path, body, headers, http, token)
        operation = operation_of(method, path.split("?")[0])
        if operation:
            self.check_against(operation, reply, f"{method} {path}")
        return reply

    def check_against(self, operation, reply, what):
        self.assertIn(str(reply.status), operation["responses"], f"{what} answered {reply.status}: {reply.body[:300]}")
        content = resolved(operation["responses"][str(reply.status)]).get("content", {})
        kind = reply.headers.get("Content-Type", "").split(";")[0]
        if content:
            self.assertIn(kind, content, what)
        if kind.endswith("json"):
            schema = {**content[kind]["schema"], "components": OPENAPI["components"]}
            jsonschema.Draft202012Validator(schema).validate(reply.json())

    def refused(self, reply, status, code):
        self.assertEqual((reply.status, reply.json()["code"]), (status, code), reply.body)
        self.assertEqual(reply.json()["status"], status)
        self.assertTrue(reply.json()["detail"])

    def refused_shape(self, reply, status):
        self.assertEqual(reply.status, status)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        jsonschema.Draft202012Validator(OPENAPI["components"]["schemas"]["Problem"]).validate(reply.json())


class Api(ApiCase):
    # releases

    def test_publishes_an_image_and_serves_it(self):
        image = make_image("1.4.0")
        reply = self.publish_release("?product=sensor&hardware=b&hardware=a&notes=first", image)
        self.assertEqual(reply.status, 201)
        release = reply.json()
        self.assertEqual((release["version"], release["hardware"], release["chip"], release["size"]), ("1.4.0", ["a", "b"], "esp32s3", len(image)))
        self.assertTrue(release["url"].startswith(f"http://127.0.0.1:{self.http}/firmware/{release['sha256']}.bin?e="))
        self.assertEqual(self.get(f"/api/v1/releases/{release['id']}").json(), release)
        served = self.fetch(release)
        self.assertEqual(served.body, image)
        self.assertIn("immutable", served.headers["Cache-Control"])
        part = self.fetch(release, {"Range": "bytes=100-199"})
        self.assertEqual((part.status, part.body), (206, image[100:200]))

    def test_takes_an_image_too_large_for_memory_buffers(self):
        image = make_image("2.0.0", size=1_400_000)
        release = self.publish_release("", image).json()
        self.assertEqual(self.fetch(release).body, image)

    def test_the_same_release_twice_is_one(self):
        first = self.publish_release()
        again = self.publish_release()
        self.assertEqual((first.status, again.status), (201, 200))
        self.assertEqual(first.json()["id"], again.json()["id"])

    def test_another_image_under_a_published_version_is_refused(self):
        self.publish_release("?version=1.4.0")
        self.refused(self.publish_release("?version=1.4.0", make_image("other")), 409, "release_exists")
        unkept = hashlib.sha256(make_image("other")).hexdigest()
        self.assertFalse(self.kept(unkept))
        self.assertEqual(self.publish_release("?version=1.4.0&hardware=x", make_image("other")).status, 201)

    def test_names_what_is_wrong_with_an_image(self):
        image = bytearray(make_image())
        image[2000] ^= 1
        self.refused(self.publish_release("", bytes(image)), 422, "digest_mismatch")
        self.refused(self.publish_release("", make_image(chip=5)), 422, "wrong_chip")
        self.refused(self.publish_release("", b"<html>" * 100), 422, "not_an_image")
        self.refused(self.publish_release("", make_image()[:-1]), 422, "digest_mismatch")
        self.assertEqual(self.get("/api/v1/releases").json()["items"], [])

    def test_an_image_larger_than_any_slot_is_too_large(self):
        self.refused(self.publish_release("", b"\xe9" + bytes(17 << 20)), 413, "too_large")

    def test_needs_a_semantic_version_from_somebody(self):
        self.refused(self.publish_release("", make_image("v5.5.1-dirty")), 422, "version_required")
        self.refused(self.publish_release("?version=1.4"), 422, "bad_version")
        self.assertEqual(self.publish_release("?version=1.4.0-rc.1%2Bb7", make_image("arduino")).json()["version"], "1.4.0-rc.1+b7")

    def test_refuses_names_that_fit_no_topic(self):
        self.refused(self.publish_release("?product=a%20b"), 400, "bad_request")
        self.refused(self.publish_release("?hardware=%2e%2e%2f"), 400, "bad_request")
        self.refused(self.publish_release("?channel=" + "c" * 17), 400, "bad_request")

    def test_lists_releases_newest_first_in_slices(self):
        ids = [self.publish_release("", make_image(f"1.0.{i}")).json()["id"] for i in range(5)]
        first = self.get("/api/v1/releases?limit=2").json()
        rest = self.get(f"/api/v1/releases?limit=10&cursor={first['next']}").json()
        self.assertEqual([item["id"] for item in first["items"] + rest["items"]], ids[::-1])
        self.assertIsNone(rest["next"])
        self.assertEqual(len(self.get("/api/v1/releases?version=1.0.3").json()["items"]), 1)
        self.refused(self.get("/api/v1/releases?limit=0"), 400, "bad_request")
        self.refused(self.get("/api/v1/releases?limit=501"), 400, "bad_request")

    # devices

    def test_shows_devices_and_what_they_reported(self):
        self.connected()
        self.register()
        device = self.get("/api/v1/devices/sensor_A1B2").json()
        self.assertEqual((device["mac"], device["version"], device["online"], device["slot"]), ("a4cf12e0a1b2", "1.3.0", True, None))
        self.assertEqual(device["updates"], [])
        self.assertEqual(len(self.get("/api/v1/devices?q=a1b").json()["items"]), 1)
        self.assertEqual(self.get("/api/v1/devices?q=nobody").json()["items"], [])
        self.refused(self.get("/api/v1/devices/nobody"), 404, "unknown_device")
        self.refused(self.get("/api/v1/devices/nobody/statuses"), 404, "unknown_device")
        self.say("sensor_A1B2/ota/state", {"id": "sensor_A1B2", "version": "1.3.0", "online": False, "session": 1}, retain=True)
        wait_for(lambda: not self.get("/api/v1/devices/sensor_A1B2").json()["online"], "the will is heard")

    def test_lists_every_status_oldest_first(self):
        self.connected()
        self.register()
        for seq in range(2, 7):
            self.device_says_status("U1", "downloading", seq, progress=seq, bytes=seq, total=100)
        wait_for(lambda: len(self.get("/api/v1/devices/sensor_A1B2/statuses").json()["items"]) == 5, "five statuses")
        first = self.get("/api/v1/devices/sensor_A1B2/statuses?limit=2&update=U1").json()
        rest = self.get(f"/api/v1/devices/sensor_A1B2/statuses?cursor={first['next']}").json()
        self.assertEqual([item["seq"] for item in first["items"] + rest["items"]], [2, 3, 4, 5, 6])

    # updates

    def test_sends_shows_lists_and_withdraws(self):
        self.connected()
        self.register()
        release = self.publish_release().json()
        update = self.send(release["id"])
        shown = self.update(update)
        self.assertEqual((shown["state"], shown["from"], shown["target"], shown["history"], shown["delivered"]), ("offered", "1.3.0", "1.4.0", [], False))
        self.assertEqual(self.get("/api/v1/devices/sensor_A1B2").json()["update"], update)
        for query in ("?device=sensor_A1B2", "?state=offered", "?open=true", "?device=sensor_A1B2&state=offered&open=true"):
            self.assertEqual([item["id"] for item in self.get("/api/v1/updates" + query).json()["items"]], [update], query)
        self.refused(self.get("/api/v1/updates?state=nonsense"), 400, "bad_request")
        withdrawn = self.call("DELETE", f"/api/v1/updates/{update}")
        self.assertEqual((withdrawn.status, withdrawn.json()["final"], withdrawn.json()["error"]["code"]), (200, True, "withdrawn"))
        self.refused(self.call("DELETE", f"/api/v1/updates/{update}"), 409, "already_final")
        self.refused(self.call("DELETE", "/api/v1/updates/nothing"), 404, "unknown_update")
        self.assertEqual(self.get("/api/v1/updates?open=true").json()["items"], [])

    def test_says_why_an_update_cannot_be_sent(self):
        self.connected()
        self.register()
        self.publish_release()

        def post(body):
            return self.call("POST", "/api/v1/updates", body)

        self.refused(post({"devices": ["nobody"], "release": "1.4.0"}), 404, "unknown_device")
        self.refused(post({"devices": ["sensor_A1B2"], "release": "9.9.9"}), 404, "unknown_release")
        self.refused(post({"devices": []}), 400, "bad_request")
        self.refused(post({"devices": "sensor_A1B2", "release": "1.4.0"}), 400, "bad_request")
        self.refused(post({"devices": ["sensor_A1B2"], "release": "1.4.0", "force": "yes"}), 400, "bad_request")
        self.refused(post({"devices": ["sensor_A1B2"], "release": "1.4.0", "spread": -1}), 400, "bad_request")
        self.refused(post([1, 2]), 400, "bad_request")
        self.refused(self.call("POST", "/api/v1/updates", b"{nonsense"), 400, "bad_request")
        self.refused(post({"devices": ["sensor_A1B2"], "version": "1.4.0", "url": "https://e.example/" + "x" * 300, "signature": "a" * 64}), 422, "notice_too_long")
        self.publish_release("?version=1.5.0&hardware=other", make_image("1.5.0"))
        self.refused(post({"devices": ["sensor_A1B2"], "release": "1.5.0"}), 422, "wrong_hardware")
        self.publish_release("?version=1.2.0", make_image("1.2.0"))
        self.refused(post({"devices": ["sensor_A1B2"], "release": "1.2.0", "preflight": True}), 422, "not_newer")
        self.device_says_state(seq=9, mode="production")
        wait_for(lambda: self.get("/api/v1/devices/sensor_A1B2").json()["mode"] == "production", "production mode")
        self.refused(post({"devices": ["sensor_A1B2"], "release": "1.4.0"}), 422, "manifest_required")
        self.assertEqual(self.get("/api/v1/updates").json()["items"], [])

    def test_offers_a_file_hosted_elsewhere(self):
        self.connected()
        self.register()
        reply = self.call("POST", "/api/v1/updates", {"devices": ["sensor_A1B2"], "version": "1.9.0", "url": "https://cdn.example/fw.bin", "signature": "b" * 64, "size": 1000})
        self.assertEqual(reply.status, 202)
        self.assertIsNone(reply.json()["items"][0]["release"])
        self.assertEqual(wait_for(self.retained_notice, "the notice")["url"], "https://cdn.example/fw.bin")

    # the server itself

    def test_tells_about_itself(self):
        self.connected()
        server = self.get("/api/v1/server").json()
        self.assertEqual(server["broker"]["url"], f"mqtt://127.0.0.1:{self.mqtt}")
        self.assertEqual(self.get("/healthz").body, b"ok\n")
        self.assertEqual(self.get("/readyz").status, 200)
        self.assertIn(b"Otaria", self.get("/").body)

    def test_metrics_have_help_type_and_value(self):
        text = self.get("/metrics").body.decode()
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        for line in samples:
            self.assertRegex(line, r'^otaria_[a-z_]+(\{[a-z]+="[^"]*"\})? -?[0-9.]+$')
            name = re.match(r"[a-z_]+", line)[0]
            self.assertIn(f"# HELP {name} ", text)
            self.assertIn(f"# TYPE {name} ", text)

    def test_streams_events_of_one_device(self):
        self.connected()
        self.register()
        self.publish_release()
        events = urllib.request.Request(f"http://127.0.0.1:{self.http}/api/v1/events?device=sensor_A1B2",
                                        headers={"Authorization": f"Bearer {self.tokens[self.http]}"})
        with urllib.request.urlopen(events, timeout=30) as stream:
            def next_event():
                lines = []
                while True:
                    line = stream.readline().decode().rstrip("\n")
                    if not line and lines:
                        return lines
                    if line and not line.startswith(":"):
                        lines.append(line)
            self.assertEqual(next_event()[0], "event: device")  # the current one
            update = self.send()
            seen = [next_event(), next_event()]
        self.assertEqual(sorted(event[0] for event in seen), ["event: device", "event: update"])
        self.assertTrue(any(update in event[1] for event in seen))

    def test_what_a_browser_sends_for_another_site_is_refused(self):
        body = {"devices": ["sensor_A1B2"], "release": "1.4.0"}
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            self.refused(self.call("POST", "/api/v1/updates", body, headers), 403, "cross_site_request")
        own = {"Origin": f"http://127.0.0.1:{self.http}", "Host": f"127.0.0.1:{self.http}"}
        self.assertEqual(self.call("POST", "/api/v1/updates", body, own).status, 404)

    def test_unknown_paths_and_methods_are_problems_too(self):
        self.refused_shape(self.get("/api/v1/nothing"), 404)
        self.refused_shape(self.call("PUT", "/api/v1/releases", b"x"), 405)
        self.refused(self.get("/firmware/" + "0" * 64 + ".bin"), 403, "url_unsigned")
        self.refused(self.get("/firmware/otaria.db"), 404, "not_found")


if __name__ == "__main__":
    unittest.main()
