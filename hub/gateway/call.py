"""One call of the dialect, authenticated: its arguments, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from starlette.requests import Request

from hub.domain.agency import System
from hub.domain.document import VIETNAM, local_day
from hub.errors import Refusal
from hub.gateway.listings import Listings
from hub.http.interface import Interface
from hub.store.roster import Roster

_ID = re.compile(r"[0-9a-f]{24}")
_FIRST_YEAR = 1900  # of what may be meant; the calendar's own first moments have none in UTC
_DAYS = ("%d/%m/%Y", "%Y/%m/%d", "%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Call:
    """``arguments`` are those of the signed header. It carries those of earlier calls too (the client never clears its
    map), so each method reads only what it defines.
    """

    request: Request
    face: Interface
    system: System
    roster: Roster
    arguments: Mapping[str, str]
    listings: Listings

    @property
    def trace_id(self) -> str:
        found: str = self.request.state.trace_id
        return found

    @property
    def today(self) -> date:
        return local_day(self.face.desk.clock())

    def asks_for_statuses(self) -> bool:
        """``messagetype``: ``edoc`` (also when it is not there) or ``status``. Raises ``gateway-argument``."""
        given = self.arguments.get("messagetype", "") or "edoc"
        if given.lower() not in {"edoc", "status"}:
            raise wrong("messagetype", given, "edoc, status")
        return given.lower() == "status"

    def id_of(self, *names: str) -> str:
        """The first of these arguments that is there, an id as this hub makes them. Raises ``gateway-argument``."""
        name = next((name for name in names if self.arguments.get(name)), names[-1])
        given = self.arguments.get(name, "")
        if not _ID.fullmatch(given):
            raise wrong(name, given, "24 chữ số hex viết thường / 24 lower-case hex digits")
        return given

    def moment(self, name: str, *, end: bool = False) -> datetime | None:
        """A moment in Vietnam, None where it is not there; a day alone means its first moment, or with ``end`` its
        last. Raises ``gateway-argument``.
        """
        given = self.arguments.get(name, "").strip()
        if not given:
            return None
        for day in _DAYS:
            for form in (f"{day} %H:%M:%S", day):
                try:
                    found = datetime.strptime(given, form).replace(tzinfo=VIETNAM)
                except ValueError:
                    continue
                if end:  # a second or a day is meant to its end
                    found = (
                        found.replace(microsecond=999_999)
                        if " " in form
                        else datetime.combine(found, time.max, VIETNAM)
                    )
                if found.year >= _FIRST_YEAR:
                    return found
        raise wrong(name, given, "dd/MM/yyyy HH:mm:ss")


def wrong(name: str, value: str, allowed: str) -> Refusal:
    """The refusal of an argument."""
    return Refusal("gateway-argument", name, value, {"name": name, "value": value[:80] or "–", "allowed": allowed})


def local_time(value: datetime | None) -> str:
    """As the dialect's lists have times: Vietnam's, to the second; empty for none."""
    return "" if value is None else value.astimezone(VIETNAM).isoformat(" ")[:19]
