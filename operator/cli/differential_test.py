#!/usr/bin/env python3
"""What `otaria` writes, judged by Python's cryptography. Usage: differential_test.py OTARIA

  key files    PKCS#8 that opens with the passphrase and with no other; both algorithms
  kid          first 16 hex digits of SHA-256 over the DER SubjectPublicKeyInfo
  payloads     exactly json.dumps(sort_keys, no blanks): RFC 8785 for what stands in them
  signatures   ES256 as r || s, PS256 with MGF1, SHA-256 and a salt of 32 bytes; every line of a file
  and back     a list and a manifest signed here, by Python, are taken by `otaria`
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

OTARIA = os.path.abspath(sys.argv[1])
PASSPHRASE = "correct horse battery staple"


def b64u(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_b64u(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def kid_of(public_key):
    der = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


def verify(public_key, algorithm, signature, data):
    if algorithm == "ES256":
        assert len(signature) == 64
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        public_key.verify(der, data, ec.ECDSA(hashes.SHA256()))
    else:
        assert algorithm == "PS256" and len(signature) == 384
        public_key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def sign(key, data):
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def line(key, kind, payload, detached=False):
    header = b64u(canonical({"alg": "ES256", "kid": kid_of(key.public_key()), "typ": kind}))
    signature = b64u(sign(key, f"{header}.{b64u(payload)}".encode()))
    return f"{header}.{'' if detached else b64u(payload)}.{signature}\n"


class Differential(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="otaria-differential-")
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def otaria(self, *arguments, expect=0):
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder.name, "OTARIA_KEY_PASSPHRASE": PASSPHRASE,
                       "OTARIA_SERVER": "http://127.0.0.1:1"}
        done = subprocess.run([OTARIA, *arguments, "--json"], env=environment, cwd=self.folder.name,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def make_key(self, role, name, algorithm="ES256"):
        return self.otaria("key", "create", "--role", role, "--alg", algorithm, "--out", self.path(name))

    def load(self, name, passphrase=PASSPHRASE):
        with open(self.path(name), "rb") as file:
            return serialization.load_pem_private_key(file.read(), passphrase.encode())

    def check_file(self, text, kind, keys):
        """Every line verifies; returns the payload."""
        self.assertTrue(text.endswith("\n"))
        payload = None
        for text_line in text.splitlines():
            header_text, payload_text, signature = text_line.split(".")
            payload = payload_text if payload is None else payload
            header = json.loads(from_b64u(header_text))
            self.assertEqual(from_b64u(header_text), canonical(header))
            self.assertEqual(sorted(header), ["alg", "kid", "typ"])
            self.assertEqual(header["typ"], kind)
            verify(keys[header["kid"]], header["alg"], from_b64u(signature), f"{header_text}.{payload}".encode())
            with self.assertRaises(InvalidSignature):
                verify(keys[header["kid"]], header["alg"], from_b64u(signature), f"{header_text}.{payload}x".encode())
        return from_b64u(payload)

    def test_key_files_open_and_kids_agree(self):
        for algorithm in ("ES256", "PS256"):
            made = self.make_key("release", algorithm, algorithm)
            key = self.load(algorithm)
            self.assertEqual(made["kid"], kid_of(key.public_key()))
            if algorithm == "ES256":
                point = key.public_key().public_bytes(serialization.Encoding.X962,
                                                      serialization.PublicFormat.UncompressedPoint)
                self.assertEqual(from_b64u(made["pub"]), point[1:])
            else:
                self.assertEqual(key.key_size, 3072)
                self.assertEqual(from_b64u(made["pub"]), key.public_key().public_bytes(
                    serialization.Encoding.DER, serialization.PublicFormat.PKCS1))
            with self.assertRaises(ValueError):
                self.load(algorithm, "another passphrase")

    def test_lists_and_manifests_verify(self):
        public = {}
        for name, role, algorithm in (("a", "root", "ES256"), ("b", "root", "PS256"), ("c", "root", "ES256"),
                                      ("r", "release", "PS256"), ("s", "release", "ES256")):
            kid = self.make_key(role, name, algorithm)["kid"]
            public[kid] = self.load(name).public_key()
        pin = b64u(hashlib.sha256(b"spki").digest())
        self.otaria("keylist", "make", "--root", self.path("a"), "--root", self.path("b"), "--root", self.path("c"),
                    "--release", self.path("r"), "--release", self.path("s"), "--threshold-release", "2", "--floor",
                    "sensor=3", "--floor", "pump.x=1", "--pin", f"fw.example={pin}", "--out", self.path("l.json"))
        for root in "abc":
            file = "l.json" if root == "a" else "l.jws"
            self.otaria("keylist", "sign", self.path(file), "--key", self.path(root))
        with open(self.path("l.jws"), encoding="ascii") as file:
            payload = self.check_file(file.read(), "otaria-keys+jws", public)
        self.assertEqual(payload, canonical(json.loads(payload)))
        with open(self.path("l.json"), "rb") as file:
            self.assertEqual(file.read(), payload + b"\n")
        for key in json.loads(payload)["keys"]:
            self.assertEqual(key["kid"], kid_of(public[key["kid"]]))

        self.otaria("image", "make", self.path("fw.bin"), "--version", "1.4.0")
        self.otaria("release", "sign", self.path("fw.bin"), "--key", self.path("r"), "--key", self.path("s"),
                    "--keylist", self.path("l.jws"), "--security-counter", "3", "--hardware", "h2", "--hardware", "h1",
                    "--min-version", "1.2.0", "--out", self.path("m.jws"))
        with open(self.path("m.jws"), encoding="ascii") as file:
            payload = self.check_file(file.read(), "otaria-manifest+jws", public)
        manifest = json.loads(payload)
        self.assertEqual(payload, canonical(manifest))
        with open(self.path("fw.bin"), "rb") as file:
            image = file.read()
        self.assertEqual(manifest["sha256"], hashlib.sha256(image).hexdigest())
        self.assertEqual(manifest["size"], len(image))
        self.assertEqual(manifest["build"], image[176:184].hex())  # app_elf_sha256 of esp_app_desc
        self.assertEqual(manifest["hardware"], ["h2", "h1"])

    def foreign_list(self, root, release, **changes):
        keys = [{"kid": kid_of(key.public_key()), "alg": "ES256", "roles": [role],
                 "pub": b64u(key.public_key().public_bytes(serialization.Encoding.X962,
                                                           serialization.PublicFormat.UncompressedPoint)[1:])}
                for key, role in ((root, "root"), (release, "release"))]
        return canonical({"fmt": 1, "serial": 1, "epoch": 0, "issued": 1790000000, "expires": 1853072000,
                          "threshold": {"root": 1, "release": 1}, "keys": keys, **changes})

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def test_lists_of_another_make_are_judged_the_same(self):
        root, release = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        first = self.foreign_list(root, release)
        one = self.write("1.jws", line(root, "otaria-keys+jws", first))
        self.assertEqual(self.otaria("keylist", "verify", one)["serial"], 1)
        second = self.foreign_list(root, release, serial=2)
        two = self.write("2.jws", line(root, "otaria-keys+jws", second))
        self.otaria("keylist", "verify", two, "--against", one)

        stranger = ec.generate_private_key(ec.SECP256R1())
        forged = line(stranger, "otaria-keys+jws", second).replace(
            b64u(canonical({"alg": "ES256", "kid": kid_of(stranger.public_key()), "typ": "otaria-keys+jws"})),
            b64u(canonical({"alg": "ES256", "kid": kid_of(root.public_key()), "typ": "otaria-keys+jws"})))
        bad = self.write("bad.jws", forged)
        self.assertEqual(self.otaria("keylist", "verify", bad, expect=3)["error"]["code"], "bad_signature")
        wrong_type = self.write("type.jws", line(root, "otaria-manifest+jws", second))
        self.assertEqual(self.otaria("keylist", "verify", wrong_type, expect=3)["error"]["code"], "malformed")

    def test_a_cosignature_of_another_make_is_kept(self):
        root, release = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        payload = self.foreign_list(root, release)
        text = line(root, "otaria-keys+jws", payload)
        twice = self.write("twice.jws", text + line(root, "otaria-keys+jws", payload, detached=True))
        # The same key counts once: the threshold of 1 is met all the same.
        self.assertEqual(self.otaria("keylist", "verify", twice)["accepted"], True)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
