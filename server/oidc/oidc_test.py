#!/usr/bin/env python3
"""otariad beside an OpenID provider: its keys in a file, and at a small HTTPS server of this machine. Environment: OTARIAD."""
import base64
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "app"))
from otariad_harness import LIMIT_S, ServerCase, wait_for  # noqa: E402


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, **more):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=LIMIT_S, **more).stdout


class Provider:
    """An issuer with one P-256 key, by the openssl program."""

    def __init__(self, directory, kid):
        self.key, self.kid = directory / f"{kid}.pem", kid
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(self.key))
        self.point = openssl("pkey", "-in", str(self.key), "-pubout", "-outform", "DER")[-64:]

    def key_set(self):
        return {"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid, "x": b64url(self.point[:32]), "y": b64url(self.point[32:])}]}

    def token(self, header=None, **claims):
        claims = {"iss": "https://id.example", "aud": "otaria", "sub": "alice", "exp": int(time.time()) + 600, "groups": ["fleet-ops"], **claims}
        text = ".".join(b64url(json.dumps(part).encode()) for part in (header or {"alg": "ES256", "kid": self.kid}, claims))
        der = openssl("dgst", "-sha256", "-sign", str(self.key), input=text.encode())
        r_length = der[3]
        r, s = der[4:4 + r_length], der[6 + r_length:]
        return text + "." + b64url(r.lstrip(b"\0").rjust(32, b"\0") + s.lstrip(b"\0").rjust(32, b"\0"))


class KeyServer:
    """https://localhost:PORT/jwks.json, with a certificate by a CA of its own; counts the requests."""

    def __init__(self, directory, name="localhost"):
        self.ca, self.text, self.requests = directory / "ca.pem", "", 0
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test CA",
                "-keyout", str(directory / "ca.key"), "-out", str(self.ca))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", str(directory / "tls.key"), "-out", str(directory / "tls.csr"))
        (directory / "san").write_text(f"subjectAltName=DNS:{name}")
        openssl("x509", "-req", "-in", str(directory / "tls.csr"), "-CA", str(self.ca), "-CAkey", str(directory / "ca.key"), "-CAcreateserial",
                "-days", "2", "-extfile", str(directory / "san"), "-out", str(directory / "tls.pem"))
        keys = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                keys.requests += 1
                body = keys.text.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "tls.pem", directory / "tls.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://localhost:{self.server.server_address[1]}/jwks.json"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Oidc(ServerCase):
    def start(self, keys):
        config = self.directory / "otaria.toml"
        config.write_text('[oidc]\nissuer = "https://id.example"\naudience = "otaria"\nrole_claim = "groups"\n'
                          'role_map = "fleet-ops=operator, audit=auditor"\n' + keys)
        self.start_server("--config", str(config))

    def keys_arrived(self, times=1):
        """By the log: asking with tokens that are not good yet would count as guessing."""
        wait_for(lambda: self.log().count("oidc: the provider has 1 keys") == times, "the provider's keys are there")

    def status(self, token, method="GET", path="/api/v1/devices"):
        return self.call(method, path, token=token).status

    def key_server(self, **more):
        server = KeyServer(self.directory, **more)
        self.addCleanup(server.close)
        return server

    def test_takes_tokens_by_keys_in_a_file(self):
        provider = Provider(self.directory, "first")
        file = self.directory / "jwks.json"
        file.write_text(json.dumps(provider.key_set()))
        self.start(f'jwks_file = "{file}"\n')
        self.keys_arrived()
        self.assertEqual(self.status(provider.token()), 200)
        self.assertEqual(self.status(provider.token(), path="/api/v1/tokens"), 403)
        self.assertEqual(self.status(provider.token(groups=[])), 403)
        self.assertEqual(self.status(self.tokens[self.http]), 200)  # our own go on
        for token in (provider.token(exp=int(time.time()) - 100), provider.token(aud="other"), provider.token(iss="https://evil.example"),
                      provider.token(header={"alg": "none", "kid": "first"}), provider.token()[:-3] + "AAA"):
            self.assertEqual(self.status(token), 401)
        denied = [row for row in self.get("/api/v1/audit").json()["items"] if row["detail"].get("code") == "forbidden"]
        self.assertEqual({row["actor"] for row in denied}, {"oidc:alice", "anonymous"})
        self.assertNotIn(provider.token().split(".")[0] + ".", self.log())

    def test_fetches_keys_over_https_and_a_new_one_when_a_token_names_it(self):
        server = self.key_server()
        first, second = Provider(self.directory, "first"), Provider(self.directory, "second")
        server.text = json.dumps(first.key_set())
        self.start(f'jwks_url = "{server.url}"\nca_file = "{server.ca}"\n')
        self.assertEqual(self.status(first.token()), 200)  # even while the first answer is still on its way
        server.text = json.dumps(second.key_set())
        before = server.requests
        self.status(second.token())  # waits for the provider, but not as long as this machine may take
        self.keys_arrived(times=2)
        self.assertEqual(self.status(second.token()), 200)
        self.assertEqual(self.status(first.token()), 401)  # withdrawn by the provider
        for i in range(5):
            self.status(second.token(header={"alg": "ES256", "kid": f"made up {i}"}))
        self.assertEqual(server.requests, before + 1)

    def test_does_not_believe_a_server_whose_certificate_does_not_hold(self):
        provider = Provider(self.directory, "first")
        server = self.key_server()
        server.text = json.dumps(provider.key_set())
        self.start(f'jwks_url = "{server.url}"\n')  # the system's CAs do not know it
        wait_for(lambda: "the provider's keys cannot be had" in self.log(), "the failure is logged")
        self.assertEqual(self.status(provider.token()), 401)
        self.assertEqual(server.requests, 0)

    def test_does_not_believe_a_certificate_for_another_name(self):
        provider = Provider(self.directory, "first")
        server = self.key_server(name="other.example")
        server.text = json.dumps(provider.key_set())
        self.start(f'jwks_url = "{server.url}"\nca_file = "{server.ca}"\n')
        wait_for(lambda: "the provider's keys cannot be had" in self.log(), "the failure is logged")
        self.assertEqual(self.status(provider.token()), 401)
        self.assertEqual(server.requests, 0)

    def test_a_provider_that_is_only_half_configured_is_refused(self):
        whole = {"issuer": "https://id.example", "audience": "otaria", "role_map": "a=admin", "jwks_file": "/nonexistent"}
        cases = [{**whole, name: None} for name in whole] + [{**whole, "jwks_url": "https://id.example/jwks"}, {**whole, "role_map": "a=agent-ci"},
                                                             {**whole, "jwks_file": None, "jwks_url": "http://id.example/jwks"}]
        for case in cases:
            config = self.directory / "half.toml"
            config.write_text("[oidc]\n" + "".join(f'{name} = "{value}"\n' for name, value in case.items() if value))
            refused = subprocess.run([self.otariad, "--config", str(config), "--check-config"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
            self.assertEqual(refused.returncode, 2, case)
            self.assertIn("oidc", refused.stderr)


if __name__ == "__main__":
    unittest.main()
