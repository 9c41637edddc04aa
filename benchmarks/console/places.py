"""Where the databases lie, and the server of those that have one: made once, kept in a folder, opened again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.builders.postgres import Server, name_of

# As on a machine of this size that has little else to do.
_SETTINGS = ("shared_buffers=1GB", "effective_cache_size=8GB", "maintenance_work_mem=512MB", "max_wal_size=2GB")
# A fill that breaks off is thrown away, so nothing of it need survive a power cut.
FILLING = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_wal_size=4GB",
    "wal_level=minimal",
    "max_wal_senders=0",
)
_DATABASE = "hub_1"


@dataclass(frozen=True)
class Place:
    """One engine's database below a folder. ``url`` is empty for SQLite, as the hub's option has it."""

    folder: Path
    database: str
    url: str

    @property
    def data_dir(self) -> Path:
        return self.folder / "hub"

    @property
    def options(self) -> list[str]:
        """Of every `hub` command that is to use it."""
        return ["--data-dir", str(self.data_dir), *(["--database-url", self.url] if self.url else [])]

    @property
    def engine_url(self) -> str:
        return self.url or f"sqlite:///{self.data_dir / 'hub.db'}"

    @property
    def filled(self) -> dict[str, Any]:
        """What a fill that came to its end left of itself; empty where there was none."""
        told = self.folder / "filled.json"
        return dict(json.loads(told.read_text("utf-8"))) if told.exists() else {}

    def keep(self, facts: dict[str, Any]) -> None:
        (self.folder / "filled.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")

    def size(self) -> int:
        """Bytes on the disk."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


@contextmanager
def opened(folder: Path, database: str, settings: Sequence[str] = ()) -> Iterator[Place]:
    """The place, with its server running for PostgreSQL; ``settings`` beside the usual ones."""
    own = folder / database
    own.mkdir(parents=True, exist_ok=True)
    if database == "sqlite":
        yield Place(own, database, "")
        return
    with Server(folder=own / "server", settings=(*_SETTINGS, *settings)) as server:
        url = server.url(_DATABASE)
        if not (own / "filled.json").exists():
            server.run(f"DROP DATABASE IF EXISTS {name_of(url)}")
            server.run(f"CREATE DATABASE {name_of(url)}")
        try:
            yield Place(own, database, url)
        finally:
            server.run("CHECKPOINT")  # the end itself is given only seconds
