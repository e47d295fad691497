#!/usr/bin/env python3
"""Sends bytes to a port of this machine as they stand and prints what comes back, for requests that no HTTP client would make.

Usage: raw_http.py PORT FILE                one connection
       raw_http.py PORT --slowly COUNT SECONDS [CAFILE]   slowloris: COUNT connections, with CAFILE over TLS, that each send a byte
                                            of an endless head every second; prints how many of them the server has closed
"""
import pathlib
import socket
import ssl
import sys
import time

TIMEOUT_S = 20


def connect(port, ca_file=None):
    connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
    return ssl.create_default_context(cafile=ca_file).wrap_socket(connection, server_hostname="127.0.0.1") if ca_file else connection


def exchange(port, file):
    with connect(port) as connection:
        try:
            connection.sendall(pathlib.Path(file).read_bytes())
        except (BrokenPipeError, ConnectionResetError):
            pass  # it answered before it had read all
        while True:
            try:
                data = connection.recv(65536)
            except ConnectionResetError:
                break
            if not data:
                break
            sys.stdout.buffer.write(data)


def is_closed(connection):
    """Sends one more byte of a head that never ends."""
    try:
        connection.sendall(b"a")
        connection.setblocking(False)
        while connection.recv(4096):
            pass  # an error page before the end
        return True
    except (BlockingIOError, ssl.SSLWantReadError):
        connection.setblocking(True)
        return False
    except OSError:
        return True


def slowly(port, count, seconds, ca_file):
    connections = [connect(port, ca_file) for _ in range(count)]
    for connection in connections:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    print("open", flush=True)
    closed, end = 0, time.monotonic() + seconds
    while connections and time.monotonic() < end:
        time.sleep(1)
        still_open = [connection for connection in connections if not is_closed(connection)]
        closed += len(connections) - len(still_open)
        connections = still_open
    print(f"closed {closed}", flush=True)


def main():
    if len(sys.argv) == 3:
        exchange(int(sys.argv[1]), sys.argv[2])
    elif len(sys.argv) in (5, 6) and sys.argv[2] == "--slowly":
        slowly(int(sys.argv[1]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5] if len(sys.argv) == 6 else None)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
