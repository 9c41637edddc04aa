"""What operators do to deliveries, one or many: choose, look, confirm, see what came of it (docs/console.md).

Two steps, both posted: the first counts and changes nothing, the second brings exactly the deliveries that were
counted. Long runs go on by themselves (``hub.exchange.steering``), whether or not anybody looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from hub.console import access, frame
from hub.console.access import Form, Operates, Views
from hub.domain.document import VIETNAM, local_day
from hub.domain.operator import WHOLE, Operator, Role
from hub.domain.search import parse, resolved
from hub.domain.steering import LEFT, Action, Left, Wish, end_of
from hub.errors import Refusal
from hub.exchange import steering
from hub.exchange.steering import Foreseen, Order
from hub.http.interface import interface
from hub.store import audit
from hub.store import steering as rows
from hub.store.ids import new_id
from hub.store.roster import Roster

operations = APIRouter(prefix="/console/actions", include_in_schema=False)
frame.navigate("/console/actions", "actions.nav", 35)

_PAGE = 50
_SHOWN = 20  # deliveries of each kind on the page of the count
_USUAL = timedelta(days=30)  # until when to extend, unless somebody says otherwise
_ID = re.compile(r"[0-9a-f]{24}")
_Seq = Annotated[int | None, Query(ge=0, lt=2**63)]
_Place = Annotated[int, Query(ge=0, lt=2**31)]
_Line = dict[str, Any]
_Current = Callable[..., Roster]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form brought: deliveries that were chosen, or the search that finds them; ``action`` and ``until`` (a day)
    are empty until they are chosen too.
    """

    ids: tuple[str, ...]
    query: str
    action: str
    until: str

    def wish(self, now: datetime, seen_at: datetime | None = None) -> Wish:
        """Raises ``request-field`` for a day that cannot be."""
        action = Action(self.action)
        return Wish(action, seen_at or now, end_of(self.until, now) if action is Action.EXTEND else None)


def _asked(form: Form) -> Asked:
    """Raises ``request-field`` for nothing chosen, ``request-invalid`` for no action of ours."""
    ids, query = _ids(form), _query(form)
    if not ids and not query:
        raise Refusal("request-field", "delivery", "", {
            "vi": "chưa chọn bản chuyển nào", "en": "no delivery was chosen",
            "repair": "Đánh dấu các dòng trong nhật ký chuyển / tick lines of the delivery log",
        })  # fmt: skip
    return Asked(ids, "" if ids else query, _action(form), form.one("until"))


def _ids(form: Form) -> tuple[str, ...]:
    """As lines of the log are ticked, or all in one field: thousands of fields are slow to read. Raises
    ``request-invalid`` for what is no id.
    """
    found = tuple(one for field in form.all("delivery") for one in field.split())
    if not all(map(_ID.fullmatch, found)):
        raise Refusal("request-invalid")
    return found


def _query(form: Form) -> str:
    """Raises ``request-invalid`` for what no database takes as text."""
    found = form.one("query").strip()
    if "\0" in found:
        raise Refusal("request-invalid")
    return found


def _action(form: Form) -> str:
    action = form.one("action")
    if action and action not in set(Action):
        raise Refusal("request-invalid")
    return action


@operations.post("")
async def count(request: Request, operator: Operates) -> Response:
    """What each action would come to, or the one that was chosen; changes nothing."""
    asked = _asked(await access.form(request))
    face = interface(request)
    now = face.desk.clock()
    ids = await frame.read(request, _found, face.desk.rosters.current, now, asked)
    if not asked.action or (asked.action == Action.EXTEND and not asked.until):
        foreseen = await frame.read(request, _foreseen, face.desk.rosters.current, now, ids)
        return frame.render(
            request,
            "actions_choose.html",
            operator,
            asked=asked,
            found=foreseen[0].found,
            day=(now + _USUAL).astimezone(VIETNAM).date().isoformat(),
            choices=list(zip(Action, foreseen, strict=True)),
        )
    return await _looked(request, operator, asked.wish(now), ids, asked.query, new_id(now))


@operations.post("/run")
async def run(request: Request, operator: Operates) -> Response:
    """Do to exactly those deliveries what was counted. The same form sent again leads to the same run."""
    form = await access.form(request)
    desk = interface(request).desk
    asked = Asked(_ids(form), _query(form), _action(form), form.one("until"))
    if not asked.action:
        raise Refusal("request-invalid")
    wish = asked.wish(desk.clock(), _moment(form.one("seen"), desk.clock()))
    order = Order(form.one("run"), operator.name, wish, asked.ids, form.one("reason"), asked.query)
    try:
        await desk.write(steering.begin, order)
    except Refusal as refusal:
        if refusal.code != "reason-form":
            raise
        return await _looked(
            request, operator, wish, asked.ids, asked.query, order.run_id, reason=order.reason, refusal=refusal
        )
    await desk.write(steering.go_on, order.run_id)  # a short one has ended when its page comes
    return frame.to(f"/console/actions/{order.run_id}")


def _moment(text: str, now: datetime) -> datetime:
    """When the operator looked, in the session that is open still. Raises ``request-invalid``."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("request-invalid") from None
    if found.tzinfo is None or not now - WHOLE <= found <= now:
        raise Refusal("request-invalid")
    return found


async def _looked(
    request: Request,
    operator: Operator,
    wish: Wish,
    ids: Sequence[str],
    query: str,
    run_id: str,
    *,
    reason: str = "",
    refusal: Refusal | None = None,
) -> Response:
    """The page that counts, says what will happen and asks for the reason."""
    roster = interface(request).desk.rosters.current
    now = interface(request).desk.clock()
    foreseen, lines = await frame.read(request, _look, roster, now, ids, wish)
    lang = frame.LANGUAGES.index(frame.language(request))
    left = [
        {"why": LEFT[why][lang], "count": len(some), "lines": [lines[one] for one in some[:_SHOWN]]}
        for why, some in foreseen.left.items()
    ]
    return frame.render(
        request,
        "actions_look.html",
        operator,
        200 if refusal is None else refusal.problem.status,
        wish=wish,
        foreseen=foreseen,
        left=left,
        lines=[lines[one] for one in foreseen.fit[:_SHOWN]],
        query=query,
        run_id=run_id,
        reason=reason,
        refusal=refusal,
    )


@operations.post("/{run_id}/stop")
async def stop(request: Request, operator: Operates, run_id: str) -> Response:
    """Do no more of a run, whoever ordered it."""
    reason = (await access.form(request)).one("reason")
    await interface(request).desk.write(steering.stop, steering.Stop(run_id, operator.name, reason))
    return frame.to(f"/console/actions/{run_id}")


@operations.get("")
async def runs(request: Request, operator: Views, before: _Seq = None) -> Response:
    found = await frame.read(request, rows.runs, before, _PAGE + 1)
    older = frame.again(request, before=found[_PAGE - 1]["seq"]) if len(found) > _PAGE else ""
    newest = "/console/actions" if before is not None else ""
    return frame.render(request, "actions.html", operator, runs=found[:_PAGE], older=older, newest=newest)


@operations.get("/{run_id}")
async def show(request: Request, operator: Views, run_id: str, after: _Place = 0, only: str = "") -> Response:
    roster = interface(request).desk.rosters.current
    run, outcomes, lines, stopped = await frame.read(request, _run, roster, run_id, after, only == "left")
    lang = frame.LANGUAGES.index(frame.language(request))
    for line in lines:
        line["why"] = LEFT[Left(line["outcome"])][lang] if line["outcome"] not in ("", rows.DONE) else ""
    left = [(LEFT[Left(why)][lang], count) for why, count in outcomes.items() if why not in ("", rows.DONE)]
    older = frame.again(request, after=lines[_PAGE - 1]["place"]) if len(lines) > _PAGE else ""
    values = {"run": run, "left": left, "lines": lines[:_PAGE], "only": only, "older": older, "after": after}
    values |= {"stopped": stopped, "steers": operator.may(Role.OPERATOR)}
    return frame.render(request, "actions_run.html", operator, **values)


# What is read, in a thread.


def _found(connection: Connection, current: _Current, now: datetime, asked: Asked) -> Sequence[str]:
    if asked.ids:
        return steering.within(asked.ids)
    query = resolved(parse(asked.query, local_day(now)), current().directory)
    return steering.searched(connection, query)


def _foreseen(connection: Connection, current: _Current, now: datetime, ids: Sequence[str]) -> list[Foreseen]:
    return steering.foresee(connection, current(now=True), now, ids, *(Wish(action, now) for action in Action))


def _look(
    connection: Connection, current: _Current, now: datetime, ids: Sequence[str], wish: Wish
) -> tuple[Foreseen, dict[str, _Line]]:
    roster = current(now=True)
    [foreseen] = steering.foresee(connection, roster, now, ids, wish)
    shown = [*foreseen.fit[:_SHOWN], *(one for some in foreseen.left.values() for one in some[:_SHOWN])]
    return foreseen, _lines(connection, roster, shown)


def _run(
    connection: Connection, current: _Current, run_id: str, after: int, left: bool
) -> tuple[Any, dict[str, int], list[_Line], Any]:
    """The run, its outcomes and lines, and the audit's entry of its having been stopped."""
    run = rows.run(connection, run_id) if _ID.fullmatch(run_id) else None
    if run is None:
        raise Refusal("page-unknown")
    found = rows.deliveries_of(connection, run["seq"], after, _PAGE + 1, left=left)
    known = _lines(connection, current(), [one for _, one, _ in found])
    lines = [known[one] | {"place": place, "outcome": outcome} for place, one, outcome in found]
    outcomes = rows.outcomes(connection, run["seq"])
    stops = (
        audit.entries(connection, action="delivery-stop", subject=run_id, limit=1)
        if Left.STOPPED.value in outcomes
        else []
    )
    return run, outcomes, lines, next(iter(stops), None)


def _lines(connection: Connection, roster: Roster, ids: Sequence[str]) -> dict[str, _Line]:
    """What people know deliveries by; of one that does not exist its id alone."""
    known = rows.described(connection, ids)
    return {
        one: dict(known[one]) | {"name": roster.directory.name_of(known[one]["recipient"])}
        if one in known
        else {"delivery": one, "document": ""}
        for one in ids
    }
