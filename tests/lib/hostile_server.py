#!/usr/bin/env python3
"""An HTTP file server that misbehaves as told, and writes down what it sent.

Usage: hostile_server.py --port PORT --dir DIR --log FILE [--certificate PEM --private-key PEM]

With a certificate it speaks HTTPS.

GET /<behaviour>[+<behaviour>…]/NAME serves DIR/NAME, so that the URL in a notice decides what a device meets:

  plain          as it should be: strong ETag, Range, If-Range, 206, 416
  rate-N         at most N body bytes per second
  corrupt        one byte in the middle is another
  truncate       every answer announces all bytes and sends half of what was asked, then closes
  break-N        the first answer closes after N body bytes; later ones are whole
  stall-N        the first answer falls silent after N body bytes and keeps the connection open
  overlong       4,096 more bytes than the file has, announced as such
  html           200 with a web page, as captive portals and error pages of proxies do
  ignore-range   answers a Range request with 200 and the whole file
  wrong-range-N  answers a Range request with 206 and a Content-Range that starts elsewhere, until the N-th request
  new-etag       another ETag for each answer, so If-Range never matches
  busy-N         the first N answers are 503 with Retry-After: 1
  swapped        from the second answer on DIR/NAME.swapped, under the ETag of NAME
  missing        404
  endless-head   header lines until the client leaves
  endless        200 without a length, and bytes until the client leaves

GET /keys.jws and /keys/N.jws serve DIR/keys.jws and DIR/N.jws, where devices look for key lists.

The log has one JSON object per answered request, written when the answer ended:
{"path","behaviours","range","if_range","status","sent": body bytes handed to the kernel,"whole": bool}
"""
import argparse
import hashlib
import http.server
import json
import pathlib
import re
import socket
import ssl
import threading
import time

PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Please log in.</body></html>\n" * 8
CHUNK_BYTES = 4096
# Far more than any flash holds: a client that is still there by then has no limit of its own.
ENDLESS_BYTES = 64 * 1024 * 1024
# Small, so that "sent" stays near what the client really read (the kernel doubles it).
SEND_BUFFER_BYTES = 8192


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def log_message(self, format, *args):
        pass  # the log file is the record

    def do_GET(self):
        _, behaviours, name = (self.path.split("/", 2) + ["", ""])[:3]
        if behaviours == "keys.jws":
            behaviours, name = "keys", "keys.jws"
        self.behaviours = dict(b.rpartition("-")[::2] if b[-1:].isdigit() else (b, "") for b in behaviours.split("+"))
        self.count = self.server.count(self.path)
        self.close_connection = True
        if "busy" in self.behaviours and self.count <= int(self.behaviours["busy"]):
            return self.answer(503, b"busy\n", {"Retry-After": "1"})
        file = self.server.directory / name
        if "missing" in self.behaviours or "/" in name or not file.is_file():
            return self.answer(404, b"not here\n", {})
        if "endless-head" in self.behaviours:
            return self.answer_with_an_endless_head()
        if "html" in self.behaviours:
            return self.answer(200, PAGE, {"Content-Type": "text/html"})
        if "endless" in self.behaviours:
            return self.answer_endlessly(file.read_bytes())
        return self.answer_file(file.read_bytes())

    def answer_endlessly(self, content):
        """What the file holds, then filler, in place of an end."""
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Connection", "close")
        sent = 0
        try:
            self.end_headers()
            sent = self.send_body(content)
            while sent < ENDLESS_BYTES:
                more = self.send_body(b"\xa5" * CHUNK_BYTES)
                sent += more
                if more < CHUNK_BYTES:
                    break
        finally:
            self.server.record(path=self.path, behaviours=sorted(self.behaviours), range=self.headers.get("Range"), if_range=None,
                               status=200, sent=sent, whole=sent >= ENDLESS_BYTES)

    def answer_with_an_endless_head(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        line, sent = b"X-More: " + b"a" * 1000 + b"\r\n", 0
        try:
            while sent < ENDLESS_BYTES:
                self.wfile.write(line)
                sent += len(line)
        except OSError:
            pass
        self.server.record(path=self.path, behaviours=sorted(self.behaviours), range=self.headers.get("Range"), if_range=None,
                           status=200, sent=sent, whole=sent >= ENDLESS_BYTES)

    def answer_file(self, content):
        etag = hashlib.sha256(content).hexdigest()
        if "swapped" in self.behaviours and self.count > 1:
            content = (self.server.directory / (self.path.rpartition("/")[2] + ".swapped")).read_bytes()
        if "new-etag" in self.behaviours:
            etag = f"{etag}-{self.count}"
        etag = f'"{etag}"'
        if "corrupt" in self.behaviours:
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 0x40]) + content[middle + 1 :]
        if "overlong" in self.behaviours:
            content += b"\xa5" * 4096
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        stale = self.headers.get("If-Range", etag) != etag
        if not asked or stale or "ignore-range" in self.behaviours:
            return self.answer(200, content, headers)
        first = int(asked[1])
        last = min(int(asked[2] or len(content) - 1), len(content) - 1)
        if first > last:
            return self.answer(416, b"", {**headers, "Content-Range": f"bytes */{len(content)}"})
        told = first + 512 if self.count <= int(self.behaviours.get("wrong-range", 0)) else first
        headers["Content-Range"] = f"bytes {told}-{last}/{len(content)}"
        return self.answer(206, content[first : last + 1], headers)

    def answer(self, status, body, headers):
        limit = len(body)
        if status in (200, 206):
            if "truncate" in self.behaviours:
                limit = len(body) // 2
            if "break" in self.behaviours and self.count == 1:
                limit = min(limit, int(self.behaviours["break"]))
            if "stall" in self.behaviours and self.count == 1:
                limit = min(limit, int(self.behaviours["stall"]))
        self.send_response(status)
        for name, value in {"Content-Type": "application/octet-stream", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        sent = 0
        try:
            self.end_headers()
            sent = self.send_body(body[:limit])
            if "stall" in self.behaviours and self.count == 1:
                self.wait_until_the_client_leaves()
        finally:
            self.server.record(
                path=self.path,
                behaviours=sorted(self.behaviours),
                range=self.headers.get("Range"),
                if_range=self.headers.get("If-Range"),
                status=status,
                sent=sent,
                whole=sent == len(body),
            )

    def wait_until_the_client_leaves(self):
        try:
            self.connection.recv(1)  # a client that only reads sends nothing more: this ends when it closes
        except OSError:
            pass

    def send_body(self, body):
        """Bytes that went out before the client left, in chunks that keep to the rate: none is more than a second's."""
        rate = int(self.behaviours.get("rate", 0))
        chunk = min(CHUNK_BYTES, rate or CHUNK_BYTES)
        began, sent = time.monotonic(), 0
        while sent < len(body):
            try:
                self.wfile.write(body[sent : sent + chunk])
            except OSError:
                break
            sent = min(sent + chunk, len(body))
            if rate:
                time.sleep(max(0.0, began + sent / rate - time.monotonic()))
        return sent


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, directory, log, context):
        super().__init__(("127.0.0.1", port), Handler)
        self.context = context
        self.directory = pathlib.Path(directory)
        self.log = open(log, "a", buffering=1)
        self.lock = threading.Lock()
        self.counts = {}

    def count(self, path):
        with self.lock:
            self.counts[path] = self.counts.get(path, 0) + 1
            return self.counts[path]

    def record(self, **request):
        with self.lock:
            self.log.write(json.dumps(request) + "\n")

    def handle_error(self, request, client_address):
        pass  # a client that leaves is what these tests are about


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--private-key")
    arguments = parser.parse_args()
    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.private_key)
    Server(arguments.port, arguments.dir, arguments.log, context).serve_forever()


if __name__ == "__main__":
    main()
