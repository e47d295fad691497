#!/usr/bin/env python3
"""The two-person rule against a running otariad. Environment: OTARIAD, and OTARIA for the command line."""
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "app")]

from otariad_harness import make_image  # noqa: E402
from trust_api_test import TrustCase  # noqa: E402

OTARIA = os.environ["OTARIA"]


class Approvals(TrustCase):
    """Every exchange is checked against openapi.yaml too."""

    def start_server(self, *more, **others):
        config = self.directory / "otaria.toml"
        config.write_text("[approvals]\nforce = true\nkeylist_publish = true\nlife = 3600\n")
        return super().start_server("--config", str(config), *more, **others)

    def setUp(self):
        super().setUp()
        self.alice, self.alice_too, self.bob = (self.person(name) for name in ("alice", "alice", "bob"))
        self.nobody = self.person(None)

    def person(self, person, role="admin"):
        body = {"role": role, "name": "a person"} | ({"person": person} if person else {})
        reply = self.call("POST", "/api/v1/tokens", body)
        self.assertEqual((reply.status, reply.json()["person"]), (201, person), reply.body)
        return reply.json()["token"]

    def force(self, token, release="1.4.0", devices=("sensor_A1B2",)):
        return self.call("POST", "/api/v1/updates", {"devices": list(devices), "release": release, "force": True}, token=token)

    def ready(self):
        """A device, a release, and what alice has asked for."""
        self.connected()
        self.register()
        self.publish_release()
        reply = self.force(self.alice)
        self.assertEqual((reply.status, reply.json()["items"]), (202, []), reply.body)
        return reply.json()["approval"]

    def approve(self, approval, token, digest=None):
        return self.call("POST", f"/api/v1/approvals/{approval['id']}/approve", {"digest": digest or approval["digest"]}, token=token)

    def updates(self):
        return self.get("/api/v1/updates").json()["items"]

    def audit(self, verb):
        return self.get(f"/api/v1/audit?order=oldest&verb={verb}").json()["items"]

    def test_a_forced_update_waits_until_another_person_approves_it(self):
        asked = self.ready()
        self.assertEqual((asked["state"], asked["person"], asked["verb"]), ("pending", "alice", "force"))
        self.assertEqual(self.updates(), [])
        self.assertIsNone(self.retained_notice())
        done = self.approve(asked, self.bob)
        self.assertEqual((done.status, done.json()["state"], done.json()["decider_person"]), (200, "done", "bob"), done.body)
        updates = self.updates()
        self.assertEqual([(update["id"], update["force"]) for update in updates], [(done.json()["result"]["updates"][0], True)])
        self.refused(self.approve(asked, self.bob), 409, "approval_decided")
        self.assertEqual(len(self.updates()), 1)

    def test_the_same_person_is_refused_with_another_token_too_and_so_is_nobody(self):
        asked = self.ready()
        for token in (self.alice, self.alice_too):
            self.refused(self.approve(asked, token), 403, "same_person")
        self.refused(self.approve(asked, self.nobody), 403, "person_unknown")
        self.refused(self.force(self.nobody), 403, "person_unknown")
        self.refused(self.approve(asked, self.person("carol", "viewer")), 403, "forbidden")
        self.assertEqual(self.updates(), [])

    def test_what_has_changed_since_is_not_done(self):
        asked = self.ready()
        self.refused(self.approve(asked, self.bob, "0" * 64), 409, "approval_mismatch")
        # The version that was asked for becomes another image for this very device.
        self.assertEqual(self.publish_release("?version=1.4.0&hardware=esp32s3-8mb", make_image("other")).status, 201)
        self.refused(self.approve(asked, self.bob), 409, "approval_stale")
        self.assertEqual(self.updates(), [])

    def test_what_somebody_wrote_into_the_database_is_not_done(self):
        asked = self.ready()
        with sqlite3.connect(self.directory / "data/otaria.db") as database:
            with self.assertRaises(sqlite3.Error):
                database.execute("UPDATE approvals SET content = 'x'")
            database.execute("DROP TRIGGER approvals_keep_what_was_asked")
            database.execute("UPDATE approvals SET content = replace(content, 'sensor_A1B2', 'sensor_C3D4')")
        self.refused(self.approve(asked, self.bob), 409, "approval_stale")
        self.assertEqual(self.updates(), [])

    def test_a_request_outlives_a_kill_and_an_approval_is_whole_after_one(self):
        asked = self.ready()
        self.kill_hard(self.processes[-1])
        self.start_server()
        self.assertEqual(self.get(f"/api/v1/approvals/{asked['id']}").json()["state"], "pending")
        self.assertEqual(self.approve(asked, self.bob).status, 200)
        self.kill_hard(self.processes[-1])
        self.start_server()
        self.assertEqual(self.get(f"/api/v1/approvals/{asked['id']}").json()["state"], "done")
        self.assertEqual(len(self.updates()), 1)

    def test_what_nobody_decides_ends(self):
        asked = self.ready()
        self.kill_hard(self.processes[-1])
        with sqlite3.connect(self.directory / "data/otaria.db") as database:
            database.execute("DROP TRIGGER approvals_keep_what_was_asked")
            database.execute("UPDATE approvals SET expires_at = unixepoch() - 1")
        self.start_server()
        self.assertEqual(self.get(f"/api/v1/approvals/{asked['id']}").json()["state"], "expired")
        self.refused(self.approve(asked, self.bob), 409, "approval_expired")
        again = self.force(self.alice).json()["approval"]
        self.assertNotEqual(again["id"], asked["id"])
        self.assertEqual(self.approve(again, self.bob).status, 200)

    def test_the_same_wish_is_one_request_and_can_be_rejected_or_taken_back(self):
        asked = self.ready()
        self.assertEqual(self.force(self.alice_too).json()["approval"]["id"], asked["id"])
        rejected = self.call("POST", f"/api/v1/approvals/{asked['id']}/reject", {"reason": "wrong release"}, token=self.bob).json()
        self.assertEqual((rejected["state"], rejected["reason"]), ("rejected", "wrong release"))
        self.refused(self.approve(asked, self.bob), 409, "approval_decided")
        mine = self.force(self.alice).json()["approval"]
        self.assertEqual(self.call("POST", f"/api/v1/approvals/{mine['id']}/reject", b"", token=self.alice).json()["state"], "rejected")
        self.assertEqual([one["state"] for one in self.get("/api/v1/approvals").json()["items"]], ["rejected", "rejected"])
        self.assertEqual(self.get("/api/v1/approvals?state=pending").json()["items"], [])
        self.refused(self.call("POST", "/api/v1/approvals/nothing/reject", b""), 404, "unknown_approval")

    def test_a_revoked_tokens_wish_cannot_be_approved(self):
        asked = self.ready()
        self.call("DELETE", f"/api/v1/tokens/{self.alice[4:12]}")
        self.refused(self.approve(asked, self.bob), 409, "approval_void")

    def test_an_update_that_is_not_forced_waits_for_nobody(self):
        self.ready()
        reply = self.call("POST", "/api/v1/updates", {"devices": ["sensor_A1B2"], "release": "1.4.0"}, token=self.nobody)
        self.assertEqual((reply.status, len(reply.json()["items"])), (202, 1), reply.body)

    def test_a_key_list_waits_and_its_digest_is_the_files(self):
        file = self.next_list(1, [self.key])
        reply = self.call("PUT", "/api/v1/keylist", file, {"Content-Type": "application/jose"}, token=self.alice)
        asked = reply.json()["approval"]
        self.assertEqual((reply.status, asked["digest"], asked["summary"]), (202, hashlib.sha256(file).hexdigest(), "key list 1"))
        self.refused(self.get("/keys.jws"), 404, "unknown_keylist")
        self.refused(self.approve(asked, self.person("otto", "operator")), 403, "forbidden")
        self.assertEqual(self.approve(asked, self.bob).json()["result"], {"serial": 1})
        self.assertEqual(self.get("/keys.jws").body, file)
        again = self.call("PUT", "/api/v1/keylist", file, {"Content-Type": "application/jose"}, token=self.nobody)
        self.assertEqual(again.status, 200, again.body)

    def test_request_and_approval_are_in_the_audit_log(self):
        asked = self.ready()
        self.refused(self.approve(asked, self.alice_too), 403, "same_person")
        self.approve(asked, self.bob)
        request, approval, sent = (self.audit(verb)[-1] for verb in ("approval.request", "approval.approve", "update.send"))
        self.assertEqual((request["subject"], request["detail"]["digest"], request["detail"]["person"]), (asked["id"], asked["digest"], "alice"))
        self.assertEqual((approval["detail"]["person"], approval["detail"]["requester"]), ("bob", asked["requester"]))
        self.assertEqual((sent["detail"]["approval"], sent["actor"]), (asked["id"], "ota_" + self.bob[4:12]))
        refused = self.audit("POST /api/v1/approvals/{id}/approve")
        self.assertEqual([row["detail"]["code"] for row in refused], ["same_person"])

    def otaria(self, token, *words):
        file = self.directory / f"{token[4:12]}.token"
        file.write_text(token)
        file.chmod(0o600)
        return subprocess.run([OTARIA, "--server", f"http://127.0.0.1:{self.http}", "--token-file", file, *words],
                              capture_output=True, text=True, timeout=60, check=False)

    def test_the_command_line_asks_lists_and_approves(self):
        self.ready()
        self.publish_release("", make_image("1.5.0"))
        send = ("update", "send", "sensor_A1B2", "--release", "1.5.0", "--force")
        asked = self.otaria(self.alice, *send)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertIn("waits for approval", asked.stdout)
        waited = self.otaria(self.alice, "--json", *send, "--wait")
        self.assertEqual((waited.returncode, json.loads(waited.stdout)["error"]["code"]), (3, "awaiting_approval"), waited.stdout)
        listed = json.loads(self.otaria(self.bob, "--json", "approval", "list").stdout)["items"]
        newest = listed[0]
        self.assertEqual(len(listed), 2)
        self.assertIn("force 1.5.0 to 1 device: sensor_A1B2", self.otaria(self.bob, "approval", "show", newest["id"]).stdout)
        wrong = self.otaria(self.bob, "approval", "approve", newest["id"], "--digest", "0" * 64)
        self.assertEqual(wrong.returncode, 3)
        self.assertIn("approval_mismatch", wrong.stderr)
        self.assertEqual(self.otaria(self.bob, "approval", "approve", newest["id"], "--digest", newest["digest"]).returncode, 0)
        self.assertEqual(self.otaria(self.bob, "approval", "reject", listed[1]["id"], "--reason", "no").returncode, 0)
        self.assertIn("Nothing waits", self.otaria(self.bob, "approval", "list").stdout)


class Recommendation(TrustCase):
    def test_a_second_operator_is_the_time_to_think_of_it(self):
        make = lambda **more: self.call("POST", "/api/v1/tokens", {"role": "operator", **more}).json()
        self.call("POST", "/api/v1/tokens", {"role": "viewer"})
        self.assertIn("approvals.force", make(person="alice")["recommendation"])  # beside the bootstrap token
        self.assertEqual(self.get("/api/v1/server").json()["approvals"]["verbs"], {"force": False, "keylist.publish": False})
        self.assertNotIn("recommendation", self.call("POST", "/api/v1/tokens", {"role": "viewer"}).json())

    def test_the_rule_needs_to_know_who_asks(self):
        config = self.directory / "otaria.toml"
        config.write_text("[approvals]\nforce = true\n")
        refused = self.spawn(self.otariad, "--check-config", "--config", str(config), "--development", "--access", "open")
        self.assertEqual(refused.wait(30), 2)


if __name__ == "__main__":
    unittest.main()
