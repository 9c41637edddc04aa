"""Agencies and their systems: the hierarchy, one agency with all about it; enrolling, locking, new secrets."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection, RowMapping
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.console import frame
from hub.console.access import Administers, Operates, Views, form
from hub.console.figures import LATE, unheard
from hub.domain.agency import Agency, Directory, System, generation, guessed_successor_code
from hub.domain.document import local_day
from hub.domain.operator import reasoned
from hub.domain.search import fold, words
from hub.errors import Refusal
from hub.exchange import enrol
from hub.exchange.endings import STEPS
from hub.http.interface import interface
from hub.store import polls, roster, systems
from hub.store.roster import Roster

operations = APIRouter(include_in_schema=False)
frame.navigate("/console/agencies", "agencies.nav", 40)

_FOUND = 100  # of a search
_CHILDREN = 200  # below one agency on its page
_SYSTEMS = 50  # of a page
_DAYS = 7  # that the share of refusals is taken of
_LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class Tree:
    """The directory as it is looked through: who is below whom, and each agency's words and codes, folded."""

    below: dict[str, list[Agency]]
    folded: list[tuple[str, Agency]]

    def found(self, text: str) -> list[Agency]:
        """Those that have all words of the text in a name or a code of theirs; whose code it is comes first."""
        wanted, code = words(text), fold(text.strip())
        hits = [agency for folded, agency in self.folded if all(word in folded for word in wanted)]
        return sorted(hits, key=lambda agency: (fold(agency.code) != code, agency.closed_on is not None, agency.code))


@lru_cache(maxsize=2)
def tree_of(directory: Directory) -> Tree:
    """Made once for a snapshot of the directory: thousands of names are folded."""
    below: dict[str, list[Agency]] = defaultdict(list)
    folded = []
    for agency in directory.agencies:
        above = next((code for code in directory.chain(agency.code)[1:] if directory.listed(code)), "")
        below[above].append(agency)
        codes = (*directory.spellings(agency.code), directory.older_code(agency.code))
        folded.append((fold(f"{agency.name} {' '.join(codes)}"), agency))
    return Tree(dict(below), folded)


async def _roster(request: Request, *, now: bool = False) -> Roster:
    rosters = interface(request).desk.rosters
    return await run_in_threadpool(lambda: rosters.current(now=now))


@operations.get("/console/agencies")
async def show(
    request: Request,
    operator: Views,
    q: Annotated[str, Query(max_length=200, pattern=frame.NO_NUL)] = "",
    opened: Annotated[str, Query(alias="open", max_length=_LONGEST_CODE, pattern=frame.NO_NUL)] = "",
) -> Response:
    """What a search finds, or the hierarchy from its top with one agency's own opened."""
    current = await _roster(request)
    tree = tree_of(current.directory)
    found = tree.found(q) if words(q) else None
    tops = tree.below.get("", [])
    today = local_day(interface(request).desk.clock())
    groups = [
        ("provinces", [one for one in tops if one.code.startswith("H") and not _is_closed(one, current, today)]),
        ("central", [one for one in tops if not one.code.startswith("H") and not _is_closed(one, current, today)]),
        ("closed", [one for one in tops if _is_closed(one, current, today)]),
    ]
    return frame.render(
        request, "agencies.html", operator, q=q, found=None if found is None else found[:_FOUND], cut=_FOUND,
        more=found is not None and len(found) > _FOUND, groups=groups, below=tree.below, opened=opened,
        directory=current.directory, today=today, all=len(tree.folded),
    )  # fmt: skip


def _is_closed(agency: Agency, current: Roster, today: date) -> bool:
    return agency.closed_on is not None and current.directory.closed(agency.code, today) is not None


@dataclass(frozen=True, slots=True)
class Connected:
    """A system as the list shows it."""

    system: System
    backlog: systems.Backlog
    polled: datetime | None


@operations.get("/console/systems")
async def connected(
    request: Request,
    operator: Views,
    after: Annotated[str, Query(max_length=_LONGEST_CODE, pattern=frame.NO_NUL)] = "",
    silent: Annotated[str, Query(pattern="^(yes)?$")] = "",
) -> Response:
    """Every system that stands, by the code of its agency; or those that the overview calls silent."""
    current = await _roster(request)
    wanted = list(current.systems.values())
    if silent:
        asked = await frame.read(request, polls.asked_since, interface(request).desk.clock() - LATE)
        wanted = unheard(wanted, asked)
    standing = sorted((one for one in wanted if one.code > after), key=lambda one: one.code)
    some = standing[:_SYSTEMS]
    rows = await frame.read(request, _connected, some)
    further = frame.again(request, after=some[-1].code) if len(standing) > _SYSTEMS else ""
    return frame.render(
        request, "systems.html", operator, rows=rows, name=current.directory.name_of, silent=silent, older=further,
        newest=frame.again(request, after=None) if after else "", most=systems.MOST,
    )  # fmt: skip


def _connected(connection: Connection, some: list[System]) -> list[Connected]:
    polled = polls.last(connection, [one.id for one in some])
    return [Connected(one, systems.backlog(connection, one.id), polled.get(one.id)) for one in some]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of one agency."""

    ever: list[RowMapping]  # systems that stand or stood for it
    certificates: list[RowMapping]
    polled: datetime | None
    backlog: systems.Backlog | None
    accepted: int | None
    refused: int


@operations.get("/console/agencies/{code:path}")
async def one(request: Request, operator: Views, code: str) -> Response:
    """One agency: codes, place in the hierarchy, system, backlog, certificates, and how much is refused."""
    current = await _roster(request, now=True)  # whoever has just locked it comes here
    code = _code(current, code)
    directory, now = current.directory, interface(request).desk.clock()
    today = local_day(now)
    agency, nearest = directory.listed(code), directory.nearest(code)
    if agency is None and nearest is None:
        raise Refusal("agency-unknown", "code", code, {"code": code[:80]})
    known = await frame.read(request, _known, code, nearest, now)
    below = tree_of(directory).below.get(code, [])
    closed = directory.closed(code, today)
    return frame.render(
        request, "agency.html", operator, code=code, agency=agency, chain=directory.chain(code)[1:],
        below=below[:_CHILDREN], below_all=len(below), closed=closed, successor=directory.successor_of(code, today),
        spellings=directory.spellings(code)[1:], older=directory.older_code(code), guessed=guessed_successor_code(code),
        generation=generation(code).value, nearest=nearest, own=nearest is not None and nearest.code == code,
        known=known, made_at=_made_at(known, nearest), days=_DAYS, most=systems.MOST,
        ends=lambda until: _ends(until, now), name=directory.name_of,
    )  # fmt: skip


def _made_at(known: Known, nearest: System | None) -> str:
    """When a system's credentials were made, for the form that renews them: sent again, it finds others."""
    return next((row["enrolled_at"].isoformat() for row in known.ever if nearest and row["id"] == nearest.id), "")


def _code(current: Roster, code: str) -> str:
    """As the directory knows it. Raises ``agency-unknown``."""
    if not code or len(code) > _LONGEST_CODE or not code.isprintable():
        raise Refusal("agency-unknown", "code", code[:80], {"code": code[:80]})
    return current.directory.resolve(code)


def _known(connection: Connection, code: str, nearest: System | None, now: datetime) -> Known:
    since = now - timedelta(days=_DAYS)
    own = nearest is not None and nearest.code == code
    accepted = None
    if nearest is not None and own:
        accepted = systems.accepted_since(connection, nearest.id, systems.first_seq(connection, since))
    return Known(
        ever=systems.of_code(connection, code),
        certificates=roster.certificates_of(connection, [code]),
        polled=polls.last(connection, [nearest.id]).get(nearest.id) if nearest is not None else None,
        backlog=systems.backlog(connection, nearest.id) if nearest is not None else None,
        accepted=accepted,
        refused=systems.refused_since(connection, code, since),
    )


def _ends(until: datetime, now: datetime) -> tuple[str, int]:
    """How a certificate's end is told: a tone, and the days left (negative: it has ended)."""
    days = (until - now) // timedelta(days=1)
    if until < now:
        return "bad", days
    return ("bad" if days < STEPS[-1] else "wait" if days < STEPS[0] else "good"), days


@operations.post("/console/agencies/{code:path}/lock")
async def lock(request: Request, operator: Operates, code: str) -> Response:
    """``action``: ``lock`` or ``unlock`` its system, for a reason."""
    fields = await form(request)
    action = fields.one("action")
    if action not in {"lock", "unlock"}:
        raise Refusal("request-invalid")
    current = await _roster(request, now=True)
    job = enrol.Steer(_code(current, code), action, by=operator.name, reason=reasoned(fields.one("reason")))
    done = await interface(request).desk.write(enrol.steer, job)
    return frame.to(f"/console/agencies/{quote(done['agency'], safe='')}")


@operations.post("/console/agencies/{code:path}/enrol")
async def enrolling(request: Request, operator: Administers, code: str) -> Response:
    """``action``: ``enrol`` a system, or ``roll`` the secrets of the one that stands; they are shown this once.

    A form that is sent a second time, as by a double click, does nothing more, and its answer says so.
    """
    fields, desk = await form(request), interface(request).desk
    action = fields.one("action")
    if action not in {"enrol", "roll"}:
        raise Refusal("request-invalid")
    renews = _seen(fields.one("made_at")) if action == "roll" else None
    current = await _roster(request, now=True)
    known = _code(current, code)
    reason = reasoned(fields.one("reason"))
    if action == "roll":
        system = current.directory.nearest(known)
        if system is None or system.code != known:
            raise Refusal("system-none", "code", known, {"code": known})
        wanted, locked = enrol.Enrolment(known, system_id=system.id), system.locked
    else:
        addresses = tuple(fields.one("addresses").replace(",", " ").split())
        terms = fields.one("system_id").strip(), "", fields.one("profile"), fields.one("algorithms")
        if terms[2] not in {"", "required", "legacy"} or terms[3] not in {"", "2025", "sha1"}:
            raise Refusal("request-invalid")
        wanted, locked = enrol.Enrolment(known, "", *terms, addresses=addresses), False
    job = enrol.Enrolments((wanted,), desk.vault, action == "roll", operator.name, reason, renews)
    name = current.directory.name_of(known)
    try:
        (made,) = await desk.write(enrol.enrol, job)
    except Refusal as refusal:
        if refusal.code not in {"system-connected", "credentials-renewed"}:
            raise
        return frame.render(request, "credentials_made.html", operator, 409, refusal=refusal, code=known, name=name)
    # Nothing more is asked of the database: whatever happens to it, the credentials are out.
    return frame.render(request, "credentials.html", operator, made=made, code=known, name=name, locked=locked)


def _seen(text: str) -> datetime:
    """Raises ``request-invalid``."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("request-invalid") from None
