"""Ports for the tests' servers."""
import fcntl
import os
import pathlib
import re
import socket
import tempfile


def free_port():
    """A port of 127.0.0.1 that nobody listens on. Tests that run at once take turns by one file, as the whole-system cases do:
    a port that was only just found free is not given to the next who asks. Below the range of connections' own ports."""
    turns = pathlib.Path(tempfile.gettempdir()) / f"otaria-ports-{os.getuid()}"
    for _ in range(50):
        with open(turns, "a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            last = int(re.sub("[^0-9]", "", file.read()) or os.getpid())
            port = 20000 + (last - 20000 + 1) % 12000
            file.truncate(0)
            file.write(f"{port}\n")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 20000 and 31999")
