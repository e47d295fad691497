#!/usr/bin/env python3
"""What an independent observer saw on the broker, read from the JSON lines of `mosquitto_sub -F %j`.

The observer is no program of ours, so what stands here was really published. Verbs:

  wait FILE --device D [--state S]… [--code C] [--update U] [--target V] [--count N] [--timeout SECONDS]
      until a status fits (the N-th that does); prints its payload
  wait-state FILE --device D [--member NAME=JSON]… [--timeout SECONDS]
      until a state message with these members; prints its payload
  newest-state FILE --device D              the payload of the newest state message that tells more than presence
  states FILE --device D [--update U] [--all]
      the statuses' states in order, one line; repeats in a row (progress) as one unless --all
  statuses FILE --device D [--update U]     every status' payload, one line each
  check FILE [--schema-dir DIR]             the rules that hold in every run; prints each violation

Exit code: 0 found / clean, 1 not found in time / violated, 2 usage.
"""
import argparse
import json
import pathlib
import sys
import time

ORDER = ["received", "waiting", "downloading", "verifying", "installed", "rebooting", "trial"]
FINAL = ["succeeded", "rolled_back", "failed", "refused"]
MAX_PACKET_BYTES = 1024
MAX_REMAINING_LENGTH_BYTES = 2  # of the fixed header, for packets up to 16 KiB


class Message:
    """One PUBLISH as the observer got it."""

    def __init__(self, line):
        raw = json.loads(line)
        self.topic = raw["topic"]
        self.device, _, self.kind = self.topic.partition("/")
        self.retained = bool(raw["retain"])
        self.qos = raw["qos"]
        self.text = raw["payload"] or ""
        self.seen_at = raw["tst"]
        try:
            self.payload = json.loads(self.text)
        except ValueError:
            self.payload = None

    def is_status(self):
        return self.kind == "ota/status" and isinstance(self.payload, dict)

    def is_state(self):
        return self.kind == "ota/state" and isinstance(self.payload, dict)


def read(path, offset=0):
    """Whole lines from `offset` on, and the offset behind them: the last line may still be in the writing."""
    with open(path, "rb") as file:
        file.seek(offset)
        data = file.read()
    end = data.rfind(b"\n") + 1
    messages = [Message(line) for line in data[:end].splitlines() if line.strip()]
    return messages, offset + end


def is_for_update(payload, arguments):
    if arguments.update and payload.get("update") != arguments.update:
        return False
    return True


def wait(arguments, fits):
    deadline = time.monotonic() + arguments.timeout
    offset, found = 0, 0
    while True:
        messages, offset = read(arguments.file, offset)
        for message in messages:
            if fits(message):
                found += 1
                if found == arguments.count:
                    print(message.text)
                    return 0
        if time.monotonic() >= deadline:
            return 1
        time.sleep(0.05)


def wait_for_status(arguments):
    def fits(message):
        status = message.payload
        return (
            message.is_status()
            and message.device == arguments.device
            and is_for_update(status, arguments)
            and (not arguments.state or status.get("state") in arguments.state)
            and (not arguments.code or (status.get("error") or {}).get("code") == arguments.code)
            and (not arguments.target or status.get("target") == arguments.target)
            and (arguments.at_least is None or status.get("progress", -1) >= arguments.at_least)
        )

    return wait(arguments, fits)


def wait_for_state(arguments):
    wanted = {}
    for member in arguments.member:
        name, _, value = member.partition("=")
        wanted[name] = json.loads(value)

    def fits(message):
        return (
            message.is_state()
            and message.device == arguments.device
            and all(message.payload.get(name) == value for name, value in wanted.items())
        )

    return wait(arguments, fits)


def print_newest_state(arguments):
    messages, _ = read(arguments.file)
    full = [m for m in messages if m.is_state() and m.device == arguments.device and "seq" in m.payload]
    print(full[-1].text if full else "{}")
    return 0


def statuses_of(arguments):
    messages, _ = read(arguments.file)
    return [
        m for m in messages if m.is_status() and m.device == arguments.device and is_for_update(m.payload, arguments)
    ]


def print_states(arguments):
    states = []
    for message in statuses_of(arguments):
        state = message.payload.get("state")
        if arguments.all or not states or states[-1] != state:
            states.append(state)
    print(" ".join(states))
    return 0


def print_statuses(arguments):
    for message in statuses_of(arguments):
        print(message.text)
    return 0


def schema_validators(folder):
    """One validator per message kind, from the contract's own schemas."""
    import jsonschema  # only `check --schema-dir` needs it

    validators = {}
    for kind in ("status", "state"):
        schema = json.loads((pathlib.Path(folder) / f"{kind}.schema.json").read_text())
        validators[f"ota/{kind}"] = jsonschema.Draft202012Validator(schema)
    return validators


class Rules:
    """Design section 3.3 and 3.4 as far as an observer can check them."""

    def __init__(self, validators):
        self.validators = validators
        self.violations = []
        self.last_seq = {}
        self.texts = {}  # by (device, seq)
        self.updates = {}  # (last state, session it was told in) by (device, update id)
        self.sessions = {}

    def violated(self, message, rule):
        self.violations.append(f"{message.topic}: {rule}: {message.text[:300]}")

    def check(self, message):
        if message.kind not in ("ota/status", "ota/state"):
            return
        if not isinstance(message.payload, dict):
            self.violated(message, "not a JSON object")
            return
        packet = 1 + MAX_REMAINING_LENGTH_BYTES + 2 + len(message.topic) + 2 + len(message.text.encode())
        if packet > MAX_PACKET_BYTES:
            self.violated(message, f"packet of {packet} bytes")
        if message.payload.get("id") != message.device:
            self.violated(message, "id is not the topic's")
        if not message.payload.get("version"):
            self.violated(message, "no version")
        if self.validators:
            for error in self.validators[message.kind].iter_errors(message.payload):
                self.violated(message, f"schema: {error.message}")
        if message.qos != 1:
            self.violated(message, f"QoS {message.qos}")
        if message.retained:
            return  # an old message, seen when it was new
        self.check_seq(message)
        if message.kind == "ota/status":
            self.check_status(message)
        else:
            self.check_session(message)

    def check_seq(self, message):
        seq = message.payload.get("seq")
        if seq is None:
            if message.kind == "ota/status" or message.payload.get("online"):
                self.violated(message, "no seq")
            return
        key = (message.device, seq)
        if key in self.texts:
            # QoS 1 may deliver a message twice, also late; it must then be the same message.
            if self.texts[key] != message.text:
                self.violated(message, f"seq {seq} was used before, for {self.texts[key][:200]}")
            return
        self.texts[key] = message.text
        if seq < self.last_seq.get(message.device, 0):
            self.violated(message, f"seq fell from {self.last_seq[message.device]}")
        self.last_seq[message.device] = max(seq, self.last_seq.get(message.device, 0))

    def check_status(self, message):
        status = message.payload
        state = status.get("state")
        if state not in ORDER + FINAL:
            self.violated(message, "unknown state")
            return
        error = status.get("error")
        if state in FINAL and state != "succeeded":
            if not error or not all(error.get(member) for member in ("code", "detail", "hint")):
                self.violated(message, "a final state without code, detail and hint")
        elif error:
            self.violated(message, "an error in a state that has none")
        self.check_progress(message, state)
        if status.get("update"):
            self.check_order(message, state)

    def check_progress(self, message, state):
        status = message.payload
        members = [name for name in ("progress", "bytes", "total") if name in status]
        if state == "downloading":
            if len(members) != 3:
                self.violated(message, "downloading without progress, bytes and total")
            elif status["total"] and status["progress"] != 100 * status["bytes"] // status["total"]:
                self.violated(message, "progress is not floor(100 * bytes / total)")
        elif members and state != "failed":
            self.violated(message, f"{members} in state {state}")

    def check_order(self, message, state):
        key = (message.device, message.payload["update"])
        session = self.sessions.get(message.device)
        before, session_before = self.updates.get(key, (None, None))
        self.updates[key] = (state, session)
        if before is None:
            if state != "received":
                self.violated(message, "an update that does not begin with received")
        elif before in FINAL:
            # Asked again, a device repeats its final state, never anything else.
            if state != before:
                self.violated(message, f"{state} after the final state {before}")
        elif state == "received":
            # A reset may take the acknowledgement with it: then the next session says it once more. Nothing else may.
            if before != "received" or session == session_before:
                self.violated(message, f"received again after {before}")
        elif state in ORDER and ORDER.index(state) < ORDER.index(before):
            # The one step back that is permitted: an unfinished update waits for its notice, then goes on.
            if "waiting" not in (before, state):
                self.violated(message, f"{state} after {before}")

    def check_session(self, message):
        session = message.payload.get("session")
        if session is None:
            self.violated(message, "a state without session")
            return
        if session < self.sessions.get(message.device, session):
            # The will of a session that ended without DISCONNECT may come after the next one began.
            if message.payload.get("online"):
                self.violated(message, f"session fell from {self.sessions[message.device]}")
            return
        self.sessions[message.device] = session


def check(arguments):
    rules = Rules(schema_validators(arguments.schema_dir) if arguments.schema_dir else None)
    messages, _ = read(arguments.file)
    for message in messages:
        rules.check(message)
    for violation in rules.violations:
        print(violation)
    return 1 if rules.violations else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)

    def verb(name, act, *, device=True):
        one = verbs.add_parser(name)
        one.set_defaults(act=act)
        one.add_argument("file")
        one.add_argument("--timeout", type=float, default=20)
        one.add_argument("--count", type=int, default=1)
        one.add_argument("--update")
        if device:
            one.add_argument("--device", required=True)
        return one

    status = verb("wait", wait_for_status)
    status.add_argument("--state", action="append", default=[])
    status.add_argument("--code")
    status.add_argument("--target")
    status.add_argument("--at-least", type=int, help="progress of at least so many per cent")
    verb("wait-state", wait_for_state).add_argument("--member", action="append", default=[])
    verb("states", print_states).add_argument("--all", action="store_true")
    verb("newest-state", print_newest_state)
    verb("statuses", print_statuses)
    verb("check", check, device=False).add_argument("--schema-dir")
    arguments = parser.parse_args()
    return arguments.act(arguments)


if __name__ == "__main__":
    sys.exit(main())
