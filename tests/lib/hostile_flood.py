#!/usr/bin/env python3
"""Floods an HTTPS server on this machine with requests to its device endpoints, from as many addresses as told.

Usage: hostile_flood.py PORT CAFILE SECONDS FIRST_ADDRESS COUNT

Addresses are 127.x.y.z, from FIRST_ADDRESS on. Each has one connection and asks in turn for a nonce, a token for garbage, and an
enrolment of garbage, as fast as answers come. Prints one JSON object: answers by status, and of the 429 those without Retry-After.
"""
import collections
import http.client
import ipaddress
import json
import ssl
import sys
import threading
import time

GARBAGE = b"A" * 700
REQUESTS = (
    ("/api/v1/device/nonce", b"", "text/plain"),
    ("/api/v1/device/token", b"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=" + GARBAGE, "application/x-www-form-urlencoded"),
    ("/api/v1/device/enrol", GARBAGE, "application/jose"),
)
THREADS = 8


class Flood:
    def __init__(self, port, ca_file, seconds):
        self.port, self.end = port, time.monotonic() + seconds
        self.context = ssl.create_default_context(cafile=ca_file)
        self.answers, self.without_retry_after = collections.Counter(), 0
        self.lock = threading.Lock()

    def connect(self, address):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.context, source_address=(address, 0))

    def ask(self, connection, number):
        path, body, kind = REQUESTS[number % len(REQUESTS)]
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        answer.read()
        with self.lock:
            self.answers[str(answer.status)] += 1
            self.without_retry_after += answer.status == 429 and not (answer.getheader("Retry-After") or "").isdigit()

    def run(self, addresses):
        """One address hammers until the end; of several each asks three times, then the next one does."""
        while time.monotonic() < self.end:
            for address in addresses:
                connection = self.connect(address)
                try:
                    number = 0
                    while time.monotonic() < self.end and (len(addresses) == 1 or number < len(REQUESTS)):
                        self.ask(connection, number)
                        number += 1
                except (OSError, http.client.HTTPException):
                    with self.lock:
                        self.answers["none"] += 1
                finally:
                    connection.close()
                if time.monotonic() >= self.end:
                    return


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    flood = Flood(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
    first, count = ipaddress.ip_address(sys.argv[4]), int(sys.argv[5])
    addresses = [str(first + number) for number in range(count)]
    shares = [addresses[start::THREADS] for start in range(THREADS)] if count > 1 else [addresses] * THREADS
    threads = [threading.Thread(target=flood.run, args=(share,)) for share in shares if share]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"answers": flood.answers, "without_retry_after": flood.without_retry_after}))


if __name__ == "__main__":
    main()
