"""Writes that a power cut tears: what lies behind the last commit of a dead database, and half a payload.

SIGKILL takes nothing from what the kernel holds; a power cut takes what was not synced, in any part and order of
sectors. So that is torn which may be unsynced whatever was acknowledged: a transaction under way, pages that a
checkpoint was copying, a payload under its first name. It proves that what comes back over such remains has all that
was committed. It does not prove that each commit and payload was synced before its answer: what was not cannot be told
from outside (tests/store/test_engine.py and test_payloads.py hold the hub to it). PostgreSQL's data pages stay whole.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.builders.postgres import Server

_SECTOR = 512  # bytes that a disk writes whole


def torn(seed: int, told: Callable[[str], None]) -> Callable[[Path], None]:
    """Of a dead hub's folder: SQLite's log, if it has one, each time in the next of :data:`FORMS`, and a payload."""
    chance = Random(f"{seed}/torn")
    forms = itertools.cycle(FORMS)

    def tear(folder: Path) -> None:
        if (log := read_log(folder / "hub.db-wal")) is not None:
            form = next(forms)
            tear_log(log, folder / "hub.db", form, chance)
            tear_checkpoint(log, folder / "hub.db", chance)
            told(f"log torn, {form}")
        payloads = folder / "payloads"
        if payloads.is_dir():
            (payloads / f"{chance.randbytes(12).hex()}.part").write_bytes(chance.randbytes(chance.randrange(1, 70_000)))
            told("payload torn")

    return tear


# SQLite (its "Database File Format", section 4: the write-ahead log)

_HEADER, _FRAME = 32, 24  # bytes: of the log's header, of each frame's before its page
_MAGIC = 0x377F0683  # its last bit: big-endian words
_Sums = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Log:
    """A write-ahead log as recovery finds it: what it takes ends at ``end``, with the frame of the last commit."""

    path: Path
    page: int  # bytes
    order: str  # of the bytes in the words that are summed
    salts: bytes
    end: int
    sums: _Sums  # at the end
    size: int  # of the database, in pages; 0 where nothing is committed
    committed: frozenset[int]  # the pages' numbers, from 1


def read_log(path: Path) -> Log | None:
    """None where there is no log, or one without a sound header, which recovery takes for empty."""
    data = path.read_bytes() if path.exists() else b""
    if len(data) < _HEADER:
        return None
    magic, _version, page, _checkpoints = struct.unpack_from(">4I", data)
    salts, order = data[16:24], ">" if magic & 1 else "<"
    sums = _summed(order, (0, 0), data[:24])
    if magic | 1 != _MAGIC or struct.pack(">2I", *sums) != data[24:_HEADER]:
        return None
    committed, seen = Log(path, page, order, salts, _HEADER, sums, 0, frozenset()), set[int]()
    for at in range(_HEADER, len(data) - _FRAME - page + 1, _FRAME + page):
        number, size = struct.unpack_from(">2I", data, at)
        sums = _summed(order, sums, data[at : at + 8] + data[at + _FRAME : at + _FRAME + page])
        if data[at + 8 : at + _FRAME] != salts + struct.pack(">2I", *sums):
            break
        seen.add(number)
        if size:  # else the frame is no commit
            committed = Log(path, page, order, salts, at + _FRAME + page, sums, size, frozenset(seen))
    return committed


def _summed(order: str, sums: _Sums, data: bytes) -> _Sums:
    one, two = sums
    for first, second in struct.iter_unpack(f"{order}2I", data):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def transaction(log: Log, database: Path, chance: Random) -> bytes:
    """One that recovery would take behind ``log``'s end: several frames, right but for their pages, which are noise."""
    size, sums, frames = log.size or database.stat().st_size // log.page, log.sums, b""
    count = chance.randint(2, 5)
    for place in range(1, count + 1):
        head = struct.pack(">2I", chance.randint(1, size), size if place == count else 0)
        page = chance.randbytes(log.page)
        sums = _summed(log.order, sums, head + page)
        frames += head + log.salts + struct.pack(">2I", *sums) + page
    return frames


def _cut_off(frames: bytes, page: int, chance: Random) -> bytes:
    return frames[: chance.randrange(1, len(frames))]


def _without_commit(frames: bytes, page: int, chance: Random) -> bytes:
    return frames[: -_FRAME - page]


def _without_sectors(frames: bytes, page: int, chance: Random) -> bytes:
    """Some before the commit never came, which did."""
    found = bytearray(frames)
    sectors = range(0, len(frames) - page, _SECTOR)
    for at in chance.sample(sectors, chance.randint(1, len(sectors) // 2)):
        found[at : at + _SECTOR] = bytes(_SECTOR)
    return bytes(found)


def _with_wrong_bit(frames: bytes, page: int, chance: Random) -> bytes:
    found = bytearray(frames)
    found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


FORMS: Mapping[str, Callable[[bytes, int, Random], bytes]] = {
    "cut off": _cut_off,
    "without its commit": _without_commit,
    "without some sectors": _without_sectors,
    "with a wrong bit": _with_wrong_bit,
}


def tear_log(log: Log, database: Path, form: str, chance: Random) -> None:
    """A transaction under way stands behind the last commit, in one of :data:`FORMS`; what was there is lost."""
    with open(log.path, "r+b") as file:
        file.seek(log.end)
        file.write(FORMS[form](transaction(log, database, chance), log.page, chance))


def tear_checkpoint(log: Log, database: Path, chance: Random) -> None:
    """Pages that lie committed in the log are half copied. The first is left: its first sector is read before the log.

    Whether a checkpoint was under way is not asked: until the log begins anew, recovery reads these pages from there.
    """
    with open(database, "r+b") as file:
        for number in log.committed - {1}:
            came = chance.randrange(0, log.page, _SECTOR)
            file.seek((number - 1) * log.page + came)
            file.write(chance.randbytes(log.page - came))


# PostgreSQL 18 (access/xlogrecord.h, access/xlog_internal.h)

_PAGE, _SEGMENT = 8192, 16 * 1024**2  # bytes
_LONG, _SHORT = 40, 24  # bytes of the page headers: of a segment's first page, of the others
_TORN = 65_536  # bytes behind the last record, at most


def tear_postgresql(server: Server, chance: Random) -> str:
    """Behind a dead server's last whole record begins one whose header is right, and whose content, like all that
    follows, is noise. Gives its place as the server will tell it.
    """
    redo = re.search(r"REDO location:\s+(\S+)", server.ask("pg_controldata", "-D", "."))
    assert redo is not None
    told = server.ask("pg_waldump", "-p", "pg_wal", "--start", redo[1])
    size, high, low = re.findall(r"len \(rec/tot\):\s*\d+/\s*(\d+),.* lsn: (\w+)/(\w+),", told)[-1]
    last = (int(high, 16) << 32) + int(low, 16)
    end = _end(last, int(size))
    length = chance.randint(25, max(25, min(2000, _PAGE - end % _PAGE)))  # on its page, or the next page is wrong too
    head = struct.pack("<IIQBBxxI", length, 1000, last, 0, 0, chance.getrandbits(32))
    noise = (head + chance.randbytes(_TORN))[: _SEGMENT - end % _SEGMENT]
    with open(server.data / "pg_wal" / f"00000001{end >> 32:08X}{end % 2**32 // _SEGMENT:08X}", "r+b") as file:
        file.seek(end % _SEGMENT)
        file.write(noise)
    return f"{end >> 32:X}/{end % 2**32:X}"


def _end(at: int, size: int) -> int:
    """Where a record ends that begins there and has so many bytes, and the next may begin: a multiple of 8."""
    while (room := _PAGE - at % _PAGE) < size:
        at, size = at + room, size - room
        at += _SHORT if at % _SEGMENT else _LONG
    return (at + size + 7) // 8 * 8
