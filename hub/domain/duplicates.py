"""Is this packet new, a repeat or a conflict? The truth table of exchange rules 4, and nothing else.

What is known of earlier packets is looked up by the caller under the lock that orders all acceptances, so two
packets arriving at one moment meet here one after the other: the second finds the first.
A refused packet, or one that died before its commit, leaves no memory and cannot be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.domain import places
from hub.domain.document import Document, Kind, read_date
from hub.errors import Refusal


class Outcome(StrEnum):
    """What becomes of a packet."""

    NEW = "new"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class First:
    """The earlier document that was found."""

    id: str
    content_digest: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the sender's earlier documents have in common with this one."""

    identity: First | None = None  # same packet identity
    id_in_another_year: bool = False  # the DocumentId, in another year
    business: First | None = None  # same number, symbol, issuer and year under another DocumentId


@dataclass(frozen=True, slots=True)
class Decision:
    """``claims_number``: the document takes its number for the year. ``flags`` are kept with the document,
    ``warnings`` are rule codes for the answer."""

    outcome: Outcome
    first: str = ""
    claims_number: bool = False
    warnings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def decide(*, kind: Kind, digest: str, known: Known, own_number: bool, refuse_taken: bool = True) -> Decision:
    """The row of the table that fits.

    ``own_number``: the number comes from the sender's own series (issuer = sender, or TTg/CP sent by G22).
    ``refuse_taken=False`` flags a taken number instead of refusing it (a setting).
    Raises ``document-conflict``, ``number-taken``; both name the first document in ``extra["first"]``.
    """
    if known.identity is not None:
        # The identity of kinds 1-3 holds the digest, so for them this is always equal.
        if known.identity.content_digest == digest:
            return Decision(Outcome.REPEAT, known.identity.id)
        raise _conflict("document-conflict", places.HEADER["document_id"], known.identity)
    warnings = ("id-without-year",) if known.id_in_another_year else ()
    if kind is not Kind.NEW:
        return Decision(Outcome.NEW, warnings=warnings)
    if known.business is None:
        return Decision(Outcome.NEW, claims_number=own_number, warnings=warnings)
    if own_number and refuse_taken:
        raise _conflict("number-taken", places.CODE, known.business)
    return Decision(Outcome.NEW, warnings=warnings, flags=("duplicate-suspected",))


def _conflict(code: str, pointer: str, first: First) -> Refusal:
    return Refusal(code, pointer, facts={"first": first.id}, extra={"first": first.id})


@dataclass(frozen=True, slots=True)
class Target:
    """A document that a revocation, update or replacement names, and for whom (empty: all of To)."""

    document_id: str  # as written
    organ_ids: tuple[str, ...] = ()
    year: int | None = None
    pointer: str = ""


def targets(document: Document) -> tuple[tuple[Target, ...], ...]:
    """The documents a packet of kind 1–3 acts on, as alternatives: the first group with a document of the
    sender's own counts (exchange rules 4).

    A revocation's ResponseFor may also name the letter it answers, so what is another's there is a reference only.
    """
    header = (Target(document.document_id, year=document.year, pointer=places.HEADER["document_id"]),)
    match document.kind:
        case Kind.UPDATE:
            own = document.business.document_id
            return ((Target(own, pointer=places.BUSINESS["document_id"]),),) if own else (header,)
        case Kind.REPLACEMENT:
            return (
                tuple(
                    Target(replaced.document_id, replaced.organ_ids, pointer=places.replaced(i))
                    for i, replaced in enumerate(document.business.replaced)
                ),
            )
        case Kind.REVOCATION:
            named: dict[tuple[str, int | None], str] = {}
            for i, ref in enumerate(document.response_for):
                if ref.document_id:
                    named.setdefault(
                        (ref.document_id, _year(ref.promulgation_date)), places.reference(i, "document_id")
                    )
            return (tuple(Target(text, year=year, pointer=p) for (text, year), p in named.items()), header)
        case _:
            return ()


def _year(text: str) -> int | None:
    day = read_date(text)
    return day.year if day else None
