"""Keys, key lists and manifests for the tests of the whole program, by the openssl command."""
import base64
import hashlib
import json
import pathlib
import subprocess
import tempfile


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A P-256 key in a temporary file."""

    def __init__(self, directory):
        self.file = pathlib.Path(tempfile.mkstemp(dir=directory, suffix=".pem")[1])
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.file],
                       check=True, capture_output=True)
        spki = subprocess.run(["openssl", "pkey", "-in", self.file, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
        self.id = hashlib.sha256(spki).hexdigest()[:16]
        self.public = base64url(spki[-64:])

    def sign(self, data):
        """r || s over SHA-256, from the DER that openssl writes (RFC 3279, 2.2.3)."""
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.file], input=data, check=True, capture_output=True).stdout
        numbers, at = [], 2
        while at < len(der):
            length = der[at + 1]
            numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"))
            at += 2 + length
        return b"".join(numbers)


def text_of(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def signed_file(kind, payload, keys):
    """The first key's line holds the payload; the others' are detached."""
    body = base64url(payload if isinstance(payload, bytes) else text_of(payload))
    lines = []
    for key in keys:
        head = base64url(text_of({"alg": "ES256", "kid": key.id, "typ": kind}))
        signature = base64url(key.sign(f"{head}.{body}".encode()))
        lines.append(f"{head}.{'' if lines else body}.{signature}\n")
    return "".join(lines).encode()


def key_list(serial, roots, releases, signers=None, **members):
    """A list that `signers` (else all roots) have signed."""
    keys = [{"alg": "ES256", "kid": key.id, "pub": key.public, "roles": [role]}
            for role, group in (("root", roots), ("release", releases)) for key in group]
    payload = {"fmt": 1, "serial": serial, "epoch": 0, "issued": 1_790_000_000, "expires": 4_000_000_000,
               "threshold": {"root": len(roots), "release": 1, "order": 0}, "keys": keys, "revoked": [], "floor": {}, "pins": {}, **members}
    return signed_file("otaria-keys+jws", payload, signers or roots)


def manifest(image, release, signers, **members):
    """What `otaria release sign` makes of an image of make_image()."""
    version = image[0x30:0x50].split(b"\0")[0].decode()
    payload = {"fmt": 1, "release": release, "product": "sensor", "hardware": ["esp32s3-8mb"], "chip": "esp32s3", "version": version,
               "build": image[0xB0:0xB8].hex(), "size": len(image), "sha256": hashlib.sha256(image).hexdigest(), "security_counter": 1,
               "issued": 1_790_000_000, "expires": 4_000_000_000, "keys": 1, **members}
    return signed_file("otaria-manifest+jws", {name: value for name, value in payload.items() if value is not None}, signers)
