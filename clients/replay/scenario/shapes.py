"""What a scenario file may say. Each field's description stands in the JSON Schema that editors read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import WithJsonSchema

from clients.replay.plan.defects import DEFECTS

_UNITS = {
    "s": 1, "second": 1, "seconds": 1, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600,
    "day": 86400, "days": 86400, "week": 604800, "weeks": 604800,
}  # fmt: skip
_SPAN = re.compile(r"\s*(-?[0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*")


def seconds(value: Any) -> float:
    """A span of time as files write it: a number of seconds, or a text such as "5 min". Raises ``ValueError``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None or match.group(2) not in _UNITS:
        raise ValueError('a number of seconds, or a text such as "90 s", "5 min", "2 hours", "3 days", "1 week"')
    return float(match.group(1)) * _UNITS[match.group(2)]


_SPAN_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number"},
            {"type": "string", "pattern": f"^-?[0-9]+([.][0-9]+)? *({'|'.join(_UNITS)})$"},
        ]
    }
)
Span = Annotated[float, BeforeValidator(seconds), Field(ge=0), _SPAN_SCHEMA]
Short = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=3600), _SPAN_SCHEMA]
Jump = Annotated[float, BeforeValidator(seconds), _SPAN_SCHEMA]
Share = Annotated[float, Field(ge=0, le=1)]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9][0-9](\.[A-Z0-9]+)*$", max_length=35)]


class Shape(BaseModel):
    """Frozen; a key that nobody knows is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Clock(Shape):
    """The time of the play."""

    mode: Literal["virtual", "real"]
    """virtual: from event to event, as fast as the hub allows; real: second by second (--speed)."""
    start: AwareDatetime
    """The moment the play begins, with its zone."""
    duration: Span
    """How long the agencies send."""
    settle: Span = 60.0
    """What follows the sending. With a virtual clock and agencies that never look, more than 30 days let what nobody
    fetches expire. Receiving and reporting go on until all is done, however long."""
    looks: Literal["every", "needed"] = "every"
    """With a real clock: every look into an inbox is played, or only those for which something was sent."""

    @property
    def whole(self) -> float:
        """Seconds of scenario time from the first moment to the last."""
        return self.duration + self.settle


class Group(Shape):
    """Agencies that behave alike. Which ones: ``codes``, ``directory``, or ``below`` and ``made``."""

    codes: tuple[Code, ...] = ()
    """Listed agencies by code."""
    directory: str = Field("", max_length=35)
    """Agencies of level 1 whose code begins so, open from the first day to the last, in the order of their codes."""
    take: int = Field(0, ge=0)
    """How many of ``directory``; 0: all."""
    below: tuple[Code, ...] = ()
    """Agencies below which invented ones are made, in turn."""
    made: int = Field(0, ge=0, le=100_000)
    """How many are made."""
    names: str = Field("Ủy ban nhân dân xã Mẫu {n}", min_length=1, max_length=150)
    """The names of those that are made; ``{n}`` is their number."""
    platform: bool = False
    """Those that are made have no system of their own: that of the agency above them speaks for them."""
    send: float = Field(1.0, ge=0)
    """How much each of them sends, beside the others."""
    receive: float = Field(1.0, ge=0)
    """How much each of them receives, beside the others."""
    poll: Span = 60.0
    """Time between two looks into the inbox."""
    hours: bool = False
    """They work from 7:30 to 17:00 on working days only."""
    slow: Span = 0.0
    """How long they take to keep what they fetched."""
    silent: Share = 0.0
    """Share of them that never look into their inbox."""
    dies: Share = 0.0
    """Share of deliveries they fetch and then forget, to begin again later."""
    wrong: Share = 0.0
    """Share of deliveries on which they report a status that no rule allows."""
    reads: Literal["packets", "outbox"] = "packets"
    """How they learn what became of their documents."""
    dialect: Literal["rest", "gateway"] = "rest"
    profile: Literal["required", "legacy"] = "required"
    """legacy: their packets may be unsigned."""

    @model_validator(mode="after")
    def _one_way(self) -> Group:
        if sum((bool(self.codes), bool(self.directory), bool(self.below))) != 1:
            raise ValueError("say one of: codes, directory, below")
        if bool(self.below) != bool(self.made):
            raise ValueError("below and made go together")
        if self.platform and not self.made:
            raise ValueError("platform needs below and made")
        return self


class Range(Shape):
    """A share of the documents, whose number (of recipients, of bytes) lies evenly between two bounds."""

    share: Share
    least: int = Field(ge=1)
    most: int = Field(ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.most < self.least:
            raise ValueError("most is not below least")
        return self


def _whole(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    if abs(sum(each.share for each in ranges) - 1) > 1e-6:
        raise ValueError("the shares must add up to 1")
    return ranges


Ranges = Annotated[tuple[Range, ...], AfterValidator(_whole)]


class Kinds(Shape):
    """Share of documents that act on an earlier one; the others are new."""

    update: Share = 0.0
    revocation: Share = 0.0
    replacement: Share = 0.0
    after: Span = 432_000.0
    """How long after the document they act on, at least. Longer than any recipient is away, or it may not have it."""

    @property
    def total(self) -> float:
        return self.update + self.revocation + self.replacement


class Documents(Shape):
    """What is sent."""

    count: int = Field(0, ge=0)
    """Documents that are right, kinds 1 to 3 included; what is wrong on purpose, or sent twice, comes on top."""
    rate: float = Field(0.0, ge=0)
    """Instead of count: documents a second."""
    deliveries: int = Field(0, ge=0)
    """Recipients of all those documents together, exactly; 0: as fan_out gives."""
    fan_out: Ranges = (Range(share=1.0, least=1, most=1),)
    """Recipients of one document."""
    sizes: Ranges = (Range(share=1.0, least=10_000, most=10_000),)
    """Bytes of one packet, about."""
    kinds: Kinds = Kinds()
    urgent: Share = 0.0
    forwarded: Share = 0.0
    """Share of documents that another agency issued, and which are sent on."""
    unsigned: Share = 0.0
    """Of the documents of agencies whose profile is legacy."""
    twice: Share = 0.0
    """Share of documents that are sent once more, byte for byte."""
    twice_after: Span = 60.0
    curve: Literal["even", "office-hours", "peak"] = "even"
    """When: evenly; working days with two peaks; swelling to the middle and falling again."""
    month_end: float = Field(1.0, ge=1)
    """The last working day of a month has so many times an ordinary day's documents (office-hours)."""
    growth: float = Field(1.0, gt=0)
    """How many times as many are sent at the end as at the start."""

    @model_validator(mode="after")
    def _possible(self) -> Documents:
        if bool(self.count) == bool(self.rate):
            raise ValueError("say one of: count, rate")
        if self.deliveries and self.deliveries < self.count:
            raise ValueError("deliveries is not below count: every document has a recipient")
        if self.kinds.total > 0.4:
            raise ValueError("kinds: at most 0.4 of the documents can act on another")
        return self


Reported = Literal["01", "02", "03", "04", "05", "06"]


class Replies(Shape):
    """What recipients report, and senders take back."""

    shares: Mapping[Reported, Share] = {"01": 1.0}
    """Share of deliveries on which each status is reported. 02 ends a delivery's reports; on a document that a later
    one may act on there is no other than 01."""
    after: Mapping[Reported, Span] = {}
    """About how long after the document was kept; 60 s where nothing is said."""
    never: Share = 0.0
    """Share of deliveries on which no status is ever reported."""
    take_back: Share = 0.0
    """Share of deliveries that the sender asks to take back (13)."""
    take_back_after: Span = 3600.0
    agree: Share = 0.8
    """Share of requests (13, kinds 1 to 3) that are agreed to (15); the others are refused (16)."""
    answer_after: Span = 7200.0
    """How long after a request its answer comes. Longer than any sender is away, where agencies keep hours."""


def _as_faults_are_named(field: str) -> str:
    return field if field.endswith("_seconds") else field.replace("_", "-")


class Network(Shape):
    """Share of requests that meet each fault on the way."""

    model_config = ConfigDict(alias_generator=_as_faults_are_named)

    cut_request: Share = 0.0
    cut_answer: Share = 0.0
    delay: Share = 0.0
    duplicate: Share = 0.0
    slow_upload: Share = 0.0
    reset: Share = 0.0
    wrong_length: Share = 0.0
    seconds: Span = 0.5
    """How long a delay lasts, and a slow upload takes."""

    @property
    def shares(self) -> dict[str, float]:
        """Those that occur, by their names."""
        return {name: share for name, share in self.model_dump(by_alias=True, exclude={"seconds"}).items() if share}


class ClockJump(Shape):
    at: Span
    by: Jump


class HubFaults(Shape):
    """Share of requests that meet each fault in the hub; and what befalls it at named moments."""

    model_config = ConfigDict(alias_generator=_as_faults_are_named)

    refuse: Share = 0.0
    delay: Share = 0.0
    delay_seconds: Short = 0.5
    lose_answer: Share = 0.0
    disk_full: Share = 0.0
    database_away: Share = 0.0
    clock_jump: Share = 0.0
    clock_jump_seconds: Short = 600.0
    """How far ahead of its time the hub's clock is at most, from one jump to the next."""
    kill: Share = 0.0
    kills: tuple[Span, ...] = ()
    """Moments of the scenario at which the hub is killed."""
    jumps: tuple[ClockJump, ...] = ()
    """Moments at which the hub's clock jumps, and how far."""

    @property
    def shares(self) -> dict[str, float]:
        """Those that occur, by their names."""
        apart = {"delay_seconds", "clock_jump_seconds", "kills", "jumps"}
        return {name: share for name, share in self.model_dump(by_alias=True, exclude=apart).items() if share}

    @property
    def lengths(self) -> dict[str, float]:
        """How long those of them take, or go, that have a length."""
        given = {"delay_seconds": self.delay, "clock_jump_seconds": self.clock_jump}
        return {name: getattr(self, name) for name, share in given.items() if share}


class Faults(Shape):
    network: Network = Network()
    hub: HubFaults = HubFaults()


class Judge(Shape):
    """Beyond which the verdict says: late."""

    answer_within: Span = 30.0
    """Real seconds."""
    deliver_within: Span = 0.0
    """Of scenario time, from the answer to the keeping; 0: does not matter."""


class Hub(Shape):
    """The hub that is played against."""

    settings: Mapping[str, str | int] = {}
    """Of the temporary hub, where none is named: further settings, by the names of its documentation without HUB_, in
    small letters."""
    old_axis: tuple[Literal["sender-is-always-vpcp", "limit-255", "duplicates-across-years"], ...] = ()
    """Failures of the axis of 2020 that the hub is to have; the verdict shows what they do to the documents."""


class Scenario(Shape):
    """A nation's agencies, what they send, how they behave, what goes wrong, and what is too late."""

    title: str = Field(min_length=1)
    seed: int = Field(1, ge=0, lt=2**63)
    """Another seed, another run; the same seed, the same."""
    clock: Clock
    documents: Documents
    agencies: Annotated[tuple[Group, ...], Field(min_length=1)]
    replies: Replies = Replies()
    defects: Mapping[str, Share] = {}
    """Documents that are wrong on purpose, or right and unusual: for each name the share of the count, on top of it."""
    faults: Faults = Faults()
    judge: Judge = Judge()
    hub: Hub = Hub()

    @model_validator(mode="after")
    def _fits(self) -> Scenario:
        if self.documents.curve == "office-hours" and self.clock.duration < 86_400:
            raise ValueError("documents.curve: office-hours needs a clock.duration of at least 1 day")
        if unknown := sorted(set(self.defects) - set(DEFECTS)):
            raise ValueError(f"defects: {', '.join(unknown)} unknown; there are: {', '.join(sorted(DEFECTS))}")
        return self

    def moment(self, at: float) -> datetime:
        """A moment of the scenario in calendar time, in the zone of its start."""
        return self.clock.start + timedelta(seconds=at)
