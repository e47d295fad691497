#!/usr/bin/env python3
"""Keys and signed texts that no program of ours would make: an attacker's tool.

Usage: hostile_tokens.py key KIND FILE             a new key, PEM, not encrypted; KIND: p256, p384, rsa
       hostile_tokens.py public FILE               a device's public key as registered: base64url of X || Y
       hostile_tokens.py pem FILE                  the public key, PEM
       hostile_tokens.py jws FILE TYP NAME=JSON…   compact JWS over these members; HEADER.NAME=JSON changes the header
       hostile_tokens.py mint FILE ID MAC [NAME=JSON…]
                                                   a broker token signed by that issuer key, claims changed (null: removed);
                                                   with ID an otariad's or a monitor's name, MAC is that name too
       hostile_tokens.py hostile FILE DIR          tokens for sensor_A1B2, a4cf12e0a1b2, each wrong in one respect, into
                                                   DIR/NAME; prints the names
       hostile_tokens.py url SECRETS ORIGIN PATH END
                                                   a download URL that ends at that Unix second, by the server's own secret

An ES384 or RS256 signature is what such a key makes: it is what a careless verifier would take.
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "server/broker/plugin/testing"))
from issuer import Issuer, as_json, b64  # noqa: E402


def load(file):
    return serialization.load_pem_private_key(pathlib.Path(file).read_bytes(), None)


def write_secret(file, data):
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)


def make_key(kind, file):
    curves = {"p256": ec.SECP256R1, "p384": ec.SECP384R1}
    key = ec.generate_private_key(curves[kind]()) if kind in curves else rsa.generate_private_key(65537, 3072)
    write_secret(file, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key):
    return hashlib.sha256(spki(key)).hexdigest()[:16]


def coordinates(key):
    numbers, size = key.public_key().public_numbers(), (key.curve.key_size + 7) // 8
    return numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")


def signer_of(key):
    """The algorithm that the key makes by itself, and who signs by it."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256", lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    size = (key.curve.key_size + 7) // 8
    digest = hashes.SHA256() if size == 32 else hashes.SHA384()

    def raw(message):
        return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(key.sign(message, ec.ECDSA(digest))))

    return "ES256" if size == 32 else "ES384", raw


def changes(words):
    pairs = (word.partition("=") for word in words)
    return {name: json.loads(value) for name, _, value in pairs}


def without_nulls(members):
    return {name: value for name, value in members.items() if value is not None}


def jws(file, typ, words):
    key = load(file)
    algorithm, signer = signer_of(key)
    members, header = {}, {"alg": algorithm, "kid": key_id(key), "typ": typ}
    for name, value in changes(words).items():
        (header if name.startswith("HEADER.") else members)[name.removeprefix("HEADER.")] = value
    text = f"{b64(as_json(without_nulls(header)).encode())}.{b64(as_json(without_nulls(members)).encode())}"
    return f"{text}.{b64(signer(text.encode()))}"


def issuer_of(file):
    issuer = Issuer(pathlib.Path(file).stem.removeprefix("issuer-"))
    issuer.key = load(file)
    return issuer


def mint(file, device, mac, words):
    issuer = issuer_of(file)
    claims = issuer.server_claims(device) if device.startswith("otariad-") else issuer.claims(device, mac)
    return issuer.token(without_nulls({**claims, **changes(words)}))


def write_hostile(file, directory):
    names = []
    for name, token in issuer_of(file).hostile_tokens():
        names.append("".join(letter if letter.isalnum() else "-" for letter in name))
        write_secret(pathlib.Path(directory) / names[-1], token.encode())
    return "\n".join(names)


def signed_url(secrets, origin, path, end):
    secret = base64.urlsafe_b64decode(pathlib.Path(secrets).read_text().split()[0] + "=")
    text = f"{path}?e={end}"
    return f"{origin}{text}&s={b64(hmac.digest(secret, text.encode(), 'sha256')[:16])}"


def main():
    verb, words = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if verb == "key" and len(words) == 2:
        make_key(*words)
    elif verb == "public" and len(words) == 1:
        print(b64(coordinates(load(words[0]))))
    elif verb == "pem" and len(words) == 1:
        public = load(words[0]).public_key()
        print(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(), end="")
    elif verb == "jws" and len(words) >= 2:
        print(jws(words[0], words[1], words[2:]), end="")
    elif verb == "mint" and len(words) >= 3:
        print(mint(words[0], words[1], words[2], words[3:]))
    elif verb == "hostile" and len(words) == 2:
        print(write_hostile(*words))
    elif verb == "url" and len(words) == 4:
        print(signed_url(*words))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
