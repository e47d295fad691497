"""A plain MQTT 3.1.1 client that says exactly what a test wants said, hostile things included, and shows every answer."""
import os
import socket
import ssl
import struct
import time

LIMIT_S = 20 * int(os.environ.get("OTARIA_TIME_FACTOR", "1"))
CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14


class Closed(Exception):
    """The broker has closed the connection."""


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("!H", len(data)) + data


def packet(kind, flags, body):
    length, digits = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        digits += bytes([digit | (128 if length else 0)])
        if not length:
            return bytes([kind << 4 | flags]) + digits + body


class Client:
    """One connection, by TLS unless `ca_file` is None. `will` is (topic, payload); `host` is whom the certificate must name."""

    def __init__(self, port, ca_file, client_id, username=None, password=None, will=None, clean=True, keep_alive=60,
                 host="localhost"):
        self.messages, self.next_id = [], 1
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca_file is not None:
            self.socket = ssl.create_default_context(cafile=str(ca_file)).wrap_socket(self.socket, server_hostname=host)
        flags = (2 if clean else 0) | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
        payload = text(client_id)
        if will:
            flags |= 0x04 | 0x08 | 0x20  # QoS 1, retained
            payload += text(will[0]) + text(will[1])
        for value in (username, password):
            if value is not None:
                payload += text(value)
        self.code, self.session_present = None, False
        try:
            self.send(CONNECT, 0, text("MQTT") + bytes([4, flags]) + struct.pack("!H", keep_alive) + payload)
            answer = self.wait_for(CONNACK)
            self.session_present, self.code = bool(answer[0] & 1), answer[1]
        except Closed:
            pass  # code stays None: closed without an answer

    def send(self, kind, flags, body):
        try:
            self.socket.sendall(packet(kind, flags, body))
        except OSError as error:
            raise Closed from error

    def receive_exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                piece = self.socket.recv(count - len(data))
            except socket.timeout:
                raise
            except OSError as error:
                raise Closed from error
            if not piece:
                raise Closed
            data += piece
        return data

    def receive(self):
        head = self.receive_exactly(1)[0]
        length, shift = 0, 0
        while True:
            digit = self.receive_exactly(1)[0]
            length |= (digit & 127) << shift
            shift += 7
            if not digit & 128:
                break
        return head >> 4, head & 15, self.receive_exactly(length)

    def take(self, kind, flags, body):
        """Keeps a message, and acknowledges it when it asks for that."""
        if kind != PUBLISH:
            return
        size = struct.unpack("!H", body[:2])[0]
        topic, rest = body[2:2 + size].decode(), body[2 + size:]
        if flags & 6:
            self.send(PUBACK, 0, rest[:2])
            rest = rest[2:]
        self.messages.append((topic, rest.decode(), bool(flags & 1)))

    def wait_for(self, wanted, limit_s=LIMIT_S):
        """The body of the next packet of that kind; messages on the way are kept."""
        end = time.monotonic() + limit_s
        while True:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            kind, flags, body = self.receive()
            if kind == wanted:
                return body
            self.take(kind, flags, body)

    def packet_id(self):
        self.next_id += 1
        return struct.pack("!H", self.next_id)

    def subscribe(self, topic):
        """The code of the SUBACK: 0, 1, or 0x80."""
        self.send(SUBSCRIBE, 2, self.packet_id() + text(topic) + b"\x01")
        return self.wait_for(SUBACK)[2]

    def publish(self, topic, payload, retain=False):
        """With QoS 1, until it is acknowledged."""
        self.send(PUBLISH, 2 | (1 if retain else 0), text(topic) + self.packet_id() + payload.encode())
        self.wait_for(PUBACK)

    def ping(self):
        """Once the answer is here, so is everything that was sent before it."""
        self.send(PINGREQ, 0, b"")
        self.wait_for(PINGRESP)

    def is_connected(self):
        try:
            self.ping()
            return True
        except Closed:
            return False

    def wait_for_message(self, topic, limit_s=LIMIT_S):
        end = time.monotonic() + limit_s
        while True:
            for message in self.messages:
                if message[0] == topic:
                    self.messages.remove(message)
                    return message
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                self.take(*self.receive())
            except socket.timeout:
                return None

    def wait_until_closed(self, limit_s=LIMIT_S):
        """Seconds until the broker closed the connection, or nothing."""
        began = time.monotonic()
        while time.monotonic() - began < limit_s:
            self.socket.settimeout(max(0.01, limit_s - (time.monotonic() - began)))
            try:
                self.take(*self.receive())
            except Closed:
                return time.monotonic() - began
            except socket.timeout:
                return None
        return None

    def disconnect(self):
        self.send(DISCONNECT, 0, b"")
        self.socket.close()

    def cut(self):
        """Gone without a word, as by a lost network: the broker sends the will."""
        self.socket.close()
