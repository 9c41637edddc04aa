"""What each step finds: what was exchanged, left out or made by somebody else."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from builders.evidence import (
    AT,
    DOCUMENT,
    Hub,
    Told,
    evidence_of,
    failed,
    found,
    some_evidence,
    told,
    untold,
)
from builders.packets import PDF, a_document, an_attachment, frame
from joserfc import jws
from joserfc.jwk import ECKey

from clients.evidence import Evidence, EvidenceError, Keys, pinned_keys
from clients.evidence.keys import jwk_of
from hub.domain import edxml
from hub.domain.checkpoint import Checkpoint, SigningKey, sign
from hub.domain.receipt import TYPE
from hub.domain.trust import Result

OTHER = "68dc8b208edc1e65bd9734c6"
HUB = Hub()
FIRST = evidence_of(HUB, told())
SECOND = evidence_of(HUB, told(OTHER, "16"), OTHER)


def changed(number: int, **members: Any) -> Evidence:
    """A hub that states something else in its n-th statement."""
    story = told()
    statements = list(story.statements)
    kind, said = statements[number]
    statements[number] = kind, said | members
    return evidence_of(Hub(), replace(story, statements=tuple(statements)))


def test_what_is_right_passes_every_step() -> None:
    for evidence in (FIRST, SECOND, some_evidence(attachments=(an_attachment("Phụ lục.pdf", PDF),))):
        verification = found(evidence, evidence.keys)
        assert verification.holds
        assert [step.number for step in verification.steps] == list(range(1, 13))
        assert failed(evidence, evidence.keys) == []
        assert untold(evidence, evidence.keys) == [12]  # no root is in the file
    assert found(FIRST).document == DOCUMENT


def test_a_log_of_one_document_alone_passes() -> None:
    assert failed(evidence_of(Hub(), told(), before=0, after=0)) == []


# Exchanged between two documents of one hub.


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("document", [10]),
        ("packet", [7, 8, 11]),
        ("entries", [6, 7, 8, 10, 11]),
        ("checkpoint", [6]),
        ("acknowledgements", [11]),
    ],
)
def test_a_part_of_another_document_is_found(name: str, steps: list[int]) -> None:
    assert failed(replace(FIRST, **{name: getattr(SECOND, name)})) == steps


def test_a_receipt_of_another_document_s_is_found() -> None:
    later = evidence_of(HUB, told(), before=0, after=0)
    mixed = tuple(sorted((*later.entries, HUB.proved([_stated(SECOND, 2)])[0]), key=lambda entry: entry.index))
    assert failed(replace(later, entries=mixed)) == [10]


def _stated(evidence: Evidence, number: int) -> tuple[str, int, str]:
    entry = evidence.entries[number]
    return entry.kind, entry.index, entry.receipt


# Receipts, their places and the checkpoint.


def test_a_receipt_of_another_hub_is_found_with_and_without_its_key() -> None:
    strange = evidence_of(Hub(origin="truc.example.com/so"), told())
    mixed = replace(FIRST, entries=(*FIRST.entries[:4], replace(strange.entries[4], index=FIRST.entries[4].index)))
    assert failed(mixed) == [4, 6, 11]
    both = Keys((*FIRST.keys.receipts, *strange.keys.receipts), FIRST.keys.log)
    assert 5 in failed(replace(mixed, keys=both))
    assert failed(replace(mixed, keys=both), FIRST.keys)[:1] == [3]


def test_a_proof_for_another_index_is_found() -> None:
    first, second, *rest = FIRST.entries
    moved = replace(first, index=first.index - 1), second, *rest
    assert failed(replace(FIRST, entries=moved)) == [6]
    exchanged = replace(first, proof=second.proof), second, *rest
    assert failed(replace(FIRST, entries=exchanged)) == [6]
    assert failed(replace(FIRST, entries=(replace(first, proof=first.proof[:-1]), second, *rest))) == [6]


def test_an_older_checkpoint_that_does_not_hold_the_entries_is_found() -> None:
    hub = Hub()
    evidence = evidence_of(hub, told())
    assert failed(replace(evidence, checkpoint=hub.checkpoint(evidence.entries[0].index))) == [6]
    assert failed(replace(evidence, checkpoint=hub.checkpoint(evidence.entries[-1].index))) == [6]


def test_a_checkpoint_of_a_log_with_another_name_or_by_another_key_is_found() -> None:
    hub = Hub()
    evidence = evidence_of(hub, told())
    renamed = replace(hub, origin="truc.example.vn/khac")
    assert failed(replace(evidence, checkpoint=renamed.checkpoint())) == [5, 6]
    log = (*evidence.keys.log, *renamed.keys.log)
    assert failed(replace(evidence, checkpoint=renamed.checkpoint(), keys=replace(evidence.keys, log=log))) == [5, 6]
    assert failed(replace(evidence, checkpoint=Hub(entries=hub.entries).checkpoint())) == [5, 6]


def test_a_witness_s_key_does_not_make_a_tree_the_log_s() -> None:
    """Who watches a log signs its checkpoints too, under a name of its own: alone it could show a tree of its own."""
    hub = Hub()
    evidence = evidence_of(hub, told())
    witness = SigningKey("nhan-chung.example.vn", hub.log)
    note = sign(Checkpoint(hub.origin, len(hub.entries), hub.root), [witness])
    assert failed(replace(evidence, checkpoint=note, keys=replace(evidence.keys, log=(witness.verifier,)))) == [5, 6]
    both = sign(Checkpoint(hub.origin, len(hub.entries), hub.root), [witness, hub.signer])
    assert failed(replace(evidence, checkpoint=both)) == []


def test_without_the_acceptance_there_is_no_evidence() -> None:
    assert failed(replace(FIRST, entries=FIRST.entries[1:])) == [7, 8, 10]
    assert 4 in failed(replace(FIRST, entries=()))


def test_a_receipt_under_another_kind_s_name_is_found() -> None:
    entries = (FIRST.entries[0], replace(FIRST.entries[1], kind="status"), *FIRST.entries[2:])
    assert 4 in failed(replace(FIRST, entries=entries))


def test_brackets_in_thousands_under_a_signature_are_told_in_words() -> None:
    """Signed by the key beside it, so that the reading of JSON is what must hold."""
    key = HUB.receipts
    deep = jws.serialize_compact(
        {"alg": "ES256", "kid": key.kid, "typ": TYPE}, "[" * 100_000, key, algorithms=["ES256"]
    )
    head = urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
    for receipt in (deep, f"{head}.e30.AAAA", "", "..", "a.b.c"):
        entries = (replace(FIRST.entries[0], receipt=receipt), *FIRST.entries[1:])
        assert 4 in failed(replace(FIRST, entries=entries))


# What the hub states, against what the packet says: a hub that errs or lies is found out.


@pytest.mark.parametrize(
    ("number", "members", "steps"),
    [
        (0, {"sender": "G12"}, [8, 10]),
        (0, {"issuer": "TTg"}, []),
        (0, {"document_id": "G22,2025/01/02,17/VPCP-TTĐT"}, [8]),
        (0, {"recipients": ["H41"]}, [8, 10]),
        (0, {"recipients": ["H41", "H27", "H36"]}, [8]),
        (0, {"recipients": []}, [8, 10]),
        (0, {"sha256": "0" * 64}, [7, 8]),
        (0, {"document": OTHER}, [10]),
        (0, {"at": "2025-01-02T09:00:00"}, [4, 6, 7, 8, 10]),
        (0, {"at": "0001-01-01T00:00:00+14:00"}, [4, 6, 7, 8, 10]),
        (0, {"recipients": "H41"}, [4, 6, 7, 8, 10]),
        (1, {"recipient": "H36"}, [10]),
        (1, {"document": OTHER}, [10]),
        (1, {"kind": "status"}, [4, 6]),
        (3, {"sender": "H36"}, [10, 11]),
        (3, {"sender": "H27"}, [11]),
        (3, {"addressee": "H27"}, [10]),
        (3, {"status": "02"}, [11]),
        (3, {"sha256": "0" * 64}, [11]),
        (3, {"report": "f" * 24}, [11]),
        (3, {"document": OTHER}, [10]),
    ],
)
def test_what_the_hub_states_otherwise_is_found(number: int, members: dict[str, Any], steps: list[int]) -> None:
    evidence = changed(number, **members)
    assert failed(evidence) == steps
    if not steps:  # the superior body may be the issuer; only the hub's directory tells
        assert 8 in untold(evidence)


def test_an_issuer_that_nothing_in_the_packet_leads_to_is_found() -> None:
    """A symbol of the Prime Minister's makes him the issuer, whatever the hub states."""
    story = told(symbol="VPCP-TTg")
    assert failed(evidence_of(Hub(), story)) == [8]
    (kind, said), *rest = story.statements
    assert failed(evidence_of(Hub(), replace(story, statements=((kind, said | {"issuer": "TTg"}), *rest)))) == []


def test_recipients_added_later_have_an_acceptance_of_their_own() -> None:
    story = told()
    first, *rest = story.statements
    added = ("accept", first[1] | {"sha256": "1" * 64, "recipients": ["H36"]})
    evidence = evidence_of(Hub(), replace(story, statements=(first, *rest, added)))
    assert failed(evidence) == []
    assert "the packet sent on to H36 is not in the file" in found(evidence).steps[6].en
    own = ("accept", first[1] | {"recipients": ["H27"]})
    before = ("accept", first[1] | {"sha256": "1" * 64, "recipients": ["H41"]})
    assert failed(evidence_of(Hub(), replace(story, statements=(before, own, *rest[1:2])))) == [11]


def test_a_hand_over_of_a_status_packet_belongs_to_its_addressee() -> None:
    story = told()
    about = dict(story.statements[3][1])
    handed = {
        "delivery": "a" * 24,
        "document": DOCUMENT,
        "system": "x",
        "sha256": about["sha256"],
        "at": AT.isoformat(),
    }
    right = ("handover", handed | {"recipient": "G22"})
    wrong = ("handover", handed | {"recipient": "H27"})
    unknown = ("handover", handed | {"recipient": "H27", "sha256": "5" * 64})
    for more, failures in ((right, []), (wrong, [10]), (unknown, [])):
        evidence = evidence_of(Hub(), replace(story, statements=(*story.statements, more)))
        assert failed(evidence) == failures
        assert (10 in untold(evidence)) is (more is unknown)


# Packets.


def test_a_packet_without_a_signature_is_told() -> None:
    evidence = _of(edxml.write_document(_letter()))
    assert (failed(evidence), 9 in untold(evidence)) == ([], True)


@pytest.mark.parametrize("packet", [b"no XML", frame(), edxml.write_document(a_document(subject="x" * 2000))])
def test_a_packet_that_the_hub_should_not_have_taken_is_found(packet: bytes) -> None:
    assert 8 in failed(_of(packet))


def test_a_packet_changed_before_the_hub_stated_its_digest_is_found() -> None:
    changed = FIRST.packet.replace("liên thông".encode(), b"lien thong")
    assert changed != FIRST.packet
    assert failed(_of(changed)) == [9]


def _letter() -> Any:
    return edxml.read_document(edxml.parse(FIRST.packet))


def _of(packet: bytes) -> Evidence:
    """A hub that took this packet, whatever it is, with nothing else."""
    kind, said = told().statements[0]
    return evidence_of(Hub(), Told(packet, ((kind, said | {"sha256": sha256(packet).hexdigest()}),), {}))


def test_the_acknowledgement_of_another_is_found() -> None:
    first, second = FIRST.acknowledgements
    exchanged = {first: FIRST.acknowledgements[second], second: FIRST.acknowledgements[first]}
    assert failed(replace(FIRST, acknowledgements=exchanged)) == [11]


def test_an_acknowledgement_of_another_document_is_found_though_its_receipt_has_its_digest() -> None:
    other = told(OTHER, "16")
    (_, octets), *_ = other.reports.items()
    story = told()
    *some, (kind, said) = story.statements
    report = said["report"]
    statements = (*some, (kind, said | {"sha256": sha256(octets).hexdigest(), "status": "03"}))
    evidence = evidence_of(Hub(), Told(story.packet, statements, {report: octets}))
    assert "answers another document" in found(evidence).steps[10].en
    assert failed(evidence) == [11]


# Keys.


def test_an_attacker_s_own_keys_pass_only_where_no_keys_are_pinned_and_are_told() -> None:
    """He signs everything anew, the packet too: nothing within the file contradicts him."""
    story = told(subject="Về việc khác")
    forged = evidence_of(Hub(), story)
    verification = found(forged)
    assert verification.holds
    assert verification.steps[2].result is Result.UNTOLD
    assert "the keys are the file's own" in verification.steps[2].en
    assert all(print_ in verification.steps[2].en for print_ in forged.keys.thumbprints)
    assert failed(forged, FIRST.keys) == [3]
    assert failed(forged, Keys((), ())) == [3]
    half = Keys(forged.keys.receipts, FIRST.keys.log)
    assert failed(forged, half) == [3]


def test_keys_are_pinned_by_the_files_a_hub_gives() -> None:
    jwk = {**FIRST.keys.receipts[0], "alg": "ES256", "use": "sig"}
    jwks = b'{"keys": [%s]}' % str(jwk).replace("'", '"').encode()
    lines = f"{FIRST.keys.log[0].text}\n".encode()
    older = Hub()
    assert failed(FIRST, pinned_keys([jwks, lines])) == []
    assert failed(FIRST, pinned_keys([FIRST.keys.octets])) == []
    assert failed(FIRST, pinned_keys([older.keys.octets, jwks, lines])) == []
    assert failed(FIRST, pinned_keys([jwks])) == [3]
    assert failed(FIRST, pinned_keys([lines])) == [3]


@pytest.mark.parametrize(
    "octets", [b"\xff", b"{", b"[1]", b'{"keys": 1}', b'{"keys": [{}]}', b"a+b+c", b"{" * 10**5, b'{"log": [1]}',
               b"-----BEGIN CERTIFICATE-----\n"],
)  # fmt: skip
def test_keys_that_are_none_are_told_in_words(octets: bytes) -> None:
    with pytest.raises(EvidenceError):
        pinned_keys([octets])


def test_a_point_that_is_not_on_the_curve_is_no_key() -> None:
    key = dict(FIRST.keys.receipts[0])
    with pytest.raises(EvidenceError):
        jwk_of(key | {"y": key["x"]})
    with pytest.raises(EvidenceError):
        jwk_of(ECKey.generate_key("P-384", auto_kid=True).as_dict(private=False))


@pytest.mark.parametrize("codes", [["H41", None], [None], "H41"])
def test_an_acceptance_whose_recipients_are_no_codes_is_a_fault_of_its_step(codes: object) -> None:
    """It once stopped the command with a TypeError."""
    story = told()
    (kind, said), *others = story.statements
    made = evidence_of(Hub(), Told(story.packet, ((kind, said | {"recipients": codes}), *others), story.reports))
    assert 4 in failed(made)
    assert "it states no accept" in found(made).steps[3].en
