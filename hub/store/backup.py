"""A backup: a folder with the hub's rows, payloads and key file, each as of one moment, made while the hub serves.

``hub.db`` has all rows, whichever engine they came from: a backup is what the data folder of an embedded hub is. Its
rows are of one moment; payloads are copied after them, so each that a row names is there. Packets say their own digest,
``manifest.json`` that of the rest. A backup has its name only once it is whole and on disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, bindparam, create_engine, delete, func, insert, select, update

from hub.errors import Refusal
from hub.store import audit, schema
from hub.store import examination_tables as et
from hub.store import tables as t
from hub.store.durable import make_folder, sync
from hub.store.engine import open_engine, reading, writing
from hub.store.payloads import Folder, Payloads

Tell = Callable[[str, int, int], None]  # what is copied, how much of it, of how much
_FORMAT = 1
_PAGES = 2000  # pages of SQLite copied between two words about it
_ROWS = 500
_PACKETS = 20  # rows of packets held at once: each may have its bytes
# Above every seq given out before: no hub gives out a million a second, and `seq` stays below 2^53 until 2242.
_SEQS_A_SECOND = 1 << 20
DATABASE, KEY, PAYLOADS, MANIFEST = "hub.db", "secrets.key", "payloads", "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: ``files`` by name their SHA-256; ``missing`` packets that the hub itself lacked."""

    made_at: str
    program: str
    revision: str
    documents: int
    payloads: int
    bytes: int
    missing: tuple[str, ...]
    files: dict[str, str]
    format: int = _FORMAT


def write(
    engine: Engine, payloads: Payloads, key: Path, folder: Path, *, now: datetime, program: str, tell: Tell
) -> Manifest:
    """Back the hub up into a new folder. Raises ``backup-exists``; OSError when the disk cannot take it."""
    partial = folder.with_name(f"{folder.name}.part")
    for there in (folder, partial):
        if there.exists():
            raise Refusal("backup-exists", facts={"where": there})
    make_folder(partial)
    (partial / PAYLOADS).mkdir()
    try:
        made = _write(engine, payloads, key, partial, now, program, tell)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    os.replace(partial, folder)
    sync(folder.parent)
    return made


def _write(
    engine: Engine, payloads: Payloads, key: Path, folder: Path, now: datetime, program: str, tell: Tell
) -> Manifest:
    database = folder / DATABASE
    if engine.dialect.name == "sqlite":
        _copy_file(Path(engine.url.database or ""), database, tell)
    else:
        _copy_from_server(engine, database, tell)
    with _opened(database) as copy:
        missing, count, size = _copy_payloads(engine, copy, payloads, Folder(folder / PAYLOADS), tell)
        with reading(copy) as connection:
            documents = connection.execute(select(func.count()).select_from(t.document)).scalar_one()
            revision = schema.revision_of(connection) or ""
    _settle(database)
    if key.exists():
        shutil.copyfile(key, folder / KEY)
        (folder / KEY).chmod(0o600)
        sync(folder / KEY)
    files = {path.name: _digest(path) for path in (database, folder / KEY) if path.exists()}
    made = Manifest(now.isoformat(), program, revision, documents, count, size, missing, files)
    (folder / MANIFEST).write_text(json.dumps(asdict(made), indent=2) + "\n", "utf-8")
    sync(folder / MANIFEST)
    sync(folder)
    return made


def _copy_file(source: Path, target: Path, tell: Tell) -> None:
    """SQLite's own copy of one moment; the hub goes on writing meanwhile."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.isolation_level = None
        live.execute("BEGIN")  # without it the copy would begin again at every commit of the hub
        live.execute("SELECT one FROM counter").fetchone()
        live.backup(copy, pages=_PAGES, progress=lambda _, left, pages: tell(DATABASE, pages - left, pages))


def _copy_from_server(engine: Engine, target: Path, tell: Tell) -> None:
    """The rows of one moment of PostgreSQL."""
    with _opened(target) as copy:
        schema.upgrade(copy)
        with engine.connect() as plain:
            source = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            for table in t.metadata.sorted_tables:
                with writing(copy) as connection:
                    _copy_table(source, connection, table, tell)


def _copy_table(source: Connection, target: Connection, table: Table, tell: Tell) -> None:
    """All rows of a table, in place of what the other has there."""
    target.execute(delete(table))
    total = source.execute(select(func.count()).select_from(table)).scalar_one()
    size = _PACKETS if table in (t.packet, et.material) else _ROWS  # of those that hold octets few are held at once
    done = 0
    with source.execute(select(table).execution_options(stream_results=True, yield_per=size)) as found:
        for rows in found.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in rows])
            done += len(rows)
            tell(table.name, done, total)


def _copy_payloads(
    live: Engine, copy: Engine, source: Payloads, target: Folder, tell: Tell
) -> tuple[tuple[str, ...], int, int]:
    """The payloads that the copied rows name: ids of packets without theirs, how many there are, their bytes."""
    missing: list[str] = []
    removed: list[str] = []
    count, size = 0, 0
    for row, total in _placed(copy):
        data = _whole(source, row)
        if data is not None:
            target.put(row.place, data)
            count, size = count + 1, size + len(data)
        elif _is_kept(live, row.id):
            missing.append(row.id)
        else:
            removed.append(row.id)  # its time came between the rows and now
        tell(PAYLOADS, count, total)
    with writing(copy) as connection:
        gone = update(t.packet).where(t.packet.c.id == bindparam("_id")).values(body=None, place="")
        if removed:
            connection.execute(gone, [{"_id": packet_id} for packet_id in removed])
    return tuple(missing), count, size


def _placed(engine: Engine) -> Iterator[tuple[Any, int]]:
    """Each packet that lies in the payload store, and how many there are."""
    p = t.packet.c
    placed = (p.place.is_not(None), p.place != "")
    with reading(engine) as connection:
        total = connection.execute(select(func.count()).select_from(t.packet).where(*placed)).scalar_one()
    last = ""
    while True:
        query = select(p.id, p.place, p.sha256).where(*placed, p.id > last).order_by(p.id).limit(_ROWS)
        with reading(engine) as connection:
            rows = connection.execute(query).all()
        if not rows:
            return
        for row in rows:
            yield row, total
        last = rows[-1].id


def _whole(payloads: Payloads, row: Any) -> bytes | None:
    try:
        data = payloads.get(row.place)
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == row.sha256 else None


def _is_kept(live: Engine, packet_id: str) -> bool:
    with reading(live) as connection:
        return bool(connection.execute(select(t.packet.c.place).where(t.packet.c.id == packet_id)).scalar())


def check(folder: Path, tell: Tell) -> Manifest:
    """Read a backup through. Raises ``backup-broken``, which names what is wrong with it."""
    made = _manifest(folder)
    for name, sha256 in made.files.items():
        if not (folder / name).exists() or _digest(folder / name) != sha256:
            raise _broken(folder, name)
    payloads, found = Folder(folder / PAYLOADS), 0
    with _read_only(folder / DATABASE) as copy:
        for row, total in _placed(copy):
            if _whole(payloads, row) is None:
                if row.id not in made.missing:
                    raise _broken(folder, f"{PAYLOADS}/{row.place}")
                continue
            found += 1
            tell(PAYLOADS, found, total)
    return made


def _manifest(folder: Path) -> Manifest:
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        if said["format"] != _FORMAT or set(said["files"]) - {KEY} != {DATABASE}:
            raise ValueError(MANIFEST)
        return Manifest(**said | {"missing": tuple(said["missing"])})
    except (OSError, ValueError, TypeError, KeyError):
        raise _broken(folder, MANIFEST) from None


def restore(
    folder: Path, engine_url: str, payloads: Payloads, data_dir: Path, *, now: datetime, by: str, tell: Tell
) -> Manifest:
    """Make a hub of a backup where there is none; until the last step there still is none. Its audit has an entry of
    that from its first moment on; ``by`` as there.

    Raises ``backup-broken``, ``hub-present``, ``clock-behind``.
    """
    made = check(folder, tell)
    if now < datetime.fromisoformat(made.made_at):
        raise Refusal("clock-behind", facts={"now": now.isoformat(), "made": made.made_at})
    _demand_empty(folder, engine_url, data_dir / KEY)
    with _read_only(folder / DATABASE) as copy:
        stored = Folder(folder / PAYLOADS)
        for done, (row, total) in enumerate(_placed(copy), 1):
            if row.id not in made.missing:
                payloads.put(row.place, stored.get(row.place))
            tell(PAYLOADS, done, total)
    if (folder / KEY).exists() and not (data_dir / KEY).exists():
        shutil.copyfile(folder / KEY, data_dir / KEY)
        (data_dir / KEY).chmod(0o600)
        sync(data_dir / KEY)
    own = data_dir / f"{DATABASE}.restored"
    own.unlink(missing_ok=True)
    shutil.copyfile(folder / DATABASE, own)
    own.chmod(0o600)
    with _opened(own) as copy:
        schema.upgrade(copy)
        with writing(copy) as connection:
            begin_anew(connection, now)
            _note(connection, now, by, folder, made)
    _settle(own)
    if engine_url.startswith("sqlite"):
        os.replace(own, _file_of(engine_url))
        sync(_file_of(engine_url).parent)
    else:
        _to_server(own, engine_url, tell)
        own.unlink()
    return made


def _demand_empty(folder: Path, url: str, key: Path) -> None:
    """Raises ``hub-present`` for a place where anything of another hub is."""
    if url.startswith("sqlite"):
        where: object = _file_of(url)
        found = any(Path(f"{where}{end}").exists() for end in ("", "-wal"))  # a log left behind belongs to another file
    else:
        with _using(open_engine(url)) as engine, reading(engine) as connection:
            where = engine.url.render_as_string()
            found = schema.revision_of(connection) is not None
    if found:
        raise Refusal("hub-present", facts={"where": where})
    own = folder / KEY
    if key.exists() and not (own.exists() and key.read_bytes() == own.read_bytes()):
        raise Refusal("hub-present", facts={"where": key})


def _to_server(file: Path, url: str, tell: Tell) -> None:
    """Rows into PostgreSQL, all in one transaction with the schema."""
    with (
        _read_only(file) as copy,
        reading(copy) as source,
        _using(open_engine(url)) as engine,
        writing(engine) as target,
    ):
        schema.make(target)
        for table in t.metadata.sorted_tables:
            _copy_table(source, target, table, tell)
        last = select(func.coalesce(func.max(t.event.c.id), 0) + 1).scalar_subquery()
        target.execute(select(func.setval(func.pg_get_serial_sequence("event", "id"), last, False)))


def begin_anew(connection: Connection, now: datetime) -> None:
    """Number on where no ``seq`` was given out before, by this hub or an earlier restoration of it.

    What waits is numbered anew too: a recipient whose cursor is already past it has taken it in after the backup, says
    so again, and is known by the delivery's id.
    """
    seq = connection.execute(select(t.counter.c.seq)).scalar_one()
    seq = max(seq, int(now.timestamp()) * _SEQS_A_SECOND)
    v = t.delivery.c
    waiting = connection.execute(select(v.id).where(v.state == "waiting").order_by(v.seq)).scalars().all()
    renumber = update(t.delivery).where(v.id == bindparam("_id")).values(seq=bindparam("_seq"))
    for start in range(0, len(waiting), _ROWS):
        some = waiting[start : start + _ROWS]
        connection.execute(renumber, [{"_id": one, "_seq": seq + start + n} for n, one in enumerate(some, 1)])
    connection.execute(update(t.counter).values(seq=seq + len(waiting)))


def _note(connection: Connection, now: datetime, by: str, folder: Path, made: Manifest) -> None:
    seq = connection.execute(update(t.counter).values(seq=t.counter.c.seq + 1).returning(t.counter.c.seq)).scalar_one()
    facts = {"made_at": made.made_at, "schema": made.revision, "documents": made.documents}
    audit.append(connection, {
        "seq": seq, "at": now, "operator": by, "action": "restore", "subject": str(folder.resolve()), "reason": "",
        "facts": facts | {"missing": len(made.missing)},
    })  # fmt: skip


def _opened(file: Path) -> AbstractContextManager[Engine]:
    return _using(open_engine(f"sqlite:///{file.resolve()}"))


def _read_only(file: Path) -> AbstractContextManager[Engine]:
    """A backup's rows, without touching the file: opened as the hub opens its own, it would become another."""
    return _using(create_engine(f"sqlite:///file:{quote(str(file.resolve()))}?mode=ro&immutable=1&uri=true"))


@contextmanager
def _using(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _settle(file: Path) -> None:
    """One file that has everything, on disk."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    sync(file)


def _file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _broken(folder: Path, what: str) -> Refusal:
    return Refusal("backup-broken", facts={"where": folder, "what": what})
