#!/usr/bin/env python3
"""Identities and broker tokens over HTTP, with a device and a broker written here from the documents alone. OTARIAD=/path/to/otariad identity_test.py"""
import base64
import hashlib
import json
import pathlib
import stat
import sys
import unittest
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "app")]

from api_test import ApiCase  # noqa: E402
from otariad_harness import ServerCase, wait_for  # noqa: E402


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Device:
    """A device's side of enrolment and token exchange."""

    def __init__(self, mac="a4cf12e0a1b2"):
        self.mac = mac
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = self.key.public_key()
        self.pub = b64(public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:])
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.kid = hashlib.sha256(der).hexdigest()[:16]

    def jws(self, kind, payload):
        header = {"alg": "ES256", "kid": self.kid, "typ": kind}
        text = ".".join(b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))
        r, s = utils.decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return text + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def enrolment(self, nonce, claim, **more):
        return self.jws("otaria-enrol+jws", {"mac": self.mac, "pub": self.pub, "claim": claim, "nonce": nonce, **more})

    def assertion(self, nonce, audience, **more):
        return self.jws("otaria-assertion+jwt", {"iss": self.mac, "sub": self.mac, "aud": audience, "nonce": nonce,
                                                 "id": "sensor_A1B2", "fw": "1.4.0", **more})


def verified_claims(token, keys):
    """The token's claims, once its signature holds against the key set."""
    header, payload, signature = token.split(".")
    kid = json.loads(unb64(header))["kid"]
    key = next(key for key in keys["keys"] if key["kid"] == kid)
    numbers = ec.EllipticCurvePublicNumbers(*(int.from_bytes(unb64(key[c]), "big") for c in "xy"), ec.SECP256R1())
    raw = unb64(signature)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    numbers.public_key().verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(unb64(payload))


class IdentityCase(ApiCase):
    """Every exchange is checked against openapi.yaml too."""

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.http}"

    def import_csv(self, *devices):
        lines = ["id,mac,public_key"] + [f",{device.mac},{device.pub}" for device in devices]
        return self.call("POST", "/api/v1/devices/import", "\n".join(lines).encode(), {"Content-Type": "text/csv"})

    def nonce(self):
        return self.call("POST", "/api/v1/device/nonce", b"", token=None).json()["nonce"]

    def ask(self, assertion):
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        return self.call("POST", "/api/v1/device/token", urllib.parse.urlencode(form).encode(),
                         {"Content-Type": "application/x-www-form-urlencoded"}, token=None)

    def token(self, device):
        return self.ask(device.assertion(self.nonce(), self.origin))

    def enrol(self, jws):
        return self.call("POST", "/api/v1/device/enrol", jws.encode(), {"Content-Type": "application/jose"}, token=None)

    def claim(self, **device):
        return self.call("POST", "/api/v1/claims", {"devices": [device]}).json()["items"][0]["claim"]

    def set_state(self, state, device="sensor_A1B2"):
        return self.call("POST", f"/api/v1/devices/{device}/state", {"state": state, "reason": "test"})

    def jwks(self):
        return self.call("GET", "/.well-known/jwks.json", token=None).json()

    def broker_file(self, name):
        return (self.directory / "data" / "broker" / name).read_text()


class Tokens(IdentityCase):
    def test_an_imported_device_gets_a_token_for_itself_alone(self):
        device = Device()
        self.assertEqual(self.import_csv(device).json(), {"created": 1, "unchanged": 0})
        reply = self.token(device)
        self.assertEqual(reply.status, 200, reply.body)
        answer = reply.json()
        self.assertEqual((answer["id"], answer["clientid"], answer["username"]), ("sensor_A1B2", "sensor_A1B2", device.mac))
        self.assertEqual(answer["mqtt"], [f"mqtt://127.0.0.1:{self.mqtt}"])
        self.assertEqual((answer["expires_in"], answer["keys"], answer["seq"]), (86400, 0, 0))
        claims = verified_claims(answer["token"], self.jwks())
        self.assertEqual(set(claims), {"iss", "aud", "sub", "username", "clientid", "iat", "exp", "jti", "acl"})
        self.assertEqual(claims["exp"] - claims["iat"], 86400)
        self.assertEqual(claims["acl"]["sub"], ["sensor_A1B2/firmware/update"])
        self.assertEqual(reply.headers["Cache-Control"], "no-store")

    def test_forged_members_change_nothing(self):
        device = Device()
        self.import_csv(device)
        reply = self.ask(device.assertion(self.nonce(), self.origin, is_superuser=True, clientid="otariad-1", acl={"pub": ["x"]}))
        claims = verified_claims(reply.json()["token"], self.jwks())
        self.assertNotIn("is_superuser", claims)
        self.assertEqual(claims["clientid"], "sensor_A1B2")
        self.assertNotIn("x", claims["acl"]["pub"])

    def test_a_refused_nonce_comes_with_the_next_one(self):
        device = Device()
        self.import_csv(device)
        assertion = device.assertion(self.nonce(), self.origin)
        self.assertEqual(self.ask(assertion).status, 200)
        again = self.ask(assertion)
        self.refused(again, 401, "use_nonce")
        self.assertEqual(self.ask(device.assertion(again.json()["nonce"], self.origin)).status, 200)

    def test_strangers_cannot_tell_a_device_that_exists_from_one_that_does_not(self):
        device = Device()
        self.import_csv(device)
        known, unknown = self.token(Device(device.mac)), self.token(Device("000000000001"))
        self.assertEqual((known.status, known.body), (unknown.status, unknown.body))
        self.refused(known, 403, "not_enrolled")

    def test_a_body_that_is_no_form_or_no_jws_is_bad(self):
        self.refused(self.call("POST", "/api/v1/device/token", b"{}", token=None), 400, "bad_request")
        self.refused(self.ask("a.b.c"), 400, "bad_request")
        self.refused(self.enrol("." * 5000), 400, "bad_request")
        self.refused(self.ask(Device().assertion(self.nonce(), "https://evil.example")), 400, "wrong_audience")

    def test_a_revoked_device_gets_no_token_and_stands_on_the_denylist(self):
        device = Device()
        self.import_csv(device)
        exp = verified_claims(self.token(device).json()["token"], self.jwks())["exp"]
        self.assertEqual(self.set_state("revoked").json()["state"], "revoked")
        reply = self.token(device)
        self.refused(reply, 403, "device_not_active")
        self.assertEqual(reply.json()["state"], "revoked")
        self.assertIn(f"sub:{device.mac} until:{exp + 60}", self.broker_file("denied").splitlines())
        self.refused(self.set_state("active"), 409, "identity_revoked")
        self.refused(self.set_state("revoked", "nobody"), 404, "unknown_device")

    def test_a_suspended_device_comes_back(self):
        device = Device()
        self.import_csv(device)
        self.token(device)
        self.set_state("suspended")
        self.assertIn(device.mac, self.broker_file("denied"))
        self.set_state("active")
        self.assertNotIn(device.mac, self.broker_file("denied"))
        self.assertEqual(self.token(device).status, 200)


class Failures(IdentityCase):
    def test_whose_proofs_are_refused_too_often_waits_and_the_device_itself_does_not(self):
        good, thief, other = Device(), Device(), Device("a4cf12e0c3d4")
        self.import_csv(good, other)
        for _ in range(11):
            self.refused(self.token(thief), 403, "not_enrolled")  # the MAC of `good`, another key
        reply = self.token(thief)
        self.refused(reply, 429, "too_many_failures")
        self.assertTrue(1 <= int(reply.headers["Retry-After"]) <= 60)
        self.assertEqual(self.token(good).status, 200)
        self.assertEqual(self.token(other).status, 200)

    def test_claims_are_not_guessed_at_will(self):
        claim = self.claim(mac="a4cf12e0a1b2")
        device = Device()
        for _ in range(11):
            self.refused(self.enrol(device.enrolment(self.nonce(), "A" * len(claim))), 403, "claim_refused")
        self.refused(self.enrol(device.enrolment(self.nonce(), claim)), 429, "too_many_failures")

    def test_a_stale_nonce_and_a_suspended_device_are_no_guesses(self):
        device = Device()
        self.import_csv(device)
        stale = device.assertion("A" * 43, self.origin)
        for _ in range(12):
            self.refused(self.ask(stale), 401, "use_nonce")
        self.assertEqual(self.token(device).status, 200)


class Enrolments(IdentityCase):
    def test_a_claim_lets_a_device_in_once(self):
        claim = self.claim(mac="a4cf12e0a1b2", product="sensor")
        self.assertEqual(self.get("/api/v1/identities/sensor_A1B2").json()["state"], "pending")
        device = Device()
        reply = self.enrol(device.enrolment(self.nonce(), claim))
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual((reply.json()["id"], reply.json()["key_id"]), ("sensor_A1B2", device.kid))
        self.assertEqual(self.token(device).status, 200)
        self.refused(self.enrol(Device().enrolment(self.nonce(), claim)), 403, "claim_refused")

    def test_an_id_of_another_mac_is_a_conflict(self):
        self.import_csv(Device("000000e0a1b2"))
        claim = self.claim(mac="a4cf12e0a1b2")
        reply = self.enrol(Device().enrolment(self.nonce(), claim, id="sensor_A1B2"))
        self.refused(reply, 409, "id_conflict")
        self.assertEqual(self.enrol(Device().enrolment(self.nonce(), claim)).json()["id"], "sensor_a4cf12e0a1b2")

    def test_an_import_names_every_line_that_is_wrong_and_does_nothing(self):
        good = Device()
        text = f"mac,public_key\n{good.mac},{good.pub}\nnonsense,{good.pub}\n000000000001,AAAA\n"
        reply = self.call("POST", "/api/v1/devices/import", text.encode(), {"Content-Type": "text/csv"})
        self.refused(reply, 422, "import_refused")
        self.assertEqual([(e["line"], e["code"]) for e in reply.json()["errors"]], [(3, "bad_row"), (4, "bad_key")])
        self.assertEqual(self.get("/api/v1/identities").json()["items"], [])

    def test_a_list_larger_than_the_memory_buffer_is_taken_as_json(self):
        devices = [Device(f"{number:012x}") for number in range(1, 601)]
        rows = [{"mac": device.mac, "public_key": device.pub, "hardware": "esp32s3-8mb", "product": "sensor"} for device in devices]
        self.assertEqual(self.call("POST", "/api/v1/devices/import", rows).json(), {"created": 600, "unchanged": 0})
        self.assertEqual(self.call("POST", "/api/v1/devices/import", {"devices": rows}).json(), {"created": 0, "unchanged": 600})
        self.assertEqual(len(self.get("/api/v1/identities?limit=500").json()["items"]), 500)
        self.refused(self.get("/api/v1/identities?state=bad"), 400, "bad_request")

    def test_enrolment_and_revocation_stand_in_the_audit_log(self):
        claim = self.claim(mac="a4cf12e0a1b2")
        self.enrol(Device().enrolment(self.nonce(), claim))
        self.set_state("suspended")
        rows = self.get("/api/v1/audit?order=oldest").json()["items"]
        self.assertEqual([row["verb"] for row in rows if row["verb"].startswith("device.")], ["device.claim", "device.enrol", "device.state"])
        self.assertNotIn(claim, json.dumps(rows))

    def test_without_a_token_nobody_registers_or_revokes(self):
        for path in ("/api/v1/devices/import", "/api/v1/claims", "/api/v1/devices/x/state", "/api/v1/broker-tokens", "/api/v1/issuer/rotate"):
            self.refused(self.call("POST", path, b"{}", token=None), 401, "token_required")


class Issuer(IdentityCase):
    def test_the_key_set_is_public_cacheable_for_a_short_time_and_lies_in_a_file(self):
        reply = self.call("GET", "/.well-known/jwks.json", token=None)
        self.assertEqual(reply.headers["Cache-Control"], "public, max-age=60")
        self.assertEqual(json.loads(self.broker_file("jwks.json")), reply.json())
        self.assertEqual(stat.S_IMODE((self.directory / "data/broker/jwks.json").stat().st_mode), 0o644)
        secrets = list((self.directory / "data/keys").glob("issuer-*.pem"))
        self.assertEqual(len(secrets), 1)
        for key in secrets:
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)

    def test_a_new_key_is_published_before_it_signs_and_old_tokens_stay_good(self):
        device = Device()
        self.import_csv(device)
        old = self.token(device).json()["token"]
        reply = self.call("POST", "/api/v1/issuer/rotate", {"lead": 1})
        self.assertEqual((reply.status, reply.json()["state"]), (201, "announced"), reply.body)
        self.refused(self.call("POST", "/api/v1/issuer/rotate", {}), 409, "rotation_pending")
        self.assertEqual(len(json.loads(self.broker_file("jwks.json"))["keys"]), 2)
        new_kid = reply.json()["kid"]
        signs = lambda: [key["kid"] for key in self.get("/api/v1/issuer").json()["items"] if key["state"] == "signs"]
        wait_for(lambda: signs() == [new_kid], "the new key signs")
        new = self.token(device).json()["token"]
        self.assertEqual(json.loads(unb64(new.split(".")[0]))["kid"], new_kid)
        for token in (old, new):
            verified_claims(token, self.jwks())

    def test_a_stolen_key_is_withdrawn_with_what_it_signed(self):
        device = Device()
        self.import_csv(device)
        old = self.token(device).json()["token"]
        self.assertEqual(self.call("POST", "/api/v1/issuer/rotate", {"withdraw_old": True}).json()["state"], "signs")
        with self.assertRaises(StopIteration):
            verified_claims(old, self.jwks())
        verified_claims(self.token(device).json()["token"], self.jwks())

    def test_services_get_tokens_until_they_are_revoked(self):
        made = self.call("POST", "/api/v1/broker-tokens", {"name": "monitor-lab"}).json()
        claims = verified_claims(made["token"], self.jwks())
        self.assertEqual((claims["username"], claims["acl"]["pub"]), ("monitor-lab", []))
        self.refused(self.call("POST", "/api/v1/broker-tokens", {"name": "sensor_A1B2"}), 400, "bad_request")
        self.assertEqual(self.call("DELETE", "/api/v1/broker-tokens/monitor-lab").status, 200)
        self.assertIn("sub:monitor-lab", self.broker_file("denied"))
        self.refused(self.call("DELETE", "/api/v1/broker-tokens/monitor-x"), 404, "unknown_service")

    def test_what_was_decided_survives_a_kill(self):
        device = Device()
        self.import_csv(device)
        old = self.token(device).json()["token"]
        self.set_state("suspended")
        self.kill_hard(self.processes[-1])
        (self.directory / "data/broker/denied").unlink()
        self.start_server()
        verified_claims(old, self.jwks())
        self.assertIn(device.mac, self.broker_file("denied"))
        self.refused(self.token(device), 403, "device_not_active")


class Rabbitmq(IdentityCase):
    def hook(self, question="user", headers=None, **fields):
        reply = self.call("POST", f"/broker/rabbitmq/{question}", urllib.parse.urlencode(fields).encode(), headers, token=None)
        return reply.body.decode() if reply.status == 200 else reply.json()["code"]

    def test_the_hook_believes_a_device_under_its_own_names_until_it_is_suspended(self):
        device = Device()
        self.import_csv(device)
        token = self.token(device).json()["token"]
        good = {"username": device.mac, "password": token, "client_id": "sensor_A1B2", "vhost": "/"}
        self.assertEqual(self.hook(**good), "allow")
        self.assertEqual(self.hook(**{**good, "client_id": "sensor_0000"}), "deny")
        self.assertEqual(self.hook(**{**good, "username": "000000000001"}), "deny")
        self.assertEqual(self.hook(**{**good, "password": token[:-4] + "AAAA"}), "deny")
        self.assertEqual(self.hook(), "deny")
        self.set_state("suspended")
        self.assertEqual(self.hook(**good), "deny")
        self.assertNotIn(token, self.log())

    def test_nobody_behind_a_proxy_reaches_the_hook(self):
        self.assertEqual(self.hook(headers={"X-Forwarded-For": "192.0.2.1"}), "loopback_only")

    def test_topics_are_those_of_the_device(self):
        device = Device()
        self.import_csv(device)
        topic = {"username": device.mac, "vhost": "/", "resource": "topic", "name": "amq.topic", "permission": "write"}
        self.assertEqual(self.hook("topic", **topic, routing_key="sensor_A1B2.ota.status"), "allow")
        self.assertEqual(self.hook("topic", **topic, routing_key="sensor_0000.ota.status"), "deny")


class OwnToken(ServerCase):
    def test_otariad_signs_in_to_the_broker_with_a_token_of_its_own(self):
        conf = self.directory / "mosquitto.conf"
        conf.write_text(f"listener {self.mqtt} 127.0.0.1\nallow_anonymous true\nlog_type all\n")
        self.spawn("/usr/sbin/mosquitto", "-c", str(conf))
        config = self.directory / "otaria.toml"
        config.write_text('[mqtt]\ntoken = "self"\n')
        self.start_server("--config", str(config))
        self.connected()
        self.assertIn("otariad-1 (p2, c0, k30, u'otariad-1')", self.log("mosquitto"))
        self.assertEqual([s["name"] for s in self.get("/api/v1/broker-tokens").json()["items"]], ["otariad-1"])

    def test_trust_on_first_use_needs_development(self):
        config = self.directory / "otaria.toml"
        config.write_text('[identity]\nfirst_use = "trust"\n')
        refused = self.spawn(self.otariad, "--check-config", "--config", str(config), "--access", "tokens")
        self.assertEqual(refused.wait(30), 2)
        taken = self.spawn(self.otariad, "--check-config", "--config", str(config), "--development")
        self.assertEqual(taken.wait(30), 0)


if __name__ == "__main__":
    unittest.main()
