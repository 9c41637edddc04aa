"""The parties as senders and recipients: who is drawn how often, and what agencies there are besides."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import log

from clients.replay.plan.cast import CastError, Member, members
from clients.replay.plan.defects import DEFECTS, Defect
from clients.replay.planned import Party
from clients.replay.scenario.shapes import Scenario
from hub.data import read_agencies
from hub.domain.document import local_day
from hub.domain.numbering import abbreviations

_DRAWS = 50  # for each recipient, before all are set in order instead
_NODE, _UNKNOWN = "W00", "Z99"
# Types by how often they are sent, as symbols write them; "" is a letter, which names its unit instead.
_TYPES = ("", "", "", "", "", "QĐ", "BC", "TB", "TTr", "KH")
_UNIT = "VP"


class Crowd:
    """``source`` decides every draw. Raises :class:`CastError` if somebody is lacking."""

    def __init__(self, scenario: Scenario, source: random.Random) -> None:
        cast = members(scenario)
        self._random = source
        self._parties = {member.party.code: member.party for member in cast}
        today = local_day(scenario.clock.start)
        listed = read_agencies()
        self._gone = {agency.code for agency in listed if agency.closed_on is not None and agency.closed_on <= today}
        standing = [member for member in cast if member.party.code not in self._gone]
        self._senders = _Urn([(m.party, m.send) for m in standing if m.send], source)
        self._receivers = _Urn([(m.party, m.receive) for m in standing if m.receive], source)
        self._required = _Urn([(m.party, m.send) for m in standing if m.send and m.party.profile == "required"], source)
        self._closed = [member.party for member in cast if member.party.code in self._gone]
        self._unconnected = next(
            (a.code for a in listed if a.level == 1 and a.code not in self._parties and a.code not in self._gone), ""
        )
        self._issuers = [p for p in self._parties.values() if p.system == p.code and abbreviations(p.name)]
        self._symbols = {code: _abbreviation(party) for code, party in self._parties.items()}
        self._check(scenario, standing)

    def _check(self, scenario: Scenario, standing: Sequence[Member]) -> None:
        systems = {m.party.system for m in standing if m.receive}
        if not self._senders.parties:
            raise CastError(("agencies",), "nobody sends: send is 0 everywhere, or all are closed")
        if self.most < 1:
            raise CastError(("agencies",), "nobody receives from another")
        for name in scenario.defects:
            defect = DEFECTS[name]
            lacking = ""
            if defect.sender == "closed" and not self._closed:
                lacking = "an agency that is closed on the first day"
            elif defect.sender == "required" and not self._required.parties:
                lacking = "a sender of the profile required"
            elif defect.sender not in ("", "closed", "required", *self._parties):
                lacking = f"{defect.sender} among the agencies"
            elif defect.recipient == "closed" and not self._gone:
                lacking = "an agency of the directory that is closed on the first day"
            elif defect.recipient == "unconnected" and not self._unconnected:
                lacking = "an agency of the directory that takes no part"
            elif defect.against == "another" and len({party.system for party in self._senders.parties}) < 2:
                lacking = "two systems that send"
            elif (defect.as_recipient or defect.signer == "another") and len(systems) < 2:
                lacking = "two systems that receive"
            if lacking:
                raise CastError(("defects", name), f"needs {lacking}")

    def __getitem__(self, code: str) -> Party:
        return self._parties[code]

    @property
    def most(self) -> int:
        """How many recipients a document can have, whoever sends it."""
        receivers = set(self._receivers.parties)
        return len(receivers) - (0 if receivers.isdisjoint(self._senders.parties) else 1)

    def sender(self, apart_from: str = "") -> Party:
        """Somebody who sends; not by the system ``apart_from``, if anybody else does."""
        for _ in range(1000):
            party = self._senders.draw()
            if party.system != apart_from:
                break
        return party

    def sender_for(self, defect: Defect) -> Party:
        match defect.sender:
            case "":
                return self._senders.draw()
            case "closed":
                return self._closed[int(self._random.random() * len(self._closed))]
            case "required":
                return self._required.draw()
        return self._parties[defect.sender]

    def recipients(self, count: int, sender: Party, *, apart: bool = False) -> tuple[str, ...]:
        """Others than the sender; ``apart``: of other systems than its own."""

        def fits(party: Party) -> bool:
            return party is not sender and not (apart and party.system == sender.system)

        found: dict[str, None] = {}
        draws = 0 if count * 3 > len(self._receivers.parties) else _DRAWS * count
        for _ in range(draws):
            party = self._receivers.draw()
            if fits(party):
                found[party.code] = None
            if len(found) == count:
                return tuple(found)
        return tuple(party.code for party in self._receivers.order() if fits(party))[:count]

    def addressee(self, what: str, sender: Party) -> tuple[str, ...]:
        """The addressee that a defect adds."""
        match what:
            case "unknown":
                return (_UNKNOWN,)
            case "node":
                return (_NODE,)
            case "closed":
                return (min(self._gone),)
            case "unconnected":
                return (self._unconnected,)
            case "itself":
                return (sender.code,)
        return ()

    def issuer(self, sender: Party) -> str:
        """Another agency whose documents carry its mark; none if there is no such."""
        others = self._issuers
        for _ in range(20):
            party = others[int(self._random.random() * len(others))] if others else sender
            if party is not sender:
                return party.code
        return ""

    def symbol(self, code: str) -> str:
        """The symbol of a document that this agency issues."""
        kind = _TYPES[int(self._random.random() * len(_TYPES))]
        return f"{kind}-{self._symbols[code]}" if kind else f"{self._symbols[code]}-{_UNIT}"


def _abbreviation(party: Party) -> str:
    return min(abbreviations(party.name), key=lambda text: (len(text), text), default=party.code.replace(".", ""))


class _Urn:
    """Parties, each drawn as often as its weight says."""

    def __init__(self, weighted: Sequence[tuple[Party, float]], source: random.Random) -> None:
        self.parties = [party for party, _ in weighted]
        self._weights = [weight for _, weight in weighted]
        self._until = list(accumulate(self._weights))
        self._random = source

    def draw(self) -> Party:
        place = bisect_right(self._until, self._random.random() * self._until[-1])
        return self.parties[min(place, len(self.parties) - 1)]

    def order(self) -> list[Party]:
        """All, the heavier the sooner (Efraimidis and Spirakis: weighted sampling without replacement)."""
        keys = [-log(1.0 - self._random.random()) / weight for weight in self._weights]
        return [self.parties[place] for place in sorted(range(len(keys)), key=keys.__getitem__)]
