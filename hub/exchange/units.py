"""Units that a system registers below its own agency, in the gateway dialect's registerAgency and deleteAgency.

That dialect signs neither the method nor the body of a request, so whoever catches one signed call of a system can say
anything here in its name. Therefore a unit is a name in the directory and no more: it lies below the system's own code
by form, moves no route, keeps nothing open that closes, and has nobody else's name.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from hub.domain.agency import (
    Directory,
    Generation,
    System,
    ancestors,
    canonical,
    generation,
    is_node,
    level_of,
)
from hub.domain.document import local_day
from hub.errors import Refusal
from hub.exchange.examine import acting_system
from hub.exchange.writer import Transaction, each
from hub.store import roster

UNITS = 5_000  # of one system: a province's communes, departments and schools are a few thousand
LONGEST = 200  # characters of a name, and of each way to reach the unit


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a system describes it; ``parent`` is checked and not kept, since the code shows what is above it."""

    system_id: str
    code: str
    name: str
    parent: str = ""
    mail: str = ""
    mobile: str = ""
    fax: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """A unit that a system has no more."""

    system_id: str
    code: str


@each
def register(tx: Transaction, job: Unit) -> dict[str, Any]:
    """List a unit, or change its name and contact: ``{agency, new}``. The same again changes nothing.

    Raises ``unit-data``, ``unit-not-below``, ``unit-not-yours``, ``unit-connected``, ``unit-closed``,
    ``unit-name-taken``, ``units-too-many``, and what ``acting_system`` raises.
    """
    system = acting_system(tx.roster, job.system_id)
    directory, code = tx.roster.directory, canonical(job.code)
    superiors = _superiors(directory, system, code)
    if directory.resolve(code) != code:
        raise _not_yours(code)
    nearest = directory.nearest(code) or system  # there is one: its own code is above
    if nearest.id != system.id:
        raise _connected(nearest.code)
    _check_unconnected(tx, code)
    own = _systems_of(tx, system)
    unit = {row["code"]: row for row in _rows(tx, code, own)}.get(code)
    _check_open(tx, code)
    _check_parent(directory, code, job.parent, superiors)
    said = {
        "name": _name(directory, job.name),
        "contact": _contact(mail=job.mail, mobile=job.mobile, fax=job.fax),
    }
    if unit is None:
        if roster.count_units(tx.connection, own) >= UNITS:
            raise Refusal("units-too-many", facts={"limit": UNITS})
        row = {
            "code": code, "level": level_of(code), "parent": ancestors(code)[0],
            "successor": "", "uncertain": False, "note": "", "registered_by": system.id,
        }  # fmt: skip
        roster.add_unit(tx.connection, row | said | {"changed_at": tx.now})
    elif said != {field: unit[field] for field in said}:
        roster.set_unit(tx.connection, code, **said, changed_at=tx.now)
    else:
        return {"agency": code, "new": False}
    tx.units_changed()
    return {"agency": code, "new": unit is None}


@each
def remove(tx: Transaction, job: Removal) -> dict[str, Any]:
    """List a unit no more: ``{agency}``. What is on its way to it keeps its route: the code alone gives it.

    Raises ``unit-data``, ``unit-not-below``, ``unit-not-yours``, ``unit-connected``, ``unit-closed``, and what
    ``acting_system`` raises.
    """
    system = acting_system(tx.roster, job.system_id)
    directory = tx.roster.directory
    code = directory.resolve(job.code)
    _superiors(directory, system, code)
    rows = _rows(tx, code, _systems_of(tx, system))
    if not rows:  # whoever asks again, since the answer was lost, is told the same
        return {"agency": code}
    _check_unconnected(tx, code)
    for row in rows:
        if row["closed_on"]:  # by the operator: without its row it would be open again
            raise _closed(code, row["closed_on"])
    roster.remove_units(tx.connection, [row["code"] for row in rows])
    tx.units_changed()
    return {"agency": code}


def _systems_of(tx: Transaction, system: System) -> set[str]:
    """The ids of the system and of those that stood for its code before it: their units are its own."""
    own = tx.roster.directory.resolve(system.code)
    return roster.systems_ever(tx.connection, tx.roster.directory.spellings(own))


def _superiors(directory: Directory, system: System, code: str) -> tuple[str, ...]:
    """What is above the code by its form, nearest first, each resolved, up to the system's own code.

    A listed parent shows nothing here: who may say one could put any agency below himself.
    """
    if generation(code) is Generation.OTHER:
        raise _invalid(
            "code",
            code,
            "mã không theo dạng nào của QCVN 102:2016 hay QĐ 20/2020",
            "the code has neither the form of QCVN 102:2016 nor that of QĐ 20/2020",
        )
    own = directory.resolve(system.code)
    above = tuple(directory.resolve(superior) for superior in ancestors(code))
    # "00.00.H41" is a level-1 code with too few zeros: below nobody, though H41 is what it names.
    if is_node(code) or level_of(code) == 1 or own not in above:
        raise Refusal("unit-not-below", "code", code, {"code": code, "own": own})
    return above[: above.index(own) + 1]


def _rows(tx: Transaction, code: str, own: set[str]) -> list[RowMapping]:
    """What the directory has of the code; nobody else may have listed it."""
    rows = roster.rows_of(tx.connection, tx.roster.directory.spellings(code))
    if any(row["registered_by"] not in own for row in rows):
        raise _not_yours(code)
    return rows


def _check_unconnected(tx: Transaction, code: str) -> None:
    """Neither a system, connected or retired, nor a certificate: what was ever proved for a code is the operator's."""
    codes = tx.roster.directory.spellings(code)
    if roster.systems_ever(tx.connection, codes) or roster.certificates_of(tx.connection, codes):
        raise _connected(code)


def _check_open(tx: Transaction, code: str) -> None:
    closed = tx.roster.directory.closed(code, local_day(tx.now))
    if closed is not None:
        raise _closed(code, closed.since)


def _check_parent(directory: Directory, code: str, parent: str, superiors: tuple[str, ...]) -> None:
    if canonical(parent) and directory.resolve(parent) not in superiors:
        raise _invalid(
            "pcode",
            parent,
            f"pcode phải để trống hoặc là mã cấp trên của {code}, cao nhất là {superiors[-1]}",
            f"pcode must be empty or a code above {code}, {superiors[-1]} at most",
        )


def _name(directory: Directory, value: str) -> str:
    name = _text("name", value)
    if not name:
        raise _invalid("name", value, "thiếu tên đơn vị", "the name is missing")
    other = directory.of_level_1(name)
    if other is not None:
        raise Refusal("unit-name-taken", "name", name, {"name": name, "other": other.code})
    return name


def _contact(**values: str) -> dict[str, str]:
    """As far as something is said."""
    return {field: text for field, value in values.items() if (text := _text(field, value))}


def _text(field: str, value: str) -> str:
    """In NFC, trimmed. Not printable are controls, bidirectional and zero-width characters, and halves of one."""
    text = unicodedata.normalize("NFC", value).replace("\u00a0", " ").strip()  # the blank of word processors
    if len(text) > LONGEST:
        raise _invalid(field, text, f"{field} dài hơn {LONGEST} ký tự", f"{field} is longer than {LONGEST} characters")
    if not text.isprintable():
        raise _invalid(
            field, text, f"{field} có ký tự điều khiển hoặc ký tự ẩn", f"{field} has control or invisible characters"
        )
    return text


def _invalid(field: str, value: str, vi: str, why: str) -> Refusal:
    return Refusal("unit-data", field, _shown(value), {"vi": vi, "why": why})


def _not_yours(code: str) -> Refusal:
    return Refusal("unit-not-yours", "code", _shown(code), {"code": _shown(code)})


def _connected(code: str) -> Refusal:
    return Refusal("unit-connected", "code", code, {"code": code})


def _closed(code: str, since: date) -> Refusal:
    return Refusal("unit-closed", "code", code, {"code": code, "since": f"{since:%d/%m/%Y}"})


def _shown(text: str) -> str:
    """What a refusal can repeat of anything that was sent."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:80])
