# SPDX-License-Identifier: Apache-2.0
"""Starts what a measurement needs: a nats-server, and the programs that print their figures."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time


class Server:
    """A nats-server on a free loopback port, for payloads of 8 MiB."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="freshet-bench.")
        home = pathlib.Path(self.directory.name)
        for _ in range(10):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self.url = f"nats://127.0.0.1:{port}"
            (home / "conf").write_text(f'listen: "127.0.0.1:{port}"\nmax_payload: 8MB\nmax_pending: 1GB\n'
                                       f'jetstream {{store_dir: "{home}"}}\nlog_file: "{home}/log"\n')
            self.process = subprocess.Popen([os.environ.get("NATS_SERVER", "nats-server"), "-c", home / "conf"])
            for _ in range(200):
                if (home / "log").exists() and "Server is ready" in (home / "log").read_text():
                    return self
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        sys.exit("nats-server does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()


class Program:
    """A program that has said it is ready. Programs know words, `name=value`, and print a line of JSON at their end."""

    def __init__(self, command, words, environment):
        arguments = [f"{name}={value}" for name, value in words.items()]
        self.name = pathlib.Path(command[-2] if len(command) > 1 else command[0]).name
        self.process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})
        line = self.process.stdout.readline()
        while line and line != "ready\n":  # log lines
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()} before it was ready")

    def result(self, timeout):
        """Nothing if it failed."""
        try:
            output, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        results = [line for line in output.splitlines() if line.startswith("{")]
        return json.loads(results[-1]) if self.process.returncode == 0 and results else None

    def kill(self):
        self.process.kill()
        self.process.communicate()


class Programs:
    """Where the programs of each family are."""

    def __init__(self, directory, peers):
        self.directory, self.peers = directory, peers

    def start(self, system, name, words):
        if system.family in self.peers:
            command = [*self.peers[system.family], name]
        else:
            command = [str(self.directory / f"bench_{system.family}_{name}")]
        return Program(command, words, system.environment)
