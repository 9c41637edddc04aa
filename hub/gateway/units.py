"""Agencies and the units below them: the three lists, ``registerAgency``, ``deleteAgency``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import lru_cache, partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.domain.agency import Agency, Directory, is_node
from hub.errors import Refusal
from hub.exchange import units
from hub.gateway.answers import FINE, reply
from hub.gateway.call import Call, local_time, wrong
from hub.http import bodies
from hub.store.roster import Roster


async def get_agencies_list(call: Call) -> Response:
    """Agencies that can be addressed; ``code`` as listed, ``oldCode`` that of QCVN 102."""
    return await _list(call, _agencies, call.today)


async def get_agencies_list_qd20(call: Call) -> Response:
    """The same as QĐ 20/2020 has them, those of one ``level`` where it is given."""
    level = call.arguments.get("level", "").strip()
    if level and not (level.isascii() and level.isdigit() and len(level) == 1):
        raise wrong("level", level, "1, 2, 3, 4")
    return await _list(call, _agencies_of_level, call.today, int(level) if level else None)


async def get_synchronize_unit(call: Call) -> Response:
    """Every agency, with the closed ones as ``deleted``."""
    return await _list(call, _synchronized, call.today)


async def _list(call: Call, made: Any, *more: object) -> Response:
    """Made once for each state of the directory: everybody asks for the same."""
    await bodies.small_body(call.request)
    rosters = call.face.desk.rosters
    roster = await run_in_threadpool(partial(rosters.current, now=True))  # who has just registered a unit looks for it
    body: bytes = await run_in_threadpool(made, roster, *more)
    return Response(body, 200, None, "application/json;charset=UTF-8")


@lru_cache(maxsize=1)
def _agencies(roster: Roster, today: date) -> bytes:
    directory = roster.directory
    return _body(
        {
            "id": agency.code,
            "pid": _parent(directory, agency),
            "code": agency.code,
            "name": agency.name,
            "mail": agency.mail,
            "oldCode": directory.older_code(agency.code),
        }
        for agency in _addressable(directory, today)
    )


@lru_cache(maxsize=4)
def _agencies_of_level(roster: Roster, today: date, level: int | None) -> bytes:
    directory = roster.directory
    return _body(
        {
            "id": agency.code,
            "code": agency.code,
            "name": agency.name,
            "mail": agency.mail,
            "code102": directory.older_code(agency.code),
        }
        for agency in _addressable(directory, today)
        if level in {None, agency.level}
    )


@lru_cache(maxsize=1)
def _synchronized(roster: Roster, today: date) -> bytes:
    directory, entries = roster.directory, []
    for agency in directory.agencies:
        system = directory.nearest(agency.code)
        closed = directory.closed(agency.code, today)
        changed = local_time(agency.changed_at) or (f"{closed.since} 00:00:00" if closed else "")
        entries.append(
            {
                "id": agency.code,
                "pid": _parent(directory, agency),
                "code": agency.code,
                "name": agency.name,
                "mail": agency.mail,
                "version": roster.version + roster.units,
                "centerCode": system.code if system else "",
                "deleted": closed is not None,
                "modifyDate": changed,
                "isAgency": not is_node(agency.code),
            }
        )
    return _body(iter(entries))


def _body(entries: Iterator[dict[str, Any]]) -> bytes:
    return bytes(reply(FINE | {"data": list(entries)}).body)


def _addressable(directory: Directory, today: date) -> Iterator[Agency]:
    for agency in directory.agencies:
        if not is_node(agency.code) and directory.closed(agency.code, today) is None:
            yield agency


def _parent(directory: Directory, agency: Agency) -> str:
    """The nearest listed agency above; "0" for none, as the field has it."""
    above = directory.chain(agency.code)[1:]
    return next((code for code in above if directory.listed(code) is not None), "0")


_FIELDS = ("code", "name", "pcode", "mail", "mobile", "fax")


async def register_agency(call: Call) -> Response:
    """Add or change a unit below the system's own agency. The body is not covered by the signature, so that anybody
    who catches a call could send this: what it may do is bounded by ``hub.exchange.units``.
    """
    body = await bodies.small_body(call.request)
    try:
        data = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise _data("không phải JSON", "it is no JSON") from None
    if not isinstance(data, dict):
        raise _data("không phải đối tượng JSON", "it is no JSON object")
    given = {name: data.get(name) or "" for name in _FIELDS}
    for name, value in given.items():
        if not isinstance(value, str):
            raise _data(f"{name} phải là chuỗi ký tự", f"{name} must be a text")
    parent = given.pop("pcode")
    await call.face.desk.write(units.register, units.Unit(call.system.id, parent=parent, **given))
    return reply(FINE)


def _data(vi: str, why: str) -> Refusal:
    return Refusal("unit-data", facts={"vi": vi, "why": why})


async def delete_agency(call: Call) -> Response:
    """Remove a unit that this system registered."""
    await bodies.small_body(call.request)
    code = call.arguments.get("AgencyCode", "").strip()
    if not code:
        raise wrong("AgencyCode", code, "AgencyCode = H41.15")
    await call.face.desk.write(units.remove, units.Removal(call.system.id, code))
    return reply(FINE)
