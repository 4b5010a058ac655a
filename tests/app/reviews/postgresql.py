"""A PostgreSQL that tests start themselves, and stop."""

import os
import pwd
import shutil
import socket
import subprocess
import uuid
from pathlib import Path

import psycopg


def program(name: str) -> str:
    found = shutil.which(name) or next(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)
    assert found, f"{name} is not here; `sh tests/postgresql.sh` installs PostgreSQL"
    return found


class Cluster:
    """A PostgreSQL of its own, run by a user without rights, on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # PostgreSQL refuses to be run by root.
        self.user = "nobody" if os.getuid() == 0 else None
        if self.user:
            owner = pwd.getpwnam(self.user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run(program("initdb"), "--pgdata", "data", "--username", "tests", "--auth", "trust", "--no-sync")
        self.start()

    def _run(self, *command: str) -> None:
        user = (
            {}
            if self.user is None
            else {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}
        )
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **user)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= -c max_connections=200"
        )
        self._run(program("pg_ctl"), "start", "--wait", "--pgdata", "data", "--log", "log", "--options", options)

    def stop(self, mode: str = "fast") -> None:
        self._run(program("pg_ctl"), "stop", "--wait", "--pgdata", "data", "--mode", mode)

    def database(self) -> str:
        """The URL of a new database."""
        name = f"votes_{uuid.uuid4().hex}"
        with psycopg.connect(f"postgresql://tests@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://tests@127.0.0.1:{self.port}/{name}"
