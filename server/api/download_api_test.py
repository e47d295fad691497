#!/usr/bin/env python3
"""Who may fetch images from a running otariad: open, by signed URL, by token. Environment: OTARIAD."""
import base64
import hashlib
import hmac
import json
import pathlib
import stat
import sys
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
from api_test import ApiCase  # noqa: E402
from otariad_harness import wait_for  # noqa: E402
from signing import Key, base64url, text_of  # noqa: E402


class DownloadCase(ApiCase):
    settings = ""

    def start_server(self, *more, **options):
        config = self.directory / "otaria.toml"
        config.write_text(self.settings)
        return super().start_server("--config", str(config), *more, **options)

    def fetch_path(self, path, headers=None, method="GET"):
        return self.call(method, path, headers=headers, token=None)


class SignedUrls(DownloadCase):
    """The default."""

    def secret(self):
        line = (self.directory / "data" / "keys" / "download-secret").read_text().split()[0]
        return base64.urlsafe_b64decode(line + "=")

    def signed(self, path, end):
        text = f"{path}?e={end}"
        return text + "&s=" + base64url(hmac.digest(self.secret(), text.encode(), "sha256")[:16])

    def test_an_image_is_sent_to_its_signed_url_until_it_ends(self):
        release = self.publish_release().json()
        path = f"/firmware/{release['sha256']}.bin"
        for _ in range(2):  # by the handler, then by the fast path
            self.assertEqual(self.fetch(release).status, 200)
            self.assertEqual(self.fetch_path(self.signed(path, int(time.time()) + 60)).status, 200)
            self.refused(self.fetch_path(path), 403, "url_unsigned")
            self.refused(self.fetch_path(self.signed(path, int(time.time()))), 403, "url_expired")
            self.refused(self.fetch_path(self.signed("/firmware/" + "0" * 64 + ".bin", int(time.time()) + 60).replace("0" * 64, release["sha256"])),
                         403, "url_refused")
        served = self.fetch(release, {"Range": "bytes=0-9"})
        self.assertEqual((served.status, len(served.body)), (206, 10))
        self.assertIn("private", served.headers["Cache-Control"])
        self.assertEqual(self.fetch(release, method="HEAD").status, 200)

    def test_a_changed_end_or_signature_is_refused(self):
        release = self.publish_release().json()
        good = release["url"].removeprefix(f"http://127.0.0.1:{self.http}")
        later = good.replace("?e=", "?e=9", 1)
        for bad in (later[:later.index("?e=") + 13] + later[later.index("&s="):], good[:-22] + "A" * 22):
            self.refused(self.fetch_path(bad), 403, "url_refused")
        for bad in (good + "A", good[:-1], good.replace("&s=", "&t="), good.replace("?e=", "?e=0"), good.replace("?e=", "?E=")):
            self.refused(self.fetch_path(bad), 403, "url_unsigned")

    def test_an_operators_token_is_no_signature(self):
        release = self.publish_release().json()
        self.refused(self.get(f"/firmware/{release['sha256']}.bin"), 403, "url_unsigned")

    def test_manifests_and_key_lists_are_open_all_the_same(self):
        self.refused(self.fetch_path("/keys.jws"), 404, "unknown_keylist")

    def test_urls_outlive_a_restart_and_end_with_the_secret(self):
        release = self.publish_release().json()
        self.kill_hard(self.processes[-1])
        self.start_server()
        self.assertEqual(self.fetch(release).status, 200)
        file = self.directory / "data" / "keys" / "download-secret"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.kill_hard(self.processes[-1])
        file.unlink()
        self.start_server()
        self.refused(self.fetch(release), 403, "url_refused")

    def test_the_secret_stands_in_no_log_and_no_answer(self):
        release = self.publish_release().json()
        self.fetch(release)
        secret = base64url(self.secret())
        self.assertNotIn(secret, self.log())
        self.assertNotIn(secret, json.dumps(release))

    def test_a_device_that_waits_while_downloading_is_given_a_renewed_url(self):
        self.connected()
        self.register()
        self.publish_release()
        update = self.send()
        first = wait_for(self.retained_notice, "the notice")
        self.assertEqual(self.fetch_path(first["url"].removeprefix(f"http://127.0.0.1:{self.http}")).status, 200)
        self.device_says_status(update, "received", 2)
        self.device_says_status(update, "downloading", 3, progress=42, bytes=42, total=100)
        self.wait_state(update, "downloading")
        self.kill_hard(self.processes[-1])
        (self.directory / "data" / "keys" / "download-secret").unlink()  # every URL is void
        self.start_server()
        self.connected()
        self.device_says_status(update, "waiting", 4)
        renewed = wait_for(lambda: (notice := self.retained_notice()) and notice["url"] != first["url"] and notice, "another URL")
        self.assertEqual((renewed["update"], renewed["signature"]), (update, first["signature"]))
        self.assertEqual(self.fetch_path(renewed["url"].removeprefix(f"http://127.0.0.1:{self.http}")).status, 200)


class CheckedByACdn(DownloadCase):
    settings = "[downloads]\ncdn_checks = true\n"

    def test_may_be_kept_by_it(self):
        release = self.publish_release().json()
        self.assertIn("?e=", release["url"])
        self.assertEqual(self.fetch(release).headers["Cache-Control"], "public, max-age=31536000, immutable")


class OpenDownloads(DownloadCase):
    settings = '[downloads]\naccess = "open"\n'

    def test_ask_nobody(self):
        release = self.publish_release().json()
        self.assertTrue(release["url"].endswith(f"/firmware/{release['sha256']}.bin"))
        for _ in range(2):
            served = self.fetch(release)
            self.assertEqual(served.status, 200)
            self.assertEqual(served.headers["Cache-Control"], "public, max-age=31536000, immutable")


class DevelopmentDownloads(ApiCase):
    def start_server(self, *more, **options):
        return super().start_server("--development", *more, **options)

    def test_are_open_unless_said_otherwise(self):
        self.assertNotIn("?", self.publish_release().json()["url"])


class TokenDownloads(DownloadCase):
    settings = '[downloads]\naccess = "token"\n'

    def setUp(self):
        super().setUp()
        self.issuer = Key(self.directory)
        self.broker = self.directory / "data" / "broker"
        self.broker.mkdir(exist_ok=True)
        point = base64.urlsafe_b64decode(self.issuer.public + "==")
        keys = {"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.issuer.id,
                          "x": base64url(point[:32]), "y": base64url(point[32:])}]}
        (self.broker / "jwks.json").write_text(json.dumps(keys))

    def token(self, **claims):
        now = int(time.time())
        payload = {"iss": "otaria", "aud": "otaria", "sub": "a4cf12e0a1b2", "username": "a4cf12e0a1b2", "clientid": "sensor_A1B2",
                   "iat": now, "exp": now + 3600, "acl": {"sub": ["sensor_A1B2/firmware/update"], "pub": []}, **claims}
        text = ".".join(base64url(text_of(part)) for part in ({"alg": "ES256", "kid": self.issuer.id, "typ": "JWT"}, payload))
        return text + "." + base64url(self.issuer.sign(text.encode()))

    def test_ask_for_a_devices_token(self):
        release = self.publish_release().json()
        self.assertNotIn("?", release["url"])
        good = {"Authorization": f"Bearer {self.token()}"}
        for _ in range(2):  # what is open already is asked for too
            served = self.fetch(release, good)
            self.assertEqual((served.status, hashlib.sha256(served.body).hexdigest()), (200, release["sha256"]))
            self.assertIn("private", served.headers["Cache-Control"])
            self.refused(self.fetch(release), 401, "token_required")
            self.refused(self.fetch(release, {"Authorization": f"Bearer {self.token(exp=1_790_003_600, iat=1_790_000_000)}"}), 401, "token_invalid")
            self.refused(self.fetch(release, {"Authorization": f"Bearer {self.tokens[self.http]}"}), 401, "token_invalid")
        (self.broker / "denied").write_text("sub:a4cf12e0a1b2\n")
        self.refused(self.fetch(release, good), 401, "token_invalid")


if __name__ == "__main__":
    unittest.main()
