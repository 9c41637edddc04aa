"""The numbered steps that show, with nothing but the file, what a hub has stated of a document and who signed it.

1 container, 2 manifest, 3 keys, 4 receipts, 5 checkpoint, 6 leaves, 7 the packet, 8 its fields, 9 its signature,
10 what belongs together, 11 acknowledgements, 12 certificates, 13 timestamps where there are some. What each proves,
and what not: docs/evidence.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cryptography import x509

from clients.evidence import container, file
from clients.evidence.certificates import note_certificates
from clients.evidence.content import (
    Packet,
    Signing,
    Statements,
    examine,
    note_acknowledgements,
    note_belonging,
    note_digest,
    note_fields,
    note_signature,
)
from clients.evidence.file import Entry, Evidence
from clients.evidence.keys import Keys
from clients.evidence.noted import Noted
from clients.evidence.statements import Accept, HandOver, Statement, Status, statement_of
from clients.evidence.strict import EvidenceError
from hub.domain import checkpoint, merkle, receipt
from hub.domain.checkpoint import Checkpoint, CheckpointError
from hub.domain.document import Document
from hub.domain.receipt import Receipt, ReceiptError
from hub.domain.signature import Signed, fingerprint
from hub.domain.trust import Result, Step


@dataclass(frozen=True, slots=True)
class Verification:
    """``document`` is the hub's id, empty when the file cannot be read; steps after one that cannot are missing."""

    document: str
    steps: tuple[Step, ...]

    @property
    def holds(self) -> bool:
        """No step failed. What could not be told is told by its step, and is for the reader to judge."""
        return all(step.result is not Result.FAILED for step in self.steps)


def verify(octets: bytes, pinned: Keys | None = None, stampers: Collection[x509.Certificate] = ()) -> Verification:
    """Every step over an evidence file. ``pinned``: the keys that count; without them the file's own do.

    ``stampers``: the roots that count for timestamps, in the same way.
    """
    steps: list[Step] = []
    try:
        parts = container.unpack(octets)
        steps.append(Noted().step(1, f"{len(parts)} phần, dạng duy nhất", f"{len(parts)} parts, in their one form"))
        evidence = file.read(parts)
        steps.append(Noted().step(2, "mọi phần khớp với bản kê", "every part is what the manifest lists"))
    except EvidenceError as fault:
        noted = Noted()
        noted.wrong(*fault.told)
        noted.wrong("các bước sau không xét được", "the steps after it cannot be gone")
        return Verification("", (*steps, noted.step(len(steps) + 1, "", "")))
    return Verification(evidence.document, (*steps, *_steps(evidence, pinned, stampers)))


def _steps(evidence: Evidence, pinned: Keys | None, stampers: Collection[x509.Certificate]) -> list[Step]:
    steps = [_keys(evidence.keys, pinned)]
    step, found = _receipts(evidence)
    steps.append(step)
    step, head = _checkpoint(evidence, [read for _, read, _ in found])
    steps += [step, _leaves(found, len(evidence.entries), head)]
    said = Statements(
        tuple(one for _, _, one in found if isinstance(one, Accept)),
        tuple(one for _, _, one in found if isinstance(one, HandOver)),
        tuple(one for _, _, one in found if isinstance(one, Status)),
    )
    packet = examine(evidence.packet)
    noted = Noted()
    accept = note_digest(noted, evidence.packet, said)
    steps.append(noted.step(7, "gói tin đúng là gói trục đã nhận", "the packet is the one the hub took"))
    steps += [_fields(packet, accept, said), _signature(packet)]
    noted = Noted()
    note_belonging(noted, evidence.document, said)
    counts = f"{len(said.hand_overs)}, {len(said.statuses)}"
    steps.append(noted.step(10, f"giao nhận, trạng thái: {counts}", f"hand-overs, statuses: {counts}"))
    noted = Noted()
    document = packet.content if isinstance(packet.content, Document) else None
    signings = note_acknowledgements(noted, evidence.acknowledgements, said, document)
    given = len(evidence.acknowledgements)
    steps.append(noted.step(11, f"{given} gói trạng thái khớp biên nhận", f"{given} status packets fit their receipts"))
    if packet.signer is not None and accept is not None:
        signings.insert(0, Signing("gói tin", "the packet", packet.signer, accept.at))
    noted = Noted()
    note_certificates(noted, evidence, signings, pinned.roots if pinned else ())
    signers = len(signings)
    steps.append(noted.step(12, f"{signers} chữ ký, chứng thư đã xem", f"{signers} signatures, certificates looked at"))
    if evidence.timestamps or stampers:
        from clients.evidence.timestamps import timestamps_step  # here: what reads tokens takes a while to be loaded

        steps.append(timestamps_step(evidence, head, stampers))
    return steps


def _keys(own: Keys, pinned: Keys | None) -> Step:
    noted = Noted()
    log = [key.text for key in own.log]
    if pinned is None:
        listed = ", ".join((*own.thumbprints, *log))
        noted.open(
            f"khóa là của chính tệp này, hãy đối chiếu với trục hoặc dùng --keys: {listed}",
            f"the keys are the file's own, compare them with the hub's or use --keys: {listed}",
        )
    else:
        trusted = {*pinned.thumbprints, *(key.text for key in pinned.log)}
        for key in (*own.thumbprints, *log):
            if key not in trusted:
                noted.wrong(f"khóa {key} không được ghim", f"the key {key} is not among the pinned")
    count = len(own.receipts) + len(log)
    if pinned is None:
        return noted.step(3, f"{count} khóa", f"{count} keys")
    return noted.step(3, f"{count} khóa, đều được ghim", f"{count} keys, all among the pinned")


Found = list[tuple[Entry, Receipt, Statement]]


def _receipts(evidence: Evidence) -> tuple[Step, Found]:
    """Those whose signature is right and that state what their kind says."""
    noted, found = Noted(), []
    keys = evidence.keys.key_set
    for entry in evidence.entries:
        vi, en = f"biên nhận ở lá {entry.index}", f"the receipt of leaf {entry.index}"
        try:
            read = receipt.read(entry.receipt, keys)
            found.append((entry, read, statement_of(entry.kind, read.statement)))
        except EvidenceError as fault:
            noted.refused(vi, en, fault)
        except ReceiptError as fault:
            noted.wrong(f"{vi} không đúng ({fault})", f"{en} is not right ({fault})")
        except RecursionError:  # brackets in thousands, in a header or signed
            noted.wrong(f"{vi} không đọc được", f"{en} cannot be read")
    if not evidence.entries:
        noted.wrong("không có biên nhận nào", "there is no receipt")
    count = len(found)
    return noted.step(4, f"{count} biên nhận có chữ ký đúng", f"{count} receipts, signed as they should be"), found


def _checkpoint(evidence: Evidence, receipts: list[Receipt]) -> tuple[Step, Checkpoint | None]:
    noted, head = Noted(), None
    origins = sorted({each.place.origin for each in receipts})
    if len(origins) != 1:
        listed = ", ".join(origins) or "–"
        noted.wrong(f"các biên nhận phải thuộc một sổ: {listed}", f"the receipts should be of one log: {listed}")
    else:
        [origin] = origins
        try:
            # A log's own key has the log's name; others sign beside it and state no tree of their own.
            own = [key for key in evidence.keys.log if key.name == origin]
            head = checkpoint.verify(evidence.checkpoint, own, origin)
        except CheckpointError as fault:
            noted.wrong(f"điểm chốt không đúng ({fault})", f"the checkpoint is not right ({fault})")
    told = f"{head.origin}, {head.size} lá" if head else "", f"{head.origin}, {head.size} leaves" if head else ""
    return noted.step(5, *told), head


def _leaves(found: Found, all_of_them: int, head: Checkpoint | None) -> Step:
    noted = Noted()
    if head is None:
        noted.wrong("không có điểm chốt đúng để đối chiếu", "there is no right checkpoint to compare with")
    for entry, read, _ in found if head else ():
        try:
            assert head is not None
            merkle.verify_inclusion(read.place.leaf, entry.index, head.size, entry.proof, head.root)
        except merkle.ProofError as fault:
            noted.wrong(
                f"lá {entry.index} không nằm trong cây ({fault})", f"leaf {entry.index} is not in the tree ({fault})"
            )
    if len(found) != all_of_them:
        noted.wrong("có biên nhận không đúng, xem bước 4", "a receipt is not right, see step 4")
    return noted.step(6, f"{len(found)} lá nằm trong cây", f"{len(found)} leaves are in the tree")


def _fields(packet: Packet, accept: Accept | None, said: Statements) -> Step:
    noted = Noted()
    if not isinstance(packet.content, Document):
        noted.wrong("không đọc được gói tin như một văn bản", "the packet cannot be read as a document")
    elif accept is None:
        noted.wrong("không có biên nhận để đối chiếu", "there is no receipt to compare with")
    else:
        note_fields(noted, packet.content, accept, first=accept is said.accepts[0])
        codes = ", ".join(accept.recipients)
        told = f"{accept.document_id}, {accept.sender} → {codes:.300}"
        return noted.step(8, told, told)
    return noted.step(8, "", "")


def _signature(packet: Packet) -> Step:
    noted = Noted()
    note_signature(noted, packet, "gói tin", "the packet")
    found = packet.found
    if not isinstance(found, Signed):
        return noted.step(9, "không có chữ ký nào đúng", "there is no signature that is right")
    who = f"{found.certificate.subject.rfc4514_string()}, {found.algorithm}, SHA-256 {fingerprint(found.certificate)}"
    return noted.step(9, f"chữ ký đúng: {who}", f"the signature is right: {who}")
