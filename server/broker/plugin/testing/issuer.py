"""A token issuer with test keys, for good tokens and for those that no issuer would make."""
import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

MAC, DEVICE = "a4cf12e0a1b2", "sensor_A1B2"
OTHER_MAC, OTHER = "a4cf12e0ffff", "sensor_FFFF"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_json(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def device_scope(device):
    queue = f"*/mqtt-subscription-{device}*"
    return (f"otaria.configure:{queue} otaria.write:{queue} otaria.read:{queue} otaria.read:*/amq.topic/{device}.firmware.update "
            f"otaria.write:*/amq.topic/{device}.ota.*")


def server_scope(server):
    queue = f"*/mqtt-subscription-{server}*"
    return (f"otaria.configure:{queue} otaria.write:{queue} otaria.read:{queue} otaria.read:*/amq.topic/*.ota.* "
            "otaria.write:*/amq.topic/*.firmware.update")


class Issuer:
    def __init__(self, key_id="issuer-1", with_scope=False):
        self.key, self.key_id, self.with_scope = ec.generate_private_key(ec.SECP256R1()), key_id, with_scope

    def jwk(self):
        numbers = self.key.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id,
                "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}

    def public_pem(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def claims(self, device=DEVICE, mac=MAC, **changes):
        now = int(time.time())
        claims = {"iss": "otaria", "aud": "otaria", "sub": mac, "username": mac, "clientid": device, "iat": now, "exp": now + 86400,
                  "jti": b64(hashlib.sha256(f"{device}{time.monotonic_ns()}".encode()).digest()[:9]),
                  "acl": {"sub": [f"{device}/firmware/update"],
                          "pub": [f"{device}/ota/status", f"{device}/ota/state", f"{device}/telemetry"]}}
        if self.with_scope:
            claims["scope"] = device_scope(device)
        claims.update(changes)
        return {name: value for name, value in claims.items() if value is not None}

    def server_claims(self, server="otariad-1"):
        changes = {"acl": {"sub": ["+/ota/status", "+/ota/state"], "pub": ["+/firmware/update"]}}
        if self.with_scope:
            changes["scope"] = server_scope(server)
        return self.claims(server, server, **changes)

    def header(self, **changes):
        header = {"alg": "ES256", "kid": self.key_id, "typ": "JWT", **changes}
        return {name: value for name, value in header.items() if value is not None}

    @staticmethod
    def signed_text(header, payload):
        return b64(as_json(header).encode()) + "." + b64(as_json(payload).encode())

    def der_signature(self, message):
        return self.key.sign(message.encode(), ec.ECDSA(hashes.SHA256()))

    def signature(self, message):
        r, s = decode_dss_signature(self.der_signature(message))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, payload=None, header=None):
        message = self.signed_text(header or self.header(), self.claims() if payload is None else payload)
        return message + "." + b64(self.signature(message))

    def hostile_tokens(self):
        """Name and token of what every broker must refuse: rows 3 to 13, 18 and 19 of the matrix."""
        good, now = self.claims(), int(time.time())
        message = self.signed_text(self.header(), good)
        signature = self.signature(message)
        hs256 = self.signed_text(self.header(alg="HS256"), good)
        yield "3 garbage", "garbage"
        yield "3 two dots only", ".."
        yield "3 64 KB", "a" * 65535
        yield "4 another key", Issuer(self.key_id).token()
        yield "5 alg none", self.signed_text({"alg": "none", "typ": "JWT"}, good) + "."
        yield "5 HS256 with the public key", hs256 + "." + b64(hmac.digest(self.public_pem(), hs256.encode(), "sha256"))
        yield "6 63 bytes", message + "." + b64(signature[:63])
        yield "6 65 bytes", message + "." + b64(signature + b"\0")
        yield "6 DER", message + "." + b64(self.der_signature(message))
        yield "6 s = 0", message + "." + b64(signature[:32] + bytes(32))
        yield "7 expired", self.token(self.claims(iat=now - 7200, exp=now - 3600))
        yield "8 no exp", self.token(self.claims(exp=None))
        yield "9 exp a string", self.token(self.claims(exp=str(now - 3600)))
        yield "10 nbf in the future", self.token(self.claims(nbf=now + 3600))
        yield "11 aud wrong", self.token(self.claims(aud="other"))
        yield "11 aud missing", self.token(self.claims(aud=None))
        yield "13 iss wrong", self.token(self.claims(iss="other"))
        yield "18 unknown kid", self.token(header=self.header(kid="issuer-9"))
        yield "duplicate member", self.token('{"exp":1,' + as_json(good)[1:])


def certificate(directory):
    """A certificate for localhost that is its own CA; the paths of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    certificate_file, key_file = directory / "server.pem", directory / "server.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate_file, key_file
