"""Who takes part: a scenario's groups as parties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clients.replay.planned import Party
from clients.replay.scenario.shapes import Group, Scenario
from hub.data import read_agencies
from hub.domain.agency import Agency
from hub.domain.document import local_day

_FIRST = 200  # number of the first agency that is made below another: the directory's own end below it


class CastError(ValueError):
    """A group that nobody can play; ``path`` is its place in the scenario."""

    def __init__(self, path: tuple[str | int, ...], why: str) -> None:
        super().__init__(why)
        self.path = path


@dataclass(frozen=True, slots=True)
class Member:
    """A party, and how much it sends and receives beside the others."""

    party: Party
    send: float
    receive: float


def cast(scenario: Scenario) -> tuple[Party, ...]:
    """The parties, in the order of the groups. Raises :class:`CastError`."""
    return tuple(member.party for member in members(scenario))


def members(scenario: Scenario) -> tuple[Member, ...]:
    """The parties with their weights. Raises :class:`CastError`."""
    found: dict[str, Member] = {}
    listed = {agency.code: agency for agency in read_agencies()}
    for index, group in enumerate(scenario.agencies):
        for place, (code, name, above) in enumerate(_named(scenario, group, index, listed, found)):
            if code in found:
                continue  # the first group that names an agency has it
            platform = found[above].party if above else None
            if platform is not None and platform.system != platform.code:
                raise CastError(("agencies", index, "platform"), f"{above} has no system of its own")
            # Of n agencies of which a share is silent, every so many-th.
            silent = int((place + 1) * group.silent) > int(place * group.silent)
            behaves = platform if platform is not None else group
            party = Party(
                code=code, name=name, system=platform.code if platform is not None else code,
                dialect=behaves.dialect, profile=behaves.profile, poll=behaves.poll, hours=behaves.hours,
                slow=behaves.slow, silent=platform.silent if platform is not None else silent, dies=behaves.dies,
                wrong=group.wrong, reads=behaves.reads,
            )  # fmt: skip
            found[code] = Member(party, group.send, group.receive)
    return tuple(found.values())


def _named(
    scenario: Scenario, group: Group, index: int, listed: dict[str, Agency], found: dict[str, Member]
) -> Iterator[tuple[str, str, str]]:
    """Code, name, and for a platform's the code above it."""
    first, last = local_day(scenario.clock.start), local_day(scenario.moment(scenario.clock.whole))
    for place, code in enumerate(group.codes):
        if code not in listed:
            raise CastError(("agencies", index, "codes", place), f"{code} is not in the directory")
        closes = listed[code].closed_on
        if closes is not None and first < closes <= last:
            raise CastError(("agencies", index, "codes", place), f"{code} is closed on {closes}, during the play")
        yield code, listed[code].name, ""
    if group.directory:
        fitting = [
            agency for agency in sorted(listed.values(), key=lambda agency: agency.code)
            if agency.level == 1 and agency.code.startswith(group.directory)
            and (agency.closed_on is None or agency.closed_on > last)
        ]  # fmt: skip
        if len(fitting) < max(1, group.take):
            why = f"the directory has {len(fitting)} open agencies of level 1 that begin with {group.directory}"
            raise CastError(("agencies", index, "take" if group.take else "directory"), why)
        yield from ((agency.code, agency.name, "") for agency in fitting[: group.take or None])
    for place, above in enumerate(group.below):
        if above not in found:
            raise CastError(("agencies", index, "below", place), f"{above} takes no part: name it in a group before")
    for n in range(group.made):
        above = group.below[n % len(group.below)]
        code = f"{above}.{_FIRST + n // len(group.below)}"
        yield code, group.names.replace("{n}", str(n + 1)), above if group.platform else ""
