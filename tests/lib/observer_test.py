#!/usr/bin/env python3
"""The observer's rules must see what they claim to see: each row of the table breaks one of them."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from observer import Message, Rules  # noqa: E402: found by the line above

SENSOR = "sensor_A1B2"


def line(kind, payload, retained=False, qos=1, topic_id=SENSOR):
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return json.dumps(
        {"tst": "2026-01-01T00:00:00Z", "topic": f"{topic_id}/ota/{kind}", "qos": qos, "retain": int(retained), "payload": text}
    )


def status(seq, state, **members):
    return {"id": SENSOR, "version": "1.3.0", "update": "u1", "target": "1.4.0", "state": state, "seq": seq, **members}


def progress(bytes_, total, percent=None):
    return {"progress": 100 * bytes_ // total if percent is None else percent, "bytes": bytes_, "total": total}


def state(seq, session, **members):
    return {"id": SENSOR, "version": "1.3.0", "online": True, "session": session, "seq": seq, **members}


ERROR = {"error": {"code": "digest_mismatch", "detail": "a sentence", "hint": "a hint"}}


def violations(*lines):
    rules = Rules(None)
    for one in lines:
        rules.check(Message(one))
    return rules.violations


class AWholeUpdate(unittest.TestCase):
    def test_breaks_no_rule(self):
        self.assertEqual(
            [],
            violations(
                line("state", state(1, 1)),
                line("status", status(2, "received")),
                line("state", state(3, 2)),
                line("status", status(4, "received")),  # the reset took the acknowledgement of the first
                line("status", status(5, "downloading", **progress(0, 1000))),
                line("status", status(6, "waiting")),
                line("status", status(7, "downloading", **progress(499, 1000))),
                line("status", status(7, "downloading", **progress(499, 1000))),  # delivered twice: QoS 1
                line("status", status(8, "downloading", **progress(1000, 1000))),
                line("status", status(9, "verifying")),
                line("status", status(10, "installed")),
                line("status", status(11, "rebooting")),
                line("state", {"id": SENSOR, "version": "1.3.0", "online": False, "session": 2}),
                line("state", state(20, 3)),
                line("status", status(21, "trial")),
                line("status", status(22, "succeeded")),
                line("status", status(23, "succeeded")),  # asked again
            ),
        )


class ABrokenRule(unittest.TestCase):
    rows = {
        "not a JSON object": [line("status", "[1]")],
        "id is not the topic's": [line("state", state(1, 1), topic_id="sensor_C3D4")],
        "no version": [line("state", {k: v for k, v in state(1, 1).items() if k != "version"})],
        "QoS 0": [line("state", state(1, 1), qos=0)],
        "packet of": [line("state", state(1, 1, build="x" * 1000))],
        "no seq": [line("state", {"id": SENSOR, "version": "1.3.0", "online": True, "session": 1})],
        "seq fell": [line("state", state(5, 1)), line("state", state(4, 1))],
        "was used before": [line("state", state(5, 1)), line("state", state(5, 1, slot="ota_1"))],
        "session fell": [line("state", state(5, 9)), line("state", state(6, 8))],
        "without session": [line("state", {"id": SENSOR, "version": "1.3.0", "online": False})],
        "unknown state": [line("status", status(1, "sleeping"))],
        "without code, detail and hint": [line("status", status(1, "received")), line("status", status(2, "failed"))],
        "an error in a state": [line("status", status(1, "received", **ERROR))],
        "does not begin with received": [line("status", status(1, "verifying"))],
        "verifying after installed": [
            line("status", status(n, s)) for n, s in enumerate(["received", "installed", "verifying"])
        ],
        "received again": [line("status", status(1, "received")), line("status", status(2, "received"))],
        "after the final state": [
            line("status", status(1, "received")),
            line("status", status(2, "failed", **ERROR)),
            line("status", status(3, "refused", **ERROR)),
        ],
        "without progress, bytes and total": [line("status", status(1, "received")), line("status", status(2, "downloading"))],
        "not floor": [
            line("status", status(1, "received")),
            line("status", status(2, "downloading", **progress(499, 1000, percent=50))),
        ],
        "in state verifying": [
            line("status", status(1, "received")),
            line("status", status(2, "verifying", **progress(1000, 1000))),
        ],
    }

    def test_is_named(self):
        for rule, lines in self.rows.items():
            with self.subTest(rule):
                found = violations(*lines)
                self.assertEqual(1, len(found), found)
                self.assertIn(rule, found[0])

    def test_is_not_blamed_on_a_retained_message_which_was_seen_when_it_was_new(self):
        self.assertEqual([], violations(line("state", state(5, 2)), line("state", state(4, 1), retained=True)))


if __name__ == "__main__":
    unittest.main()
