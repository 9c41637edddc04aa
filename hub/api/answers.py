"""The shapes of every answer, for the description at ``/openapi.json``. Answers are made in ``shapes``; the tests hold
each of them against these.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from hub.api.problems import HEX_ID
from hub.domain.delivery import Ask, Effect, Overall, Status, Transport
from hub.domain.signature import Standing
from hub.errors import Severity

Id = Annotated[str, Field(pattern=HEX_ID, description="24 lower-case hex digits")]
Code = Annotated[str, Field(description="Agency code")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hex")]
Moment = Annotated[datetime, Field(description="RFC 3339, in Vietnam's zone")]
Cursor = Annotated[str | None, Field(description="`after` of the next question")]
ReportCode = Literal["01", "02", "03", "04", "05", "06", "13", "15", "16"]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Message(Shape):
    """What is wrong, for a person."""

    vi: str
    en: str


class Violation(Shape):
    """One thing wrong at one place."""

    rule: str = Field(description="Code of the rule; docs/refusals.md lists all")
    severity: Severity = Field(description="A warning refuses nothing")
    pointer: str = Field(description="Where, in the packet's or request's own names")
    value: str = Field(description="What stood there, shortened")
    message: Message
    repair: str = Field(description="The value to use instead, or what to do")


class Problem(Shape):
    """A refusal (RFC 9457)."""

    type: str = Field(description="`urn:lienthong:problem:` and the code")
    title: str = Field(description="What is wrong, in English")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What is wrong, in Vietnamese")
    code: str = Field(description="Stable; docs/refusals.md lists all")
    violations: list[Violation] = Field(description="Everything that is wrong, not only the first")
    warnings: list[Violation] = Field([], description="What would have been told beside an acceptance")
    first: str = Field("", description="The document that a duplicate or conflict is with")


class Signature(Shape):
    """What the hub found of a packet's signature."""

    standing: Standing
    signer: str = Field(description="Agency code of the certificate; empty when unsigned")


class Delivery(Shape):
    """One recipient of a document."""

    id: Id
    to: Code = Field(description="As the packet has it")
    state: Transport


class _Taken(Shape):
    id: Id
    document_id: str = Field(description="DocumentId, canonical")
    sha256: Digest = Field(description="Of the packet")
    accepted_at: Moment
    issuer: Code
    issuer_basis: Literal["symbol-TTg", "symbol-CP", "in-charge", "from"] = Field(description="What says so")
    signature: Signature
    warnings: list[Violation]


Receipt = Annotated[str, Field(description="JWS (RFC 7515, ES256); its keys: `/.well-known/jwks.json`")]


class Accepted(_Taken):
    """A document the hub has taken."""

    deliveries: list[Delivery]
    receipt: Receipt | None = Field(description="Of the first acceptance; none only of one before there were receipts")
    added_receipts: list[Receipt] = Field(description="Of what later repeats added")


class Request(Shape):
    """What the sender asked of a recipient later on."""

    ask: Ask
    outcome: Literal["open", "agreed", "refused", "moot"]
    opened_at: Moment
    closed_at: Moment | None


class Event(Shape):
    """An attempt, or a change of either state."""

    at: Moment
    what: str = Field(description="A move of transport, or fetch, attempt, moved, extend, status")
    state: Transport
    status: Status
    detail: str


class DeliveryStory(Delivery):
    """One recipient of a document, with what became of it."""

    status: Status = Field(description="The recipient's last report, or how a request ended it")
    fetched_at: Moment | None
    reason: str = Field(description="Why it failed")
    expires_at: Moment
    requests: list[Request]
    history: list[Event]


class Link(Shape):
    """A packet of kind 1–3 and what it acts on."""

    document: Id
    target: Id


class DocumentStory(_Taken):
    """A document and its recipients' states; to a recipient only its own part."""

    deliveries: list[DeliveryStory]
    state: Overall
    links: list[Link]


class Validation(Shape):
    """What sending the packet now would answer."""

    valid: bool
    code: str = Field(description="Of the refusal; empty when valid")
    violations: list[Violation]
    warnings: list[Violation]


class Reach(Shape):
    """What a report did to one recipient's delivery."""

    id: Id
    to: Code
    effect: Effect
    state: Transport
    status: Status


class Reported(Shape):
    """A status packet the hub has taken."""

    id: Id
    document: Id
    status: ReportCode
    accepted_at: Moment
    delivery: Id | None = Field(description="That carries it to the other party; none if only recorded")
    warnings: list[Violation]
    deliveries: list[Reach]
    receipt: Receipt | None


class About(Shape):
    """The document a waiting packet is or tells of."""

    id: Id
    document_id: str
    kind: Literal["new", "revocation", "update", "replacement"]
    number: str
    symbol: str
    year: int
    sender: Code
    issuer: Code
    type_name: str
    subject: str
    promulgation_date: date
    due_date: date | None


class Said(Shape):
    """What a status packet says."""

    code: ReportCode
    from_: Code = Field(alias="from")
    description: str
    stated_at: Moment


class _Item(Shape):
    id: Id = Field(description="Of the delivery")
    to: Code
    state: Transport
    urgent: bool
    sha256: Digest
    size: int = Field(description="Bytes")
    available_at: Moment
    expires_at: Moment
    document: About
    signature: Signature


class DocumentItem(_Item):
    """A document for this system."""

    type: Literal["document"]


class StatusItem(_Item):
    """A status packet about a document, for the other party."""

    type: Literal["status"]
    status: Said


class InboxItem(RootModel[Annotated[DocumentItem | StatusItem, Field(discriminator="type")]]):
    """A packet for this system."""


class Inbox(Shape):
    """Waiting packets, oldest first."""

    items: list[InboxItem]
    next: Cursor


class OfDocument(Shape):
    """Which document."""

    id: Id
    document_id: str


class OutboxItem(Shape):
    """One thing that happened to a document this system sent."""

    what: Literal["waiting", "delivered", "failed", "expired", "withdrawn", "status"]
    status: Status
    detail: str
    at: Moment
    delivery: Id
    to: Code
    document: OfDocument
    report: Id | None


class Outbox(Shape):
    """What happened, oldest first."""

    items: list[OutboxItem]
    next: Cursor


class Lease(Shape):
    """The delivery is this process's until then."""

    id: Id
    document: Id
    lease: str
    until: Moment


class _Stands(Shape):
    id: Id
    document: Id
    state: Transport


class Done(_Stands):
    """The delivery as it stands now."""

    receipt: Receipt | None


class Failed(_Stands):
    """The delivery as it stands now: still waiting, or failed."""

    attempts: int = Field(description="The fifth before the first fetch fails the delivery")


class Agency(Shape):
    """A row of the directory."""

    code: Code
    name: str
    level: int
    parent: Code = Field(description="Empty at level 1")
    connected: bool = Field(description="A system stands for it, its own or one above")
    closed_on: date | None
    successor: Code = Field(description="Empty without one")
    uncertain: bool = Field(description="The row awaits a check")


class Agencies(Shape):
    """The directory, by code."""

    items: list[Agency]
    next: Cursor


class Certificate(Shape):
    """A certificate that counts or counted."""

    owner: Code
    fingerprint: Digest
    subject: str
    serial: str = Field(description="Hex")
    from_: Moment = Field(alias="from")
    until: Moment
    pem: str


class Certificates(Shape):
    """Whoever may have signed for an agency, oldest first."""

    items: list[Certificate]
    next: Cursor


class Registered(Shape):
    """The certificate counts from now on."""

    agency: Code
    fingerprint: Digest
    serial: str = Field(description="Hex")


class Alive(Shape):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """Beside the whole each part by its name: `ok`, or what keeps it."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)

    status: Literal["ok", "unavailable"]
