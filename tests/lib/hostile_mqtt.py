#!/usr/bin/env python3
"""Says to an MQTT broker what no program of ours would, and prints every answer, a line each.

Usage: hostile_mqtt.py --port PORT --ca FILE --id CLIENT_ID [--user NAME] [--token-file FILE] [--will TOPIC PAYLOAD] ACTION…

  connect CODE                    always the first line; none: closed without an answer. Refused, it ends there
  subscribe TOPIC                 → subscribe TOPIC CODE       (128: refused)
  publish TOPIC PAYLOAD           → publish TOPIC acknowledged (QoS 1; a broker acknowledges what it drops)
  retain TOPIC PAYLOAD            the same, retained
  listen SECONDS                  → message TOPIC PAYLOAD, for each that has come, after waiting so long
  until-closed SECONDS            → closed, or open
  cut                             gone without a word: the broker sends the will
Without cut it says goodbye at its end. With --each DIR in place of --token-file it connects with every file there for a token, does
nothing else, and prints NAME CODE for each.
"""
import argparse
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "server/broker/plugin/testing"))
from mqtt_client import Client, Closed  # noqa: E402

ARGUMENTS = {"subscribe": 1, "publish": 2, "retain": 2, "listen": 1, "until-closed": 1, "cut": 0}


def say(*words):
    print(*words, flush=True)


def act(client, verb, arguments):
    """False when the connection has ended."""
    if verb == "subscribe":
        say(verb, arguments[0], client.subscribe(arguments[0]))
    elif verb in ("publish", "retain"):
        client.publish(arguments[0], arguments[1], retain=verb == "retain")
        say(verb, arguments[0], "acknowledged")
    elif verb == "listen":
        time.sleep(float(arguments[0]))
        client.ping()
        for topic, payload, _ in client.messages:
            say("message", topic, payload)
        client.messages.clear()
    elif verb == "until-closed":
        is_open = client.wait_until_closed(float(arguments[0])) is None
        say("open" if is_open else "closed")
        return is_open
    else:
        client.cut()
        return False
    return True


def actions(words):
    while words:
        verb, words = words[0], words[1:]
        if verb not in ARGUMENTS or len(words) < ARGUMENTS[verb]:
            sys.exit(__doc__)
        yield verb, words[: ARGUMENTS[verb]]
        words = words[ARGUMENTS[verb] :]


def connect_with_each(options):
    for file in sorted(options.each.iterdir()):
        client = Client(options.port, options.ca, options.id, options.user, file.read_text().strip(), host="127.0.0.1")
        say(file.name, "none" if client.code is None else client.code)
        client.socket.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--id", required=True)
    parser.add_argument("--user")
    parser.add_argument("--token-file", type=pathlib.Path)
    parser.add_argument("--each", type=pathlib.Path)
    parser.add_argument("--will", nargs=2)
    parser.add_argument("actions", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.each:
        return connect_with_each(options)
    password = options.token_file.read_text().strip() if options.token_file else None
    client = Client(options.port, options.ca, options.id, options.user, password, will=options.will, host="127.0.0.1")
    say("connect", "none" if client.code is None else client.code)
    if client.code != 0:
        return
    try:
        for verb, arguments in actions(options.actions):
            if not act(client, verb, arguments):
                return
        client.disconnect()
    except Closed:
        say("closed")


if __name__ == "__main__":
    main()
