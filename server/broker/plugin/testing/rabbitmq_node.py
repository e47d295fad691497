"""Debian's RabbitMQ with the ready files of deploy/rabbitmq, as a child that ends with the test."""
import os
import signal
import subprocess

from broker_case import REPOSITORY, answers, filled, free_port, wait_for

NODE_STARTS_WITHIN_S = 80
BAD_CREDENTIALS = 4


class Node:
    """One RabbitMQ of its own: name, directories, ports, and an epmd, none of which outlives it."""

    def __init__(self, stage, key_id, public_pem, hook_url, ca=None):
        """`ca`: what the stage's certificate comes from; none: itself."""
        directory, ca = stage.directory, ca or stage.certificate
        pem = directory / "issuer.pem"
        pem.write_bytes(public_pem)
        (directory / "rabbitmq.conf").write_text(filled("rabbitmq/rabbitmq.conf", {
            "HOOK_URL": hook_url, "BIND_ADDRESS": "127.0.0.1", "PORT": stage.port,
            "CA_CERTIFICATE": ca, "CERTIFICATE": stage.certificate, "PRIVATE_KEY": stage.key,
            "KEY_ID": key_id, "ISSUER_KEY": pem}))
        (directory / "enabled_plugins").write_bytes((REPOSITORY / "deploy/rabbitmq/enabled_plugins").read_bytes())
        (directory / "advanced.config").write_text(filled("rabbitmq/advanced.config", {"HOOK_CA_CERTIFICATE": ca}))
        epmd_port = free_port()
        self.environment = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": str(directory),
            "ERL_EPMD_PORT": str(epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"otaria-{stage.port}@localhost", "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "data"), "RABBITMQ_LOG_BASE": str(directory / "log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(directory / "rabbit.pid")}
        # In the foreground and ours: the node's own start would leave a daemon behind.
        stage.spawn("epmd", "/usr/bin/epmd", "-port", epmd_port, "-address", "127.0.0.1", env=self.environment)
        wait_for(lambda: answers(epmd_port), "epmd listens")
        self.process = stage.spawn("rabbitmq", "/usr/lib/rabbitmq/bin/rabbitmq-server", env=self.environment, start_new_session=True)
        stage.addCleanup(self.end)
        wait_for(lambda: answers(stage.port) or self.process.poll() is not None, "RabbitMQ listens", NODE_STARTS_WITHIN_S)
        if self.process.poll() is not None:
            raise AssertionError("RabbitMQ has ended:\n" + stage.log("rabbitmq"))

    def end(self):
        """The shell that starts it, the virtual machine, and its helpers are one process group."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, how)
                self.process.wait(20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
