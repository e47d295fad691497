#!/usr/bin/env python3
"""Who may do what, against a running otariad: tokens, roles, lock-out, audit log. Environment: OTARIAD."""
import http.client
import json
import pathlib
import re
import socket
import sqlite3
import stat
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "app"))
from otariad_harness import LIMIT_S, ServerCase, answers, free_port, make_image, wait_for  # noqa: E402

RIGHTS = {
    "viewer": {"read"},
    "publisher": {"read", "publish"},
    "operator": {"read", "operate"},
    "admin": {"read", "publish", "operate", "administer", "audit", "provision"},
    "auditor": {"read", "audit"},
    "provisioner": {"provision"},
    "agent-ci": {"read", "publish"},
}
ENDPOINTS = re.findall(r'Endpoint\{"([A-Z]+)",\s*"([^"]+)",\s*Right::(\w+)', (HERE / "endpoints.cpp").read_text())


class Access(ServerCase):
    def setUp(self):
        super().setUp()
        self.start_server()

    def configure(self, text):
        config = self.directory / "otaria.toml"
        config.write_text(text)
        return "--config", str(config)

    def token(self, role, **more):
        reply = self.call("POST", "/api/v1/tokens", {"role": role, **more})
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json()

    def head_of(self, method, path, token=None, **headers):
        """Status and headers alone: an event stream has no end to wait for."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=LIMIT_S)
        self.addCleanup(connection.close)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, headers=headers)
        return connection.getresponse()

    def audit(self, query=""):
        return self.get("/api/v1/audit?order=oldest&limit=500" + query).json()["items"]

    def refused(self, reply, status, code):
        self.assertEqual((reply.status, reply.json()["code"]), (status, code), reply.body)

    # roles

    def test_each_endpoint_answers_exactly_the_roles_that_hold_its_right(self):
        self.assertGreater(len(ENDPOINTS), 15)
        tokens = {role: self.token(role, **({"product": "sensor"} if role == "agent-ci" else {}))["token"] for role in RIGHTS}
        for method, pattern, right in ENDPOINTS:
            path = pattern.replace("{id}", "nothing").replace("{file}", "nothing").replace("{serial}", "1")
            if right in ("open", "device"):
                continue
            nobody = self.head_of(method, path)
            self.assertEqual((nobody.status, nobody.headers["WWW-Authenticate"]), (401, 'Bearer realm="otaria"'), pattern)
            for role, token in tokens.items():
                reply = self.head_of(method, path, token)
                allowed = right in RIGHTS[role]
                self.assertEqual(reply.status == 403, not allowed, f"{role}: {method} {pattern} answered {reply.status}")
                self.assertNotEqual(reply.status, 401)
                if not allowed:
                    self.assertIn(f'scope="{right}"', reply.headers["WWW-Authenticate"])

    def test_a_refusal_names_the_roles_that_would_do(self):
        viewer = self.token("viewer")
        reply = self.call("POST", "/api/v1/updates", {"devices": ["a"], "release": "1.0.0"}, token=viewer["token"])
        self.refused(reply, 403, "forbidden")
        self.assertIn("operator or admin", reply.json()["hint"])
        self.assertIn("ota_" + viewer["id"], reply.json()["detail"])

    def test_what_devices_fetch_and_who_watches_the_process_need_no_token(self):
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/", 200), ("/firmware/" + "0" * 64 + ".bin", 403)):
            self.assertEqual(self.call("GET", path, token=None).status, status, path)
        self.assertNotIn(b"Devices", self.call("GET", "/", token=None).body)  # a page for everybody says nothing of the fleet

    def test_an_agent_of_one_product_publishes_for_no_other(self):
        agent = self.token("agent-ci", product="sensor")["token"]
        image = {"Content-Type": "application/octet-stream"}
        self.assertEqual(self.call("POST", "/api/v1/releases?product=sensor", make_image(), image, token=agent).status, 201)
        self.refused(self.call("POST", "/api/v1/releases?product=pump", make_image(), image, token=agent), 403, "forbidden")
        self.assertEqual(len(self.get("/api/v1/releases").json()["items"]), 1)

    def test_metrics_are_open_only_where_the_operator_says_so(self):
        self.assertEqual(self.call("GET", "/metrics", token=None).status, 401)
        other = free_port()
        self.start_server(*self.configure('[access]\nmetrics = "open"\n'), data="second", http=other)
        self.assertEqual(self.call("GET", "/metrics", http=other, token=None).status, 200)
        self.assertEqual(self.call("GET", "/api/v1/server", http=other, token=None).status, 401)

    # tokens

    def test_a_token_is_shown_once_and_listed_without_its_secret(self):
        made = self.token("operator", name="alice", days=7)
        self.assertRegex(made["token"], r"^ota_[a-z2-9]{8}_[A-Za-z0-9_-]{43}$")
        self.assertEqual(made["expires_at"] - made["created_at"], 7 * 86400)
        listed = self.get("/api/v1/tokens")
        self.assertNotIn(made["token"][13:].encode(), listed.body)
        self.assertEqual([item["name"] for item in listed.json()["items"]], ["alice", "bootstrap"])
        self.get_with(made["token"], "/api/v1/devices")
        used = self.get("/api/v1/tokens").json()["items"][0]["last_used_at"]
        self.assertGreaterEqual(used, made["created_at"])

    def get_with(self, token, path):
        reply = self.call("GET", path, token=token)
        self.assertEqual(reply.status, 200, reply.body)

    def test_the_database_holds_no_secret(self):
        made = self.token("operator")
        self.get_with(made["token"], "/api/v1/devices")
        for file in (self.directory / "data").glob("otaria.db*"):
            self.assertNotIn(made["token"][13:].encode(), file.read_bytes(), file)

    def test_a_revoked_token_is_refused_at_once_and_its_streams_end(self):
        made = self.token("viewer")
        stream = self.head_of("GET", "/api/v1/events", made["token"])
        self.assertEqual(stream.status, 200)
        self.assertEqual(self.call("DELETE", f"/api/v1/tokens/{made['id']}").json()["state"], "revoked")
        self.refused(self.call("GET", "/api/v1/devices", token=made["token"]), 401, "token_revoked")
        while stream.read(1):
            pass  # heartbeats until the end
        self.assertEqual(self.call("DELETE", f"/api/v1/tokens/{made['id']}").status, 200)
        self.refused(self.call("DELETE", "/api/v1/tokens/nothing1"), 404, "unknown_token")

    def test_an_expired_token_is_refused(self):
        made = self.token("viewer", days=1)
        with sqlite3.connect(self.directory / "data" / "otaria.db") as database:
            database.execute("UPDATE tokens SET expires_at = 1000 WHERE id = ?", (made["id"],))
        database.close()
        self.refused(self.call("GET", "/api/v1/devices", token=made["token"]), 401, "token_expired")
        # Only who has the secret learns that.
        self.refused(self.call("GET", "/api/v1/devices", token=made["token"][:-1] + "_"), 401, "token_invalid")

    def test_what_is_no_token_of_this_server_is_refused_in_one_way(self):
        made = self.token("viewer")
        texts = set()
        for token in (made["token"][:13] + "A" * 43, "ota_aaaaaaaa_" + "A" * 43, "ota_", "x", "a.b.c"):
            reply = self.call("GET", "/api/v1/devices", token=token)
            self.refused(reply, 401, "token_invalid")
            self.assertIn('error="invalid_token"', reply.headers["WWW-Authenticate"])
            texts.add(reply.body)
        self.assertEqual(len(texts), 1)

    def test_tokens_come_in_the_header_and_nowhere_else(self):
        token = self.tokens[self.http]
        for path in (f"/api/v1/devices?access_token={token}", f"/api/v1/devices?token={token}"):
            self.refused(self.call("GET", path, token=None), 401, "token_required")
        for headers in ({"Authorization": f"Basic {token}"}, {"Authorization": f"Bearer {token} {token}"}, {"Authorization": token}):
            self.refused(self.call("GET", "/api/v1/devices", headers=headers, token=None), 401, "token_invalid")
        self.refused(self.call("GET", "/api/v1/devices", headers={"X-Token": token, "Cookie": f"token={token}"}, token=None), 401, "token_required")

    def test_a_token_that_makes_no_sense_is_not_made(self):
        for body in ({}, {"role": "root"}, {"role": "agent-ci"}, {"role": "viewer", "product": "sensor"}, {"role": "viewer", "days": 0},
                     {"role": "viewer", "days": 3651}, {"role": "viewer", "days": "9"}, {"role": "viewer", "name": "x" * 65},
                     {"role": "viewer", "name": "a\u0007b"}, {"role": 1}, {"role": "agent-ci", "product": "a/b"}, {"role": "viewer", "groups": []}, []):
            self.refused(self.call("POST", "/api/v1/tokens", body), 400, "bad_request")
        self.assertEqual(len(self.get("/api/v1/tokens").json()["items"]), 1)

    # the first token

    def test_the_first_start_makes_one_token_and_tells_only_where_it_lies(self):
        file = self.directory / "data" / "bootstrap-token"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertIn(str(file), self.log())
        self.assertNotIn(file.read_text().strip()[13:], self.log())
        first = file.read_text()
        self.restart()
        self.assertEqual(file.read_text(), first)

    def restart(self):
        server = self.processes[-1]
        server.terminate()
        self.assertEqual(server.wait(LIMIT_S), 0)
        self.start_server()

    def test_who_lost_every_admin_token_gets_one_by_a_restart(self):
        lost = self.tokens[self.http]
        self.assertEqual(self.call("DELETE", f"/api/v1/tokens/{lost[4:12]}").status, 200)
        self.refused(self.get("/api/v1/tokens"), 401, "token_revoked")
        self.restart()
        self.assertNotEqual(self.tokens[self.http], lost)
        self.assertEqual(self.get("/api/v1/tokens").status, 200)

    # access without tokens

    def test_only_a_server_that_nobody_else_can_reach_asks_for_no_token(self):
        for words, access in (([], "open"), (["--access", "tokens"], "tokens"), (["--public-url", "https://fw.example"], "tokens")):
            with self.subTest(words=words):
                other = free_port()
                server = self.spawn(self.otariad, "--data", str(self.directory / f"bench{len(words)}{access}"), "--http",
                                    f"127.0.0.1:{other}", "--mqtt", f"mqtt://127.0.0.1:{self.mqtt}", *words)
                wait_for(lambda: answers(other) or server.poll() is not None, "otariad listens")
                reply = self.call("GET", "/api/v1/server", token=None, http=other)
                self.assertEqual(reply.status, 200 if access == "open" else 401)
                if access == "open":
                    self.assertEqual((reply.json()["access"], reply.json()["development"]), ("open", True))
                server.terminate()
                server.wait(30)

    def test_open_access_is_for_development_on_loopback(self):
        for words in (["--access", "open"], ["--access", "open", "--http", "127.0.0.1:9"],
                      ["--access", "open", "--development", "--http", "192.0.2.1:9"],
                      ["--access", "open", "--development", "--http", "0.0.0.0:9", "--public-url", "http://127.0.0.1:9"]):
            refused = subprocess.run([self.otariad, "--check-config", *words], capture_output=True, text=True, timeout=LIMIT_S, check=False)
            self.assertEqual(refused.returncode, 2, words)
            self.assertIn("access.mode", refused.stderr)
        other = free_port()
        self.start_server("--access", "open", "--development", data="second", http=other)
        self.assertEqual(self.call("GET", "/api/v1/server", http=other, token=None).json()["access"], "open")
        self.assertEqual(self.call("POST", "/api/v1/tokens", {"role": "viewer"}, http=other, token=None).status, 201)
        rows = self.call("GET", "/api/v1/audit", http=other, token=None).json()["items"]
        self.assertEqual([(row["actor"], row["verb"]) for row in rows], [("open", "token.create"), ("otariad", "token.create")])
        self.assertRegex(self.log(), "access.mode is open")
        self.assertTrue((self.directory / "second" / "bootstrap-token").exists())

    # lock-out

    def fail_often(self, **headers):
        for _ in range(11):
            self.refused(self.call("GET", "/api/v1/devices", headers=headers, token="wrong"), 401, "token_invalid")

    def test_an_address_that_guesses_is_not_listened_to(self):
        self.fail_often()
        for token in ("wrong", self.tokens[self.http]):
            reply = self.call("GET", "/api/v1/devices", token=token)
            self.refused(reply, 429, "too_many_failures")
            self.assertTrue(1 <= int(reply.headers["Retry-After"]) <= 60)
        # What a client writes of itself does not make it another one.
        self.refused(self.call("GET", "/api/v1/devices", headers={"X-Forwarded-For": "203.0.113.9"}), 429, "too_many_failures")
        self.assertEqual(self.call("GET", "/healthz", token=None).status, 200)

    def test_behind_a_trusted_proxy_clients_are_told_apart(self):
        other = free_port()
        self.start_server(*self.configure('[access]\ntrusted_proxies = "127.0.0.0/8"\n'), data="second", http=other)

        def get(client, token):
            return self.call("GET", "/api/v1/devices", headers={"X-Forwarded-For": client}, http=other, token=token)

        for _ in range(11):
            self.assertEqual(get("203.0.113.9", "wrong").status, 401)
        self.assertEqual(get("203.0.113.9", self.tokens[other]).status, 429)
        self.assertEqual(get("198.51.100.7, 203.0.113.9", self.tokens[other]).status, 429)
        self.assertEqual(get("203.0.113.10", self.tokens[other]).status, 200)
        rows = self.call("GET", "/api/v1/audit?order=oldest", http=other, headers={"X-Forwarded-For": "203.0.113.10"}).json()["items"]
        self.assertEqual({row["source"] for row in rows if row["outcome"] == "denied"}, {"203.0.113.9"})

    # bodies

    def spooled(self):
        """Bytes of deleted files that the server holds open: a spool has no name."""
        folder = pathlib.Path(f"/proc/{self.processes[-1].pid}/fd")
        return sum(file.stat().st_size for file in folder.iterdir() if "(deleted)" in str(file.readlink()))

    def test_a_stranger_is_refused_by_his_head_and_sends_no_body(self):
        viewer = self.token("viewer")["token"]
        for headers, status, code in (("", 401, "token_required"), ("Authorization: Bearer wrong\r\n", 401, "token_invalid"),
                                      (f"Authorization: Bearer {viewer}\r\n", 403, "forbidden")):
            with socket.create_connection(("127.0.0.1", self.http), LIMIT_S) as connection:
                connection.sendall((f"POST /api/v1/releases HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n{headers}\r\n").encode())
                answer = b""
                while b'"hint"' not in answer:  # before a byte of the body was sent
                    answer += connection.recv(65536)
                self.assertTrue(answer.startswith(f"HTTP/1.1 {status}".encode()), answer)
                self.assertIn(f'"{code}"'.encode(), answer)
                self.assertIn(b"Connection: close", answer)
                self.assertEqual(self.spooled(), 0)
        denied = [row["detail"]["code"] for row in self.audit() if row["outcome"] == "denied"]
        self.assertEqual(sorted(denied), ["forbidden", "token_invalid", "token_required"])

    # browsers on the same machine

    def test_without_tokens_only_this_machines_names_are_answered(self):
        other = free_port()
        self.start_server("--development", "--access", "open", data="second", http=other)

        def ask(host, method="GET", **headers):
            connection = http.client.HTTPConnection("127.0.0.1", other, timeout=LIMIT_S)
            self.addCleanup(connection.close)
            connection.putrequest(method, "/api/v1/devices" if method == "GET" else "/api/v1/tokens", skip_host=True)
            for name, value in ({"Host": host} | headers).items():
                connection.putheader(name.replace("_", "-"), value)
            body = b'{"role":"admin"}' if method == "POST" else b""
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read()).get("code")

        for host in (f"127.0.0.1:{other}", "127.9.9.9", f"localhost:{other}", "[::1]:80"):
            self.assertEqual(ask(host), (200, None), host)
        for host in ("attacker.example", f"attacker.example:{other}", "localhost.attacker.example", "127.0.0.1.attacker.example", "10.0.0.1", "[fe80::1]", "["):
            self.assertEqual(ask(host), (421, "wrong_host"), host)
            self.assertEqual(ask(host, "POST"), (421, "wrong_host"), host)
        here = f"127.0.0.1:{other}"
        for header in ({"Origin": "http://attacker.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
                       {"Origin": f"http://localhost:{other}"}):
            self.assertEqual(ask(here, "POST", **header), (403, "cross_site_request"), header)
        self.assertEqual(ask(here, "POST", Origin=f"http://{here}", Sec_Fetch_Site="same-origin")[0], 201)
        self.assertEqual(ask(here, "POST")[0], 201)

    # metrics

    def metric(self, text):
        found = re.search(rf"^otaria_{re.escape(text)} (\d+)$", self.get("/metrics").body.decode(), re.MULTILINE)
        return int(found[1]) if found else 0

    def test_who_is_turned_away_is_counted_by_door_and_code(self):
        viewer = self.token("viewer")["token"]
        self.call("GET", "/api/v1/devices", token=None)
        self.call("GET", "/api/v1/devices", token="wrong")
        self.call("GET", "/api/v1/tokens", token=viewer)
        self.call("POST", "/api/v1/device/enrol", b"nonsense", token=None)
        self.call("POST", "/broker/rabbitmq/user", b"username=x&password=y", token=None)
        for sample in ('door="api",code="token_required"', 'door="api",code="token_invalid"', 'door="api",code="forbidden"',
                       'door="device",code="bad_request"', 'door="broker",code="denied"'):
            self.assertEqual(self.metric(f"auth_failures_total{{{sample}}}"), 1, sample)
        self.assertEqual(self.metric('rate_limited_total{door="api",code="too_many_failures"}'), 0)
        doors = {(row["actor"], row["detail"]["code"]) for row in self.audit() if row["outcome"] == "denied"}
        self.assertLessEqual({("device", "bad_request"), ("broker", "denied")}, doors)

    def test_what_is_refused_for_its_number_is_counted_apart(self):
        other = free_port()
        self.start_server(*self.configure('[access]\nmetrics = "open"\n[identity]\nburst = 3\nper_second = 1\n'), data="second", http=other)
        call = lambda method, path, **more: self.call(method, path, http=other, **more)
        for _ in range(11):
            call("GET", "/api/v1/devices", token="wrong")
        self.refused(call("GET", "/api/v1/devices", token="wrong"), 429, "too_many_failures")
        limited = [call("POST", "/api/v1/device/nonce", body=b"", token=None).status for _ in range(8)]
        self.assertIn(429, limited)
        text = call("GET", "/metrics", token=None).body.decode()
        self.assertIn('otaria_rate_limited_total{door="api",code="too_many_failures"} 1\n', text)
        self.assertIn('otaria_rate_limited_total{door="device",code="too_many_requests"} ', text)
        self.assertIn('otaria_tls_failures_total{reason="client_certificate"} 0\n', text)

    # several servers

    def test_servers_that_share_a_download_secret_take_each_others_urls(self):
        secret = self.directory / "secret"
        secret.write_text("A" * 43 + " 1700000000\n")
        secret.chmod(0o600)
        first, second = free_port(), free_port()
        for port in (first, second):
            self.start_server("--download-secret", str(secret), "--public-url", "http://127.0.0.1:1", data=f"data-{port}", http=port)
        ids = {port: re.search(r'otaria_download_secret_info\{id="([0-9a-f]{8})"\} 1', self.call("GET", "/metrics", http=port).body.decode())[1]
               for port in (self.http, first, second)}
        self.assertEqual(ids[first], ids[second])
        self.assertNotEqual(ids[first], ids[self.http])
        image = {"Content-Type": "application/octet-stream"}
        made = {port: self.call("POST", "/api/v1/releases", make_image(), image, http=port).json()["url"] for port in (first, second)}
        path = made[first].split(":1/", 1)[1]
        self.assertEqual(self.call("GET", "/" + path, http=second, token=None).status, 200)
        self.assertEqual(self.call("GET", "/" + path, http=self.http, token=None).json()["code"], "url_refused")
        self.assertEqual(secret.read_text(), "A" * 43 + " 1700000000\n")
        refused = self.spawn(self.otariad, "--data", str(self.directory / "third"), "--http", f"127.0.0.1:{free_port()}", "--access", "tokens",
                             "--download-secret", str(self.directory / "nothing"))
        self.assertEqual(refused.wait(30), 1)
        self.assertIn("nothing is not there", self.log())

    # audit

    def test_every_change_is_told_with_who_and_what(self):
        publisher = self.token("publisher")
        image = {"Content-Type": "application/octet-stream"}
        release = self.call("POST", "/api/v1/releases", make_image(), image, token=publisher["token"]).json()
        self.call("DELETE", "/api/v1/updates/nothing")
        self.call("DELETE", f"/api/v1/tokens/{publisher['id']}")
        told = [(row["actor"], row["verb"], row["subject"], row["outcome"]) for row in self.audit()]
        admin = "ota_" + self.tokens[self.http][4:12]
        self.assertEqual(told, [
            ("otariad", "token.create", admin[4:], "done"),
            (admin, "token.create", publisher["id"], "done"),
            ("ota_" + publisher["id"], "release.publish", release["id"], "done"),
            (admin, "DELETE /api/v1/updates/{id}", "/api/v1/updates/nothing", "refused"),
            (admin, "token.revoke", publisher["id"], "done"),
        ])
        self.assertEqual(self.audit()[2]["detail"]["sha256"], release["sha256"])
        self.assertEqual(self.audit()[3]["detail"], {"code": "unknown_update", "status": 404})

    def test_an_update_is_told_device_by_device(self):
        self.start_broker()
        self.connected()
        self.register("sensor_A1B2")
        self.register("sensor_C3D4", mac="a4cf12e0c3d4")
        self.publish_release()
        reply = self.call("POST", "/api/v1/updates", {"devices": ["sensor_A1B2", "sensor_C3D4"], "release": "1.4.0", "force": True}).json()
        self.call("DELETE", f"/api/v1/updates/{reply['items'][0]['id']}")
        sent = self.audit("&verb=update.send")
        self.assertEqual([row["subject"] for row in sent], ["sensor_A1B2", "sensor_C3D4"])
        self.assertTrue(all(row["detail"]["force"] for row in sent))
        withdrawn = self.audit("&verb=update.withdraw")
        self.assertEqual([row["detail"]["update"] for row in withdrawn], [reply["items"][0]["id"]])

    def test_denials_are_told_and_their_repeats_counted(self):
        viewer = self.token("viewer")
        before = len(self.audit())
        for _ in range(200):
            self.call("GET", "/api/v1/devices", token=None)
            self.call("GET", "/api/v1/tokens", token=viewer["token"])
        denied = self.audit()[before:]
        self.assertEqual([(row["actor"], row["outcome"], row["detail"]["code"]) for row in denied],
                         [("anonymous", "denied", "token_required"), ("ota_" + viewer["id"], "denied", "forbidden")])
        self.restart()  # writes what was counted
        counted = [row["detail"]["repeated"] for row in self.audit() if row["outcome"] == "denied"]
        self.assertEqual(sorted(counted), [0, 0, 199, 199])

    def test_pages_of_the_log_meet(self):
        for i in range(7):
            self.token("viewer", name=str(i))
        first = self.get("/api/v1/audit?limit=3").json()
        rest = self.get(f"/api/v1/audit?limit=100&cursor={first['next']}").json()
        self.assertEqual([row["seq"] for row in first["items"] + rest["items"]], [8, 7, 6, 5, 4, 3, 2, 1])
        self.refused(self.get("/api/v1/audit?order=sideways"), 400, "bad_request")

    # secrets

    def test_no_log_answer_or_process_list_tells_a_secret(self):
        made = self.token("publisher", name="ci")
        wrong = "ota_aaaaaaaa_" + "Wr0ngSecret" * 3 + "x" * 10
        self.refused(self.call("DELETE", f"/api/v1/tokens/{made['token']}"), 404, "unknown_token")
        replies = []
        for token in (made["token"], wrong, made["token"] + "x", "Bearer " + made["token"]):
            for method, path, body in (("GET", "/api/v1/devices", None), ("POST", "/api/v1/updates", b"{"), ("POST", "/api/v1/tokens", {"role": "x"}),
                                       ("DELETE", f"/api/v1/tokens/{made['token']}", None), ("GET", f"/api/v1/audit?actor={made['token']}", None)):
                replies.append(self.call(method, path, body, token=token).body)
        self.raw(f"GET /api/v1/devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {made['token']}\r\nBroken\r\n\r\n")
        replies.append(self.call("DELETE", f"/api/v1/tokens/{made['id']}").body)
        self.restart()
        told = self.log() + b"".join(replies).decode()
        for secret in (made["token"][13:], wrong[13:], self.tokens[self.http][13:]):
            self.assertNotIn(secret, told)
            arguments = pathlib.Path(f"/proc/{self.processes[-1].pid}/cmdline").read_bytes().decode()
            self.assertNotIn(secret, arguments)
        # A token in a path is the client's own mistake; it is not written down all the same.
        self.assertNotIn(made["token"][13:], json.dumps(self.audit()))

    def raw(self, text):
        with socket.create_connection(("127.0.0.1", self.http), LIMIT_S) as connection:
            connection.sendall(text.encode())
            connection.recv(65536)

    # checkpoints

    def test_a_stopped_server_leaves_its_log_signed(self):
        self.token("viewer")
        self.restart()
        lines = (self.directory / "data" / "audit-checkpoints.jws").read_text().splitlines()
        self.assertEqual(len(lines), 1)
        self.assertEqual(lines[0].count("."), 2)
        self.assertEqual(stat.S_IMODE((self.directory / "data" / "keys" / "audit.pem").stat().st_mode), 0o600)
        self.assertIn("PUBLIC KEY", (self.directory / "data" / "keys" / "audit.pub.pem").read_text())


if __name__ == "__main__":
    unittest.main()
