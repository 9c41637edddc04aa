"""What timestamps in an evidence file prove, and that nothing else passes for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders.authority import DAY, crl
from builders.evidence import AT, DOCUMENT, Hub, evidence_of, some_evidence, told
from builders.stamping import Tsa, a_tsa
from builders.trees import subtrees
from cryptography import x509
from cryptography.x509 import ReasonFlags

from clients.evidence import Evidence, Verification, packed, verify
from clients.evidence.container import pack
from clients.evidence.file import Timestamp, manifest, parts_of
from hub.domain.merkle import consistency_proof
from hub.domain.timestamp import answered, question
from hub.domain.trust import Result, Step

LATER = AT + timedelta(hours=1)
TSA = a_tsa(AT)
HUB = Hub()
BARE = evidence_of(HUB, told())
FIRST, LAST = BARE.entries[0].index, BARE.entries[-1].index


def stamped(size: int, tsa: Tsa = TSA, hub: Hub = HUB, of: int = 0, **changes: Any) -> Timestamp:
    """A checkpoint of this size, stamped; the proof leads to the present tree, or to that ``of`` a size."""
    note = hub.checkpoint(size)
    asked = question(note)
    token = answered(asked, tsa.answer(asked.octets, LATER), note, [tsa.root.certificate]).token
    proof = tuple(consistency_proof(size, of or len(hub.entries), subtrees(hub.entries)))
    return replace(Timestamp(size, note, token, proof), **changes)


ONE = replace(BARE, timestamps=(stamped(LAST + 1),))


def found(evidence: Evidence, roots: list[x509.Certificate] | None = None) -> Verification:
    own = [TSA.root.certificate] if roots is None else roots
    return verify(packed(evidence), evidence.keys, own)


def last(evidence: Evidence, roots: list[x509.Certificate] | None = None) -> Step:
    verification = found(evidence, roots)
    assert [step.number for step in verification.steps if step.result is Result.FAILED] in ([], [13])
    step = verification.steps[-1]
    assert step.number == 13
    return step


def with_revocation(evidence: Evidence, tsa: Tsa = TSA, **revoked: Any) -> Evidence:
    lists = {"revocation/1.crl": crl(tsa.intermediate, LATER, **revoked), "revocation/2.crl": crl(tsa.root, LATER)}
    return replace(evidence, revocation=lists)


def test_a_timestamp_tells_by_when_the_receipts_were_in_the_log() -> None:
    step = last(with_revocation(ONE))
    assert step.result is Result.PASSED
    assert "5 receipts by 02/01/2025 10:00:00 +0700, says «TSA thử nghiệm»" in step.en
    assert "5 biên nhận có trước 02/01/2025 10:00:00 +0700" in step.vi
    assert "RFC 3161" in step.clause


def test_each_receipt_has_the_earliest_timestamp_over_it_and_what_has_none_is_told() -> None:
    two = replace(BARE, timestamps=(stamped(FIRST + 1), stamped(FIRST + 3)))
    step = last(with_revocation(two))
    assert step.result is Result.PASSED
    assert [part.split()[0] for part in step.en.split("; ")] == ["1", "2", "2"]
    assert "2 receipts without a timestamp yet" in step.en


def test_the_file_s_own_checkpoint_may_be_the_one_that_was_stamped() -> None:
    size = len(HUB.entries)
    same = stamped(size)
    assert same.proof == ()
    assert last(with_revocation(replace(BARE, timestamps=(same,)))).result is Result.PASSED


def test_revocation_that_is_not_in_the_file_is_left_to_the_reader() -> None:
    step = last(ONE)
    assert step.result is Result.UNTOLD
    assert "no usable CRL or OCSP answer about «TSA thử nghiệm»" in step.en
    serial = TSA.holder.certificate.serial_number
    revoked = with_revocation(ONE, revoked={serial: (AT - DAY, ReasonFlags.key_compromise)})
    assert last(revoked).result is Result.FAILED


def test_without_a_root_from_outside_a_timestamp_is_right_by_the_file_s_own_word() -> None:
    step = last(with_revocation(ONE), [])
    assert step.result is Result.UNTOLD
    assert "by the file's own word" in step.en
    assert "theo lời của chính tệp này" in step.vi
    assert last(ONE, [a_tsa(AT).root.certificate]).result is Result.FAILED


def test_a_file_without_timestamps_has_no_such_step_unless_somebody_asks_for_it() -> None:
    assert [step.number for step in found(BARE, []).steps] == list(range(1, 13))
    step = last(BARE)
    assert (step.result, "only the hub says when" in step.en) == (Result.UNTOLD, True)


STRANGE = Hub(origin=HUB.origin, entries=[*HUB.entries])  # another key under the same name
FORKED = replace(HUB, entries=[bytes(32), *HUB.entries[1:]])

WRONG: dict[str, Callable[[], Timestamp]] = {
    "of another checkpoint": lambda: stamped(LAST + 1, checkpoint=HUB.checkpoint(LAST + 2)),
    "over another checkpoint": lambda: stamped(LAST + 1, token=stamped(LAST + 2).token),
    "under another size": lambda: replace(stamped(LAST + 1), size=LAST + 2),
    "of another tree": lambda: stamped(LAST + 1, hub=FORKED),
    "signed by another log": lambda: stamped(LAST + 1, hub=STRANGE),
    "with another proof": lambda: stamped(LAST + 1, of=len(HUB.entries) - 1),
    "with a proof cut short": lambda: stamped(LAST + 1, proof=stamped(LAST + 1).proof[:-1]),
    "by another authority": lambda: stamped(LAST + 1, a_tsa(AT)),
    "without a token": lambda: stamped(LAST + 1, token=b""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_timestamp_that_is_not_of_this_log_or_not_by_who_counts_is_found(case: str) -> None:
    assert last(replace(BARE, timestamps=(WRONG[case](),))).result is Result.FAILED


def test_a_timestamp_on_a_tree_later_than_the_file_s_is_found() -> None:
    hub = Hub()
    evidence = evidence_of(hub, told())
    hub.fill(3)
    later = stamped(len(hub.entries), hub=hub)
    assert last(replace(evidence, timestamps=(later,))).result is Result.FAILED


def test_a_part_of_a_timestamp_that_is_missing_or_strange_is_told() -> None:
    parts = parts_of(ONE)
    name = f"timestamps/{LAST + 1}"
    for changed in (
        {key: part for key, part in parts.items() if key != f"{name}.json"},
        {key: part for key, part in parts.items() if key != f"{name}.token"},
        parts | {f"{name}.json": b'["00"]'},
        parts | {f"{name}.json": b'{"a":1}'},
        parts | {f"{name}.json": b"["},
    ):
        octets = pack(changed | {"manifest.json": manifest(DOCUMENT, changed)})
        assert [step.number for step in verify(octets).steps if step.result is Result.FAILED] == [2]


# Of a changed certificate the library may warn.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("ending", ["checkpoint", "json", "token"])
def test_a_changed_byte_of_a_timestamp_is_caught_though_the_manifest_was_set_right(ending: str) -> None:
    small = evidence_of(hub := Hub(), told(), before=1, after=2)
    parts = parts_of(replace(small, timestamps=(stamped(5, hub=hub),)))
    name = f"timestamps/5.{ending}"
    part, missed = parts[name], []
    for at in range(0, len(part), 3 if ending == "token" else 1):  # tests/test_timestamp.py tries each
        changed = parts | {name: part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]}
        octets = pack(changed | {"manifest.json": manifest(DOCUMENT, changed)})
        for roots in ([TSA.root.certificate], []):
            if verify(octets, small.keys, roots).holds:
                missed.append((at, len(roots)))
    assert missed == []


def test_evidence_with_timestamps_comes_back_as_it_was() -> None:
    from clients.evidence.container import unpack
    from clients.evidence.file import read

    two = replace(some_evidence(), timestamps=(stamped(9), stamped(12)))
    assert read(unpack(packed(two))) == two
