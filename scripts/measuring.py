"""What the scripts of this directory have in common: programs that are built, and servers of one's own."""

import json
import os
import pathlib
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RBENCH = str(ROOT / "target" / "release" / "rbench")


def end_on_signals():
    """Ctrl-C and `kill` end the servers, too."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def build(kind, name):
    """Builds a program, and asks cargo where it is: the target directory may be anywhere."""
    what = {"bin": ["build", "--release", "--bin", name], "bench": ["bench", "--no-run", "--bench", name]}[kind]
    command = ["cargo", *([] if sys.stderr.isatty() else ["--quiet"]), *what]
    built = subprocess.run([*command, "--locked", "--message-format=json-render-diagnostics"], cwd=ROOT,
                           stdout=subprocess.PIPE, text=True, check=True)
    for message in map(json.loads, built.stdout.splitlines()):
        if message.get("executable") and message["target"]["name"] == name:
            return message["executable"]
    sys.exit(f"cargo built no {name}")


def cores():
    """A core for the server and another one for the client."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        sys.exit("this needs two cores: one for the server and one for the client")
    return usable[-1], usable[0]


def pinned(core, command):
    return command if core is None else ["taskset", "-c", str(core), *command]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """A redis-server without a disk, on a port of loopback and on a core of its own if one is given, while a `with` lasts."""

    def __init__(self, core=None, flags=()):
        self.port, self.directory = free_port(), tempfile.TemporaryDirectory()
        command = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", self.directory.name, *flags]
        self.command = pinned(core, [str(word) for word in command])

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.__exit__()
                    raise
                time.sleep(0.01)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.directory.cleanup()

    def ask(self, command):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.makefile().readline().strip()


def where():
    """The machine, as far as it bears on the figures."""
    return f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}"


def keep(name, date, samples, report):
    """Writes a directory of results."""
    directory = ROOT / "results" / f"{date}-{name}"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "samples.json").write_text(json.dumps(samples, indent=1) + "\n")
    (directory / "README.md").write_text(report)
    print(f"wrote {directory.relative_to(ROOT)}")
