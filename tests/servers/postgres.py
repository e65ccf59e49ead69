"""A PostgreSQL server of the tests' own, on 127.0.0.1 alone, in a folder that goes with it."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER = "postgres"


@dataclass(frozen=True)
class Server:
    """A server that runs; ``url`` has the user and no password."""

    url: str
    folder: Path
    tools: Path

    def control(self, *words: str) -> None:
        """Stop it, start it."""
        data = self.folder / "data"
        _run(str(self.tools / "pg_ctl"), "-D", str(data), "-l", str(self.folder / "log"), *words)

    def database(self) -> str:
        """The URL of a new database of this server."""
        name = f"t{secrets.token_hex(4)}"
        self.psql(f"CREATE DATABASE {name}")
        return f"{self.url.rpartition('/')[0]}/{name}"

    def psql(self, statement: str) -> None:
        """Do something as the hospital would, past cohortkit."""
        _run(str(self.tools / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url)

    @property
    def pid(self) -> int:
        """The process that takes connections."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])


def binaries() -> Path | None:
    """Where the server's programs are; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    one = shutil.which("initdb")
    return Path(one).resolve().parent if one else None


@contextmanager
def running() -> Iterator[Server]:
    """A server, until the end."""
    tools = binaries()
    assert tools is not None, "no PostgreSQL here: scripts/test --servers installs it"
    folder = Path(tempfile.mkdtemp(prefix="cohortkit-pg-"))
    try:
        if os.getuid() == 0:  # it does not run as root
            shutil.chown(folder, USER)
        port = _free()
        init = ("-A", "trust", "-U", USER, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        _run(str(tools / "initdb"), "-D", str(folder / "data"), *init)
        server = Server(f"postgresql://{USER}@127.0.0.1:{port}/postgres", folder, tools)
        told = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
        server.control("-w", "-o", told, "start")
        try:
            yield server
        finally:
            server.control("-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _run(*command: str) -> None:
    words = list(command)
    if os.getuid() == 0:
        words = ["su", USER, "-s", "/bin/sh", "-c", shlex.join(command)]
    done = subprocess.run(
        words,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
