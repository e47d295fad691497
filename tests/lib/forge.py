#!/usr/bin/env python3
"""Writes and reads signed files (JWS Compact, ES256) without a check of ours, with the openssl program alone: an attacker's tool.

Usage: forge.py payload FILE                       the payload of its first line, as it stands
       forge.py sign KIND KEY FILE [NAME=JSON…]    FILE's payload with members changed (null: removed), signed by KEY
       forge.py raw KIND KEY FILE                  FILE's bytes as the payload, whatever they are

KIND is manifest or keys. KEY is a P-256 key, PEM, not encrypted. FILE may also be plain JSON.
"""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def payload(file):
    text = pathlib.Path(file).read_text()
    return text.encode() if text.startswith("{") else decode(text.split("\n")[0].split(".")[1])


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


def raw(der):
    """r and s of a DER ECDSA-Sig-Value (RFC 3279, section 2.2.3), 32 bytes each."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)


def sign(kind, key, content):
    kid = hashlib.sha256(openssl("pkey", "-in", key, "-pubout", "-outform", "DER")).hexdigest()[:16]
    header = json.dumps({"alg": "ES256", "kid": kid, "typ": f"otaria-{kind}+jws"}, separators=(",", ":")).encode()
    line = f"{encode(header)}.{encode(content)}"
    return f"{line}.{encode(raw(openssl('dgst', '-sha256', '-sign', key, data=line.encode())))}\n"


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "payload":
        return sys.stdout.write(payload(sys.argv[2]).decode())
    if len(sys.argv) == 5 and sys.argv[1] == "raw":
        return sys.stdout.write(sign(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]).read_bytes()))
    if len(sys.argv) < 5 or sys.argv[1] != "sign":
        sys.exit(__doc__)
    members = json.loads(payload(sys.argv[4]))
    for change in sys.argv[5:]:
        name, _, value = change.partition("=")
        members[name] = json.loads(value)
    members = {name: value for name, value in members.items() if value is not None}
    content = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    return sys.stdout.write(sign(sys.argv[2], sys.argv[3], content))


if __name__ == "__main__":
    main()
