"""Agencies: their codes in both generations, the hierarchy, and who is connected for whom.

* A code of QCVN 102:2016 starts with the smallest unit (``000.00.15.H51``), one of QĐ 20/2020 with level 1
  (``H51.15``).
* Two codes mean one agency only at level 1 (``000.00.00.G22`` = ``G22``) or by a row of the mapping table. Below
  level 1 units may have been numbered anew, so a computed successor is a hint for a person, never a route.
* ``Directory`` is an immutable snapshot of the listed agencies, the mapping table and the enrolled systems; "today" is
  always an argument.

Not here: reading the packaged list (``hub.data``), storing or enrolling (``hub.store``, ``hub.exchange``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property, lru_cache, wraps
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeVar

T = TypeVar("T")

_TOP = r"[A-Z][A-Z0-9][0-9]"  # H17; also JB2, TT2, as registered in the field
_LONG_TOP = re.compile(rf"000\.00\.00\.({_TOP})")
_QCVN_102 = re.compile(rf"(?:([0-9]{{2,3}})\.)??(?:([0-9]{{2}})\.)?([0-9]{{2}})\.({_TOP})")
_QD_20 = re.compile(rf"(?=.{{3,35}}$){_TOP}(?:\.[A-Z0-9]+)*")
_NODE = "W00"


class Generation(StrEnum):
    """The decision a code's form comes from. Codes of neither form exist and may be enrolled by the operator."""

    QCVN_102 = "qcvn-102"
    QD_20 = "qd-20"
    OTHER = "other"


def _remembering(function: Callable[[str], T]) -> Callable[[str], T]:
    """The same few names and codes stand in every packet; a hostile one fills no memory."""
    remembered = lru_cache(maxsize=16_384)(function)

    @wraps(function)
    def call(text: str) -> T:
        return remembered(text) if len(text) <= _LONGEST else function(text)

    return call


_LONGEST = 300  # characters worth remembering


@_remembering
def canonical(code: str) -> str:
    """The code in NFC, trimmed, and short at level 1; below level 1 the generation is kept."""
    code = unicodedata.normalize("NFC", code).strip()
    match = _LONG_TOP.fullmatch(code)
    return match.group(1) if match else code


def generation(code: str) -> Generation:
    """Which form the canonical code has. A level-1 code counts as QĐ 20/2020, since both write it alike."""
    code = canonical(code)
    if _QD_20.fullmatch(code):
        return Generation.QD_20
    return Generation.QCVN_102 if _QCVN_102.fullmatch(code) else Generation.OTHER


def level_of(code: str) -> int | None:
    """The level by the code's form, 1 the highest (QĐ 28/2018 Đ.10 k.2a), or None for a code of neither generation."""
    code = canonical(code)
    if _QD_20.fullmatch(code):
        return code.count(".") + 1
    if groups := _old_groups(code):
        return next((4 - i for i, group in enumerate(groups[:3]) if int(group)), 1)
    return None


@_remembering
def ancestors(code: str) -> tuple[str, ...]:
    """The superior codes by form, nearest first, in canonical form; empty for level 1 and for unknown forms.

    The shortened old codes of the field (``28.22.H17``) are read as if zero-filled on the left, and their superiors are
    given in full: ``("000.00.22.H17", "H17")``.
    """
    code = canonical(code)
    if _QD_20.fullmatch(code):
        parts = code.split(".")
        return tuple(".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1))
    groups = _old_groups(code)
    if groups is None:
        return ()
    above = []
    for i, zero in enumerate(("000", "00", "00")):
        if int(groups[i]):
            groups[i] = zero
            above.append(canonical(".".join(groups)))
    return tuple(above) or (groups[3],)  # "00.00.H17" is below level 1 by no digit, and H17 is what it names


def is_node(code: str) -> bool:
    """Whether the code belongs to the axis itself (level 1 is ``W00``): no addressee."""
    code = canonical(code)
    return _NODE in (code, *ancestors(code))


def guessed_successor_code(code: str) -> str:
    """The code of QĐ 20/2020 an old code would have if nobody had numbered anew (``000.00.15.H51`` → ``H51.15``).

    A hint for the repair in an answer, never for routing. Any other code comes back canonical.
    """
    code = canonical(code)
    groups = _old_groups(code)
    return ".".join([groups[3], *(g for g in reversed(groups[:3]) if int(g))]) if groups else code


def _old_groups(code: str) -> list[str] | None:
    """The groups of levels 4, 3, 2, 1 of a code of QCVN 102, zero-filled to 3, 2, 2 digits."""
    match = _QCVN_102.fullmatch(code)
    if match is None:
        return None
    *digits, top = match.groups()
    return [*((group or "").zfill(width) for group, width in zip(digits, (3, 2, 2), strict=True)), top]


@_remembering
def name_key(name: str) -> str:
    """A key under which two spellings of one agency's name are equal.

    Case, blanks and the place of the tone mark (``Uỷ``/``Ủy``) do not count; ``UBND`` and ``HĐND`` are written out.
    """
    words = unicodedata.normalize("NFC", name).casefold().split()
    written_out = " ".join(_WRITTEN_OUT.get(word, word) for word in words).split()
    return " ".join(_tone_last(word) for word in written_out)


_WRITTEN_OUT = {"ubnd": "ủy ban nhân dân", "hđnd": "hội đồng nhân dân", "tp": "thành phố", "tp.": "thành phố"}
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


def _tone_last(word: str) -> str:
    letters = unicodedata.normalize("NFD", word)
    return "".join(c for c in letters if c not in _TONES) + "".join(c for c in letters if c in _TONES)


@dataclass(frozen=True, slots=True)
class Agency:
    """A row of the directory. ``parent`` and ``successor`` are codes or empty; ``uncertain`` rows await a check."""

    code: str
    name: str
    level: int
    parent: str = ""
    closed_on: date | None = None  # the first day on which it is closed
    successor: str = ""
    uncertain: bool = False
    note: str = ""
    registered_by: str = ""  # the system that registered it as a unit of its own; empty: nobody but the operator
    mail: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class System:
    """A connected system: enrolled for one agency code, it stands for that code's subtree (exchange rules 2, 3)."""

    id: str
    code: str
    locked: bool = False
    required: bool = True  # profile: unsigned packets are refused
    sha1: bool = False  # algorithms: RSA-SHA1 passes with a warning
    networks: tuple[IPv4Network | IPv6Network, ...] = ()  # it may call from; empty: from anywhere
    pdf_policy: str = ""  # report, require; empty: the hub's


@dataclass(frozen=True, slots=True)
class Closed:
    """``code`` is the listed agency that is closed: the asked one or the one above it that decides."""

    code: str
    since: date
    successor: str


@dataclass(frozen=True, slots=True)
class Route:
    """The system that receives for a recipient; ``unlisted`` when only an agency above the recipient is listed."""

    system: System
    unlisted: bool


class Directory:
    """A snapshot of agencies, the mapping table and the enrolled systems; never changes after construction.

    ``aliases`` maps a code to the code that counts instead; ``systems`` maps agency codes to their enrolled system.
    """

    def __init__(
        self,
        agencies: Iterable[Agency],
        aliases: Mapping[str, str] | None = None,
        systems: Mapping[str, System] | None = None,
    ) -> None:
        self._aliases = {canonical(code): canonical(counts) for code, counts in (aliases or {}).items()}
        # Where both codes of a mapping row are listed, the row of the code that counts wins.
        by_rank = sorted(agencies, key=lambda agency: self.resolve(agency.code) == canonical(agency.code))
        self._agencies = {self.resolve(agency.code): agency for agency in by_rank}
        self._chains: dict[str, tuple[str, ...]] = {}
        self._routes: tuple[date, dict[str, Route | str]] = (date.min, {})  # of one day
        self._systems = {self.resolve(code): system for code, system in (systems or {}).items()}

    def __getstate__(self) -> dict[str, Any]:
        """Without what it has remembered, to which another thread may add meanwhile."""
        made = {name: self.__dict__[name] for name in ("_aliases", "_agencies", "_systems")}
        return {**made, "_chains": {}, "_routes": (date.min, {})}

    @cached_property
    def agencies(self) -> tuple[Agency, ...]:
        """Every listed agency, by code."""
        return tuple(sorted(self._agencies.values(), key=lambda agency: agency.code))

    @property
    def aliases(self) -> Mapping[str, str]:
        """The mapping table: by code, the one that counts instead."""
        return self._aliases

    def resolve(self, code: str) -> str:
        """The code under which the agency is known here."""
        code = canonical(code)
        return self._aliases.get(code, code)

    def same(self, a: str, b: str) -> bool:
        """Whether two codes mean one agency."""
        return self.resolve(a) == self.resolve(b)

    def chain(self, code: str) -> tuple[str, ...]:
        """The agency and everything above it, nearest first, each resolved and named once.

        A listed parent the code's form does not show (``H37.DN.001``) comes before the superiors by form.
        """
        code = self.resolve(code)
        chain = self._chains.get(code)
        if chain is None:
            chain = self._climb(code)
            if code in self._agencies:  # as many as are listed: what a packet makes up is not kept
                self._chains[code] = chain
        return chain

    def _climb(self, code: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        waiting = [code]
        while waiting:
            code = self.resolve(waiting.pop())
            if code in found:
                continue
            found[code] = None
            above = ancestors(code)
            agency = self._agencies.get(code)
            if agency and agency.parent and canonical(agency.parent) not in above:
                above = (agency.parent, *above)
            waiting.extend(reversed(above))
        return tuple(found)

    def listed(self, code: str) -> Agency | None:
        """The agency's own row."""
        return self._agencies.get(self.resolve(code))

    def older_code(self, code: str) -> str:
        """The code of QCVN 102 by which an agency is known here: its long form at level 1, below it its own or that of
        the mapping table; empty where there is none, since none is guessed.
        """
        code = self.resolve(code)
        if level_of(code) == 1:
            return f"000.00.00.{code}"
        return next((c for c in self.spellings(code) if generation(c) is Generation.QCVN_102), "")

    def spellings(self, code: str) -> tuple[str, ...]:
        """The code under which an agency is known, and those that the mapping table reads as it."""
        code = self.resolve(code)
        return (code, *self._read_as.get(code, ()))

    @cached_property
    def _read_as(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for other, code in self._aliases.items():
            found.setdefault(code, []).append(other)
        return found

    def named(self, name: str) -> Agency | None:
        """The one agency of that name (see :func:`name_key`); None if none or several have it.

        Units that a system registered do not count: their names are whatever somebody said.
        """
        return self._names.get(name_key(name))

    @cached_property
    def _names(self) -> dict[str, Agency | None]:
        names: dict[str, Agency | None] = {}
        for agency in self._own_rows:
            key = name_key(agency.name)
            names[key] = None if key in names else agency
        return names

    def of_level_1(self, name: str) -> Agency | None:
        """A listed agency of level 1 that is called so."""
        return self._tops.get(name_key(name))

    @cached_property
    def _tops(self) -> dict[str, Agency]:
        return {name_key(agency.name): agency for agency in self._own_rows if agency.level == 1}

    @cached_property
    def _own_rows(self) -> list[Agency]:
        return [agency for agency in self._agencies.values() if not agency.registered_by]

    def name_of(self, code: str) -> str:
        """The listed name, or empty."""
        agency = self.listed(code)
        return agency.name if agency else ""

    def nearest(self, code: str) -> System | None:
        """The enrolled system at the agency itself or nearest above it."""
        return self._nearest_system(self.chain(code))

    def closed(self, code: str, today: date) -> Closed | None:
        """What closed this agency, if it is closed today: the nearest listed agency of its chain decides, but no unit
        that a system registered, unless the operator closed it.
        """
        listed = (self._agencies[one] for one in self.chain(code) if one in self._agencies)
        agency = next((one for one in listed if one.closed_on or not one.registered_by), None)
        return _closed(agency, today) if agency else None

    def successor_of(self, code: str, today: date) -> str:
        """The agency that took over from a closed one, itself open today; empty if the code is open or nobody did."""
        seen = set()
        closed = self.closed(code, today)
        successor = ""
        while closed and closed.successor and closed.code not in seen:
            seen.add(closed.code)
            successor = self.resolve(closed.successor)
            closed = self.closed(successor, today)
        return "" if closed else successor

    def may_act_for(self, system: System, code: str, today: date) -> bool:
        """Whether the system is the nearest to the code, or to the successor of a closed one (exchange rules 1, 2)."""
        successor = self.successor_of(code, today)
        heirs = (self.nearest(code), self.nearest(successor) if successor else None)
        return any(heir is not None and heir.id == system.id for heir in heirs)

    def recipient(self, code: str, today: date) -> Route | str:
        """The route to a recipient, or the rule that refuses it.

        Rules in order: ``recipient-is-node``, ``recipient-unknown``, ``recipient-closed``,
        ``recipient-not-connected``, ``recipient-locked`` (exchange rules 2).
        """
        code = canonical(code)
        day, routes = self._routes
        if day != today:
            routes = {}
            self._routes = today, routes
        found = routes.get(code)
        if found is None:
            found = self._route(code, today)
            if self.resolve(code) in self._agencies:  # as in `chain`
                routes[code] = found
        return found

    def _route(self, code: str, today: date) -> Route | str:
        if is_node(code):
            return "recipient-is-node"
        chain = self.chain(code)
        agency = self._nearest_listed(chain)
        if agency is None:
            return "recipient-unknown"
        if self.closed(code, today):
            return "recipient-closed"
        system = self._nearest_system(chain)
        if system is None:
            return "recipient-not-connected"
        if system.locked:
            return "recipient-locked"
        return Route(system, unlisted=chain[0] not in self._agencies)

    def _nearest_listed(self, chain: tuple[str, ...]) -> Agency | None:
        return next((self._agencies[code] for code in chain if code in self._agencies), None)

    def _nearest_system(self, chain: tuple[str, ...]) -> System | None:
        return next((self._systems[code] for code in chain if code in self._systems), None)


def _closed(agency: Agency, today: date) -> Closed | None:
    if agency.closed_on is None or agency.closed_on > today:
        return None
    return Closed(agency.code, agency.closed_on, agency.successor)
