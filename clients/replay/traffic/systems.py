"""Who took part in recorded traffic: for which agencies each system spoke, and how its software behaved."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from clients.replay.planned import Party
from clients.replay.traffic.file import Exchange
from hub.domain.agency import ancestors, canonical

_POLL = 60.0  # seconds: of a system that looked once or never
_CODE = re.compile(r"\w[\w.-]{0,63}")  # a certificate's name has no room for more


def is_code(code: str) -> bool:
    """Whether an agency can be enrolled by this code, and a file named by it: a record may have been made to harm."""
    return _CODE.fullmatch(canonical(code)) is not None


@dataclass
class Seen:
    """One system as it was seen."""

    codes: dict[str, None] = field(default_factory=dict)  # canonical, in the order in which it used them
    dialects: Counter[str] = field(default_factory=Counter)
    legacy: bool = False  # a packet that nobody signed was taken from it
    looks: int = 0
    first_look: float = 0.0
    last_look: float = 0.0
    fetched: bool = False
    statuses: bool = False  # it fetches status packets
    outbox: bool = False
    keeping: array[float] = field(default_factory=lambda: array("d"))  # seconds from a fetch to its done

    def note(self, exchange: Exchange) -> None:
        self.dialects[exchange.dialect] += 1
        if exchange.operation == "list":
            self.first_look = exchange.at if not self.looks else min(self.first_look, exchange.at)
            self.last_look = max(self.last_look, exchange.at)
            self.looks += 1
        self.fetched |= exchange.operation == "fetch"
        self.outbox |= exchange.operation == "told" and exchange.dialect == "rest"

    def spoke(self, code: str) -> None:
        if is_code(code):
            self.codes[canonical(code)] = None

    @property
    def poll(self) -> float:
        if self.looks < 2:
            return _POLL
        # The gateway's clients ask for documents and for statuses apart.
        lists = 2 if self.dialects["gateway"] > self.dialects["rest"] else 1
        return max(0.1, round((self.last_look - self.first_look) / max(1.0, self.looks / lists - 1), 1))

    def joined(self, other: Seen) -> None:
        """The same system by its other name, as in the other dialect."""
        self.codes |= other.codes
        self.dialects += other.dialects
        self.legacy |= other.legacy
        if other.looks > self.looks:
            self.looks, self.first_look, self.last_look = other.looks, other.first_look, other.last_look
        self.fetched |= other.fetched
        self.statuses |= other.statuses
        self.outbox |= other.outbox
        self.keeping.extend(other.keeping)


@dataclass(frozen=True, slots=True)
class Cast:
    """``parties``: systems before whom they speak for. ``homes``: a system's code by the recorder's name of it."""

    parties: tuple[Party, ...]
    homes: Mapping[str, str]


def cast_of(seen: Mapping[str, Seen], names: Mapping[str, str], addressed: Iterable[str]) -> Cast:
    """``names`` of agencies by code; ``addressed``: who got documents. Who is not below a system that was seen gets one
    of its own that never looks, so that the hub delivers as it did.
    """
    homes: dict[str, str] = {}
    systems: dict[str, Seen] = {}
    for name, system in seen.items():
        if not system.codes:
            continue
        home = homes[name] = _home(tuple(system.codes))
        if home in systems:
            systems[home].joined(system)
        else:
            systems[home] = system
    spoken = {code: home for home, system in systems.items() for code in system.codes if _below(code, home)}
    parties = {home: _party(home, home, names, system) for home, system in systems.items()}
    for code in dict.fromkeys((*spoken, *map(canonical, addressed))):
        if code in parties:
            continue
        above = next((each for each in ancestors(code) if each in systems), "")
        if above:
            parties[code] = _party(code, above, names, systems[above])
        else:
            parties[code] = Party(code, names.get(code, code), code, silent=True)
    ordered = sorted(parties.values(), key=lambda party: party.code != party.system)
    return Cast(tuple(ordered), homes)


def _home(codes: tuple[str, ...]) -> str:
    """The agency a system stands for: of its codes the one above the others, or the nearest above them all; else the
    first, as for the successor that speaks for a closed agency too."""
    above = [(code, *ancestors(code)) for code in codes]
    return next((code for code in above[0] if all(code in chain for chain in above)), codes[0])


def _below(code: str, home: str) -> bool:
    return code == home or home in ancestors(code)


def _party(code: str, home: str, names: Mapping[str, str], system: Seen) -> Party:
    return Party(
        code,
        names.get(code, code),
        home,
        dialect="gateway" if system.dialects["gateway"] > system.dialects["rest"] else "rest",
        profile="legacy" if system.legacy else "required",
        poll=system.poll,
        slow=round(median(system.keeping), 3) if system.keeping else 0.0,
        silent=not (system.looks or system.fetched),
        reads="outbox" if system.outbox and not system.statuses else "packets",
    )
