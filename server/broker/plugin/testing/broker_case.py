"""What the tests with a real broker share: a directory, free ports, filled-in configurations, processes that end with the test."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from issuer import certificate
from ports import free_port

REPOSITORY = pathlib.Path(__file__).resolve().parents[4]
TIME_FACTOR = int(os.environ.get("OTARIA_TIME_FACTOR", "1"))
LIMIT_S = 30 * TIME_FACTOR


def wait_for(claim, what, limit_s=LIMIT_S):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        value = claim()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"did not come true within {limit_s} s: {what}")


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def filled(template, values):
    """A ready file of deploy/ with its marked values; a value that is missing or unused is an error."""
    text = (REPOSITORY / "deploy" / template).read_text()
    asked = set(re.findall(r"@([A-Z_]+)@", "\n".join(line for line in text.splitlines() if not line.startswith("#"))))
    if asked != set(values):
        raise AssertionError(f"{template} asks for {sorted(asked)}, the test has {sorted(values)}")
    return re.sub(r"@([A-Z_]+)@", lambda found: str(values.get(found[1], found[0])), text)


def replace(path, text):
    """As otariad writes: beside it, then renamed."""
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    os.replace(temporary, path)


class BrokerCase(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="otaria-broker-"))
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.port = free_port()
        self.certificate, self.key = certificate(self.directory)
        self.processes = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def spawn(self, name, *words, **more):
        with open(self.directory / f"{name}.log", "ab") as log:
            process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, **more)
        self.processes.append(process)
        return process

    def log(self, name):
        file = self.directory / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""
