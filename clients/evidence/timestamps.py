"""By when the receipts stood in the log, as timestamping authorities say, who are neither the hub nor a party."""

from __future__ import annotations

from collections.abc import Collection

from cryptography import x509

from clients.evidence.file import Evidence, Timestamp
from clients.evidence.grounds import materials
from clients.evidence.noted import Noted, Told, few
from hub.domain import checkpoint, merkle
from hub.domain.checkpoint import Checkpoint, CheckpointError
from hub.domain.signature import fingerprint
from hub.domain.timestamp import Stamp, TimestampError, roots_in, verify
from hub.domain.trust import Step
from hub.domain.trust.certificates import dated, shown


def timestamps_step(evidence: Evidence, head: Checkpoint | None, trusted: Collection[x509.Certificate]) -> Step:
    """Step 13. ``trusted``: the roots of timestamps that count; without any, the file's own do and are told."""
    noted, told = Noted(), list[Told]()
    if not evidence.timestamps:
        noted.open("lúc nào, chỉ có trục nói", "only the hub says when")
    proven = 0
    for one in evidence.timestamps:
        vi, en = f"dấu thời gian ở cỡ {one.size}", f"the timestamp at size {one.size}"
        try:
            _check_tree(evidence, one, head)
            stamp = _stamp(noted, evidence, one, trusted)
        except (CheckpointError, merkle.ProofError) as fault:
            noted.wrong(f"{vi}: điểm chốt không đúng ({fault})", f"{en}: its checkpoint is not right ({fault})")
        except TimestampError as fault:
            noted.wrong(f"{vi}: {fault.vi}", f"{en}: {fault.en}")
        else:
            count = sum(proven <= entry.index < one.size for entry in evidence.entries)
            proven = one.size
            when = dated(stamp.at)
            by = stamp.by
            told.append((f"{count} biên nhận có trước {when}, theo {by}", f"{count} receipts by {when}, says {by}"))
    told = few(told)
    late = sum(entry.index >= proven for entry in evidence.entries)
    if late and evidence.timestamps:
        told.append((f"{late} biên nhận chưa có dấu thời gian", f"{late} receipts without a timestamp yet"))
    none = [("không có dấu thời gian nào", "there is no timestamp")]
    return noted.step(13, *("; ".join(texts) for texts in zip(*(told or none), strict=True)))


def _check_tree(evidence: Evidence, one: Timestamp, head: Checkpoint | None) -> None:
    """That the log's key signed the stamped checkpoint, and that the file's tree grew out of it.

    Raises ``CheckpointError``, ``ProofError``.
    """
    if head is None:
        raise CheckpointError("there is no right checkpoint of the file to compare with")
    own = [key for key in evidence.keys.log if key.name == head.origin]
    found = checkpoint.verify(one.checkpoint, own, head.origin)
    if found.size != one.size:
        raise CheckpointError(f"it is of {found.size} leaves")
    merkle.verify_consistency(found.size, head.size, one.proof, found.root, head.root)


def _stamp(noted: Noted, evidence: Evidence, one: Timestamp, trusted: Collection[x509.Certificate]) -> Stamp:
    material = materials(evidence.revocation)
    anchors = trusted or roots_in(one.token)
    stamp = verify(one.token, one.checkpoint, anchors, lambda path: material)
    if not trusted:
        root = stamp.path[-1]
        own = f"{shown(root)} SHA-256 {fingerprint(root)}"
        noted.open(
            f"dấu thời gian chỉ đúng theo lời của chính tệp này, hãy đối chiếu gốc hoặc dùng --tsa: {own}",
            f"the timestamp is right by the file's own word, compare its root or use --tsa: {own}",
        )
    for vi, en in stamp.untold:
        noted.open(vi.rstrip("."), en.rstrip("."))
    return stamp
