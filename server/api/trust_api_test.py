#!/usr/bin/env python3
"""Key lists and signed releases by the REST API of a running otariad. Environment: OTARIAD."""
import hashlib
import pathlib
import sys
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
from api_test import ApiCase  # noqa: E402
from otariad_harness import make_image, wait_for  # noqa: E402
from signing import Key, base64url, key_list, manifest, signed_file  # noqa: E402

FIRST, SECOND, THIRD = (f"01JD8Z6T9K3M5Q7S9V1X3Z5B7{last}" for last in "DEF")


class TrustCase(ApiCase):
    def setUp(self):
        super().setUp()
        self.root, self.other_root, self.key, self.next_key = (Key(self.directory) for _ in range(4))

    def publish_first_list(self, **members):
        file = key_list(1, [self.root, self.other_root], [self.key], **members)
        reply = self.publish_keys(file)
        self.assertEqual(reply.status, 201, reply.body)
        return file

    def next_list(self, serial=2, releases=None, signers=None, **members):
        return key_list(serial, [self.root, self.other_root], releases or [self.next_key], signers, **members)

    def publish(self, image=None, release=FIRST, signers=None, query="", **members):
        image = image or make_image()
        return self.publish_signed(image, manifest(image, release, signers or [self.key], **members), query)


class KeyLists(TrustCase):
    def test_serves_what_the_roots_signed_byte_for_byte(self):
        file = self.publish_first_list(floor={"sensor": 3}, pins={"fw.example": ["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"]})
        newest, by_serial = self.get("/keys.jws"), self.get("/keys/1.jws")
        self.assertEqual((newest.body, by_serial.body), (file, file))
        self.assertEqual(newest.headers["Cache-Control"], "no-cache")
        self.assertIn("immutable", by_serial.headers["Cache-Control"])
        tag = f'"{hashlib.sha256(file).hexdigest()}"'
        self.assertEqual((newest.headers["ETag"], by_serial.headers["ETag"]), (tag, tag))
        self.assertEqual(self.call("GET", "/keys.jws", headers={"If-None-Match": tag}).status, 304)
        part = self.call("GET", "/keys/1.jws", headers={"Range": "bytes=10-19"})
        self.assertEqual((part.status, part.body), (206, file[10:20]))
        head = self.call("HEAD", "/keys.jws")
        self.assertEqual((head.status, head.body, head.headers["Content-Length"]), (200, b"", str(len(file))))

    def test_shows_what_the_newest_says(self):
        self.refused(self.get("/api/v1/keylist"), 404, "unknown_keylist")
        self.refused(self.get("/keys.jws"), 404, "unknown_keylist")
        self.publish_first_list(floor={"sensor": 3}, revoked=["0123456789abcdef"])
        shown = self.get("/api/v1/keylist").json()
        self.assertEqual((shown["serial"], shown["threshold"], shown["floor"], shown["revoked"]),
                         (1, {"root": 2, "release": 1, "order": 0}, {"sensor": 3}, ["0123456789abcdef"]))
        self.assertEqual([(key["kid"], key["role"]) for key in shown["keys"]],
                         [(self.root.id, "root"), (self.other_root.id, "root"), (self.key.id, "release")])
        self.assertIn(f"otaria_keylist_serial {shown['serial']}\n", self.get("/metrics").body.decode())

    def test_a_new_list_needs_the_roots_and_the_old_one_stays(self):
        first = self.publish_first_list()
        self.refused(self.publish_keys(self.next_list(signers=[self.root])), 422, "bad_signature")
        second = self.next_list()
        self.assertEqual(self.publish_keys(second).status, 201)
        self.assertEqual(self.publish_keys(second).status, 200)  # again: it is there
        self.assertEqual((self.get("/keys.jws").body, self.get("/keys/1.jws").body), (second, first))
        self.refused(self.publish_keys(first), 409, "keylist_not_newer")

    def test_two_lists_of_one_serial_raise_the_alarm(self):
        first = self.publish_first_list()
        other = key_list(1, [self.root, self.other_root], [self.next_key])
        self.refused(self.publish_keys(other), 409, "keylist_conflict")
        self.assertIn("ALARM", self.log())
        self.assertIn("otaria_keylist_conflicts_total 1\n", self.get("/metrics").body.decode())
        self.assertEqual(self.get("/keys.jws").body, first)

    def test_refuses_what_is_no_key_list(self):
        self.refused(self.publish_keys(b""), 400, "bad_request")
        self.refused(self.publish_keys(b"<html>"), 422, "bad_keylist")
        self.refused(self.publish_keys(b"A" * 8193), 422, "too_large")
        self.refused(self.publish_keys(signed_file("otaria-manifest+jws", {"fmt": 1}, [self.root])), 422, "bad_keylist")
        self.assertEqual(self.get("/keys.jws").status, 404)

    def test_only_well_named_files_are_looked_up(self):
        self.publish_first_list()
        for path in ("/keys/01.jws", "/keys/2.jws", "/keys/1", "/keys/1.jwsx", "/keys/-1.jws", "/keys/4294967297.jws", "/keys/.jws",
                     "/manifests/1.jws", f"/manifests/{FIRST}.jws", f"/manifests/{FIRST.lower()}.jws", f"/manifests/{FIRST}"):
            self.refused(self.get(path), 404, "not_found")

    def test_a_list_that_ends_within_sixty_days_is_cried_about(self):
        self.publish_first_list(expires=int(time.time()) + 59 * 86_400)
        self.assertIn("otaria_keylist_expires_soon 1\n", self.get("/metrics").body.decode())
        wait_for(lambda: "key list 1 expires in 58 days" in self.log(), "the warning")
        self.assertEqual(self.publish_keys(self.next_list(expires=int(time.time()) + 61 * 86_400)).status, 201)
        self.assertIn("otaria_keylist_expires_soon 0\n", self.get("/metrics").body.decode())

    def test_lists_outlive_a_kill(self):
        file = self.publish_first_list()
        self.kill_hard(self.processes[-1])
        self.start_server()
        self.assertEqual(self.get("/keys.jws").body, file)


class SignedReleases(TrustCase):
    def test_is_published_as_its_manifest_says(self):
        self.publish_first_list()
        image = make_image("1.4.0")
        file = manifest(image, FIRST, [self.key], channel="beta", min_version="1.2.0", security_counter=3)
        reply = self.publish_signed(image, file, "?product=sensor&hardware=esp32s3-8mb&channel=beta&notes=first")
        self.assertEqual(reply.status, 201, reply.body)
        release = reply.json()
        self.assertEqual((release["id"], release["version"], release["hardware"], release["channel"], release["notes"], release["min_version"]),
                         (FIRST, "1.4.0", ["esp32s3-8mb"], "beta", "first", "1.2.0"))
        self.assertEqual((release["security_counter"], release["expires"], release["signed_by"]), (3, 4_000_000_000, [self.key.id]))
        self.assertEqual(release["manifest"], f"http://127.0.0.1:{self.http}/manifests/{FIRST}.jws")
        served = self.get(f"/manifests/{FIRST}.jws")
        self.assertEqual(served.body, file)
        self.assertIn("immutable", served.headers["Cache-Control"])
        self.assertEqual(served.headers["ETag"], f'"{hashlib.sha256(file).hexdigest()}"')
        self.assertEqual(self.fetch(release).body, image)
        self.assertEqual(self.get(f"/api/v1/releases/{FIRST}").json(), release)
        self.assertEqual(self.publish_signed(image, file).status, 200)  # again: it is there

    def test_needs_the_key_list_that_it_names(self):
        self.refused(self.publish(), 422, "keylist_required")
        self.publish_first_list()
        self.refused(self.publish(keys=2), 422, "keylist_required")
        self.assertEqual(self.get("/api/v1/releases").json()["items"], [])
        self.assertEqual(self.publish(keys=1).status, 201)

    def test_what_no_known_key_signed_leaves_nothing_behind(self):
        self.publish_first_list()
        self.refused(self.publish(signers=[self.next_key]), 422, "unknown_key")
        self.refused(self.publish(signers=[self.root]), 422, "unknown_key")
        image = make_image()
        good = manifest(image, FIRST, [self.key])
        self.refused(self.publish_signed(image, good.replace(b".", b"", 1)), 422, "bad_signature")
        self.refused(self.publish_signed(image, signed_file("otaria-keys+jws", {"fmt": 1}, [self.key])), 422, "bad_signature")
        for alg in ("none", "HS256"):
            head = base64url(f'{{"alg":"{alg}","kid":"{self.key.id}","typ":"otaria-manifest+jws"}}'.encode())
            self.refused(self.publish_signed(image, head.encode() + good[good.index(b"."):]), 422, "bad_signature")
        self.refused(self.publish_signed(image, b"A" * 4097), 422, "too_large")
        bad = {"Content-Type": "application/octet-stream", "Otaria-Manifest": "a+b="}
        self.refused(self.call("POST", "/api/v1/releases", image, bad), 400, "bad_request")
        self.assertEqual(self.get("/api/v1/releases").json()["items"], [])
        self.assertFalse(self.kept(hashlib.sha256(image).hexdigest()))

    def test_a_revoked_key_publishes_nothing_and_offers_nothing(self):
        self.publish_first_list()
        self.connected()
        self.register(mode="production", keys=1, security_counter=0)
        self.publish()
        self.assertEqual(self.publish_keys(self.next_list(revoked=[self.key.id])).status, 201)
        self.refused(self.publish(make_image("1.5.0"), SECOND), 422, "revoked_key")
        refused = self.call("POST", "/api/v1/updates", {"devices": ["sensor_A1B2"], "release": "1.4.0", "force": True})
        self.refused(refused, 422, "revoked_key")
        # Signed again by the new key it is the same release, and can be offered.
        again = self.publish(release=THIRD, signers=[self.next_key], keys=2)
        self.assertEqual((again.status, again.json()["id"], again.json()["signed_by"]), (200, FIRST, [self.next_key.id]))
        self.send("1.4.0")
        self.assertTrue(wait_for(self.retained_notice, "the notice")["manifest"].endswith(f"/manifests/{THIRD}.jws"))
        self.assertEqual(self.get(f"/manifests/{FIRST}.jws").status, 200)  # what was published stays

    def test_must_be_about_the_image_beside_it(self):
        self.publish_first_list()
        signed = manifest(make_image("1.4.0"), FIRST, [self.key])
        self.refused(self.publish_signed(make_image("1.4.1"), signed), 422, "manifest_mismatch")
        for member, value in (("size", 1), ("sha256", "0" * 64), ("build", "0" * 16), ("chip", "esp32")):
            self.refused(self.publish(**{member: value}), 422, "manifest_mismatch")
        for query in ("product=gateway", "version=1.4.1", "channel=beta", "hardware=esp32s3-4mb"):
            self.refused(self.publish(query="?" + query), 422, "manifest_mismatch")

    def test_the_security_counter_never_falls_and_never_leaps(self):
        self.publish_first_list(floor={"sensor": 2})
        self.refused(self.publish(security_counter=1), 422, "security_counter")
        self.assertEqual(self.publish(security_counter=5).status, 201)
        low = self.publish(make_image("1.5.0"), SECOND, security_counter=4)
        self.refused(low, 422, "security_counter")
        self.assertIn("5", low.json()["detail"])
        self.refused(self.publish(make_image("1.5.0"), SECOND, security_counter=262), 422, "security_counter")
        self.assertEqual(self.publish(make_image("1.5.0"), SECOND, security_counter=261).status, 201)

    def test_an_expired_manifest_is_not_published(self):
        self.publish_first_list()
        self.refused(self.publish(expires=1_790_000_001), 422, "manifest_expired")

    def test_another_manifest_under_a_published_id_is_refused(self):
        self.publish_first_list()
        self.publish()
        self.refused(self.publish(security_counter=2), 409, "manifest_exists")
        self.refused(self.publish(make_image("1.5.0")), 409, "manifest_exists")
        self.refused(self.publish(make_image("1.4.0", size=8192), SECOND), 409, "release_exists")

    def test_a_development_release_may_be_signed_later(self):
        self.publish_first_list()
        plain = self.publish_release("?hardware=esp32s3-8mb").json()
        self.assertNotIn("manifest", plain)
        signed = self.publish()
        self.assertEqual((signed.status, signed.json()["id"], signed.json()["channel"]), (200, plain["id"], None))
        self.assertTrue(signed.json()["manifest"].endswith(f"/{FIRST}.jws"))

    def test_the_notice_names_the_manifest_and_fits_a_device(self):
        self.publish_first_list()
        self.connected()
        self.register(mode="production", keys=1, security_counter=0)
        self.publish()
        update = self.send(FIRST)
        notice = wait_for(self.retained_notice, "the notice")
        self.assertEqual((notice["manifest"], notice["update"]), (f"http://127.0.0.1:{self.http}/manifests/{FIRST}.jws", update))
        self.assertEqual(self.update(update)["manifest"], FIRST)

    def test_says_before_the_device_what_it_would_refuse(self):
        self.publish_first_list()
        self.connected()
        self.register(mode="production", keys=1, security_counter=7)
        self.publish_release("?version=1.3.9", make_image("1.3.9"))
        self.publish(make_image("1.4.0"), FIRST, security_counter=6)
        self.publish(make_image("1.5.0"), SECOND, security_counter=7, channel="beta")
        self.publish(make_image("1.6.0"), THIRD, security_counter=7, min_version="1.3.1")
        for release, code in (("1.3.9", "manifest_required"), ("1.4.0", "security_counter"), ("1.5.0", "wrong_channel"), ("1.6.0", "step_required")):
            for force in (False, True):
                reply = self.call("POST", "/api/v1/updates", {"devices": ["sensor_A1B2"], "release": release, "force": force})
                self.refused(reply, 422, code)
        external = {"devices": ["sensor_A1B2"], "version": "1.9.0", "url": "https://cdn.example/fw.bin", "signature": "b" * 64}
        self.refused(self.call("POST", "/api/v1/updates", external), 422, "manifest_required")

    def test_an_unsigned_offer_ends_when_its_device_turns_out_to_be_in_production(self):
        self.connected()
        self.register()
        self.publish_release()
        update = self.send("1.4.0")
        wait_for(self.retained_notice, "the notice")
        self.device_says_state(session=2, seq=9, mode="production")
        wait_for(lambda: self.update(update)["final"], "the offer ends")
        self.assertEqual(self.update(update)["error"]["code"], "manifest_required")
        wait_for(lambda: self.retained_notice() is None, "the notice is withdrawn")


if __name__ == "__main__":
    unittest.main()
