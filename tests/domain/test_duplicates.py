"""The truth table of exchange rules 4, and which documents a packet of kinds 1–3 names."""

from __future__ import annotations

from typing import Any

import pytest
from builders.packets import a_document

from hub.domain.document import Business, Document, DocumentRef, Kind, Replaced
from hub.domain.duplicates import Decision, First, Known, Outcome, Target, decide, targets
from hub.errors import Refusal

SAME, OTHER = "a" * 64, "b" * 64
FIRST = First("văn bản đầu", SAME)

DECISIONS = {
    "nothing is known": (Known(), True, Decision(Outcome.NEW, claims_number=True)),
    "nothing is known and the number is another's": (Known(), False, Decision(Outcome.NEW)),
    "the identity, equal": (Known(identity=FIRST), True, Decision(Outcome.REPEAT, FIRST.id)),
    "the identity and the number, equal": (
        Known(identity=FIRST, business=FIRST),
        True,
        Decision(Outcome.REPEAT, FIRST.id),
    ),
    "the id in another year": (
        Known(id_in_another_year=True),
        True,
        Decision(Outcome.NEW, claims_number=True, warnings=("id-without-year",)),
    ),
    "the number, forwarded": (
        Known(business=FIRST),
        False,
        Decision(Outcome.NEW, flags=("duplicate-suspected",)),
    ),
    "the id in another year and the number, forwarded": (
        Known(id_in_another_year=True, business=FIRST),
        False,
        Decision(Outcome.NEW, warnings=("id-without-year",), flags=("duplicate-suspected",)),
    ),
}


@pytest.mark.parametrize("name", list(DECISIONS))
def test_a_new_document_is_decided_by_what_is_known(name: str) -> None:
    known, own_number, decision = DECISIONS[name]
    assert decide(kind=Kind.NEW, digest=SAME, known=known, own_number=own_number) == decision


@pytest.mark.parametrize(
    ("known", "code", "pointer"),
    [
        (Known(identity=FIRST), "document-conflict", "MessageHeader/DocumentId"),
        (Known(business=FIRST), "number-taken", "MessageHeader/Code"),
    ],
)
def test_a_conflict_names_the_first_document(known: Known, code: str, pointer: str) -> None:
    with pytest.raises(Refusal, match=rf"^{code}") as refused:
        decide(kind=Kind.NEW, digest=OTHER, known=known, own_number=True)
    assert (refused.value.extra, refused.value.pointer) == ({"first": FIRST.id}, pointer)
    assert FIRST.id in refused.value.vi
    assert FIRST.id in refused.value.en


def test_a_conflict_of_content_comes_before_one_of_number() -> None:
    with pytest.raises(Refusal, match=r"^document-conflict"):
        decide(kind=Kind.NEW, digest=OTHER, known=Known(identity=FIRST, business=FIRST), own_number=True)


def test_a_taken_number_is_flagged_instead_where_the_setting_says_so_and_not_claimed_again() -> None:
    decision = decide(kind=Kind.NEW, digest=OTHER, known=Known(business=FIRST), own_number=True, refuse_taken=False)
    assert decision == Decision(Outcome.NEW, flags=("duplicate-suspected",))


@pytest.mark.parametrize("kind", [Kind.REVOCATION, Kind.UPDATE, Kind.REPLACEMENT])
@pytest.mark.parametrize("own_number", [False, True])
def test_packets_that_act_on_others_neither_claim_a_number_nor_meet_one(kind: Kind, own_number: bool) -> None:
    known = Known(business=FIRST, id_in_another_year=True)
    decision = decide(kind=kind, digest=OTHER, known=known, own_number=own_number)
    assert decision == Decision(Outcome.NEW, warnings=("id-without-year",))


# Targets.


def acting(kind: str, *, response_for: tuple[DocumentRef, ...] = (), **business: Any) -> Document:
    said = Business(type=kind, **business)
    return a_document(business=said, response_for=response_for, document_id="riêng", promulgation_date="2025/01/02")


REPLACED = "TraceHeaderList/Bussiness/ReplacementInfoList/ReplacementInfo"
HEADER = (Target("riêng", year=2025, pointer="MessageHeader/DocumentId"),)


def test_a_new_document_names_no_target() -> None:
    assert targets(acting("0", document_id="khác", replaced=(Replaced("khác"),))) == ()


def test_an_update_names_its_own_target_or_else_the_id_in_its_header() -> None:
    assert targets(acting("2", document_id="khác")) == (
        (Target("khác", pointer="TraceHeaderList/Bussiness/DocumentId"),),
    )
    assert targets(acting("2")) == (HEADER,)


def test_a_replacement_names_each_document_with_its_agencies() -> None:
    replaced = (Replaced("một", ("H41", "H27")), Replaced("hai"))
    assert targets(acting("3", replaced=replaced)) == (
        (
            Target("một", ("H41", "H27"), pointer=f"{REPLACED}[1]/DocumentId"),
            Target("hai", pointer=f"{REPLACED}[2]/DocumentId"),
        ),
    )


def test_a_revocation_names_each_document_it_refers_to_once_and_else_the_id_in_its_header() -> None:
    refs = (
        DocumentRef("H27", "1/VP", "một", "2024/12/31"),
        DocumentRef(code="2/VP"),
        DocumentRef(document_id="hai"),
        DocumentRef(document_id="một", promulgation_date="2024/01/01"),
    )
    own, header = targets(acting("1", response_for=refs))
    assert [(target.document_id, target.year, target.pointer) for target in own] == [
        ("một", 2024, "MessageHeader/ResponseFor[1]/DocumentId"),  # its first mention
        ("hai", None, "MessageHeader/ResponseFor[3]/DocumentId"),
    ]
    assert header == HEADER


def test_a_revocation_of_one_id_in_two_years_names_both() -> None:
    refs = tuple(DocumentRef(document_id="một", promulgation_date=day) for day in ("2024/12/31", "2025/01/02"))
    own, _ = targets(acting("1", response_for=refs))
    assert [(target.year, target.pointer) for target in own] == [
        (2024, "MessageHeader/ResponseFor[1]/DocumentId"),
        (2025, "MessageHeader/ResponseFor[2]/DocumentId"),
    ]
