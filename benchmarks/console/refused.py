"""What a hub refused: a few senders with one fault again and again, and single ones of everybody."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.console.cast import Cast
from benchmarks.console.words import Subjects, Urn
from hub.domain import places
from hub.errors import Severity, Violation

# The code of the answer, the rule, where, what stood there, the repair; of a hundred.
_FAULTS = (
    ("packet-refused", "name-character", "Attachment[1]/AttachmentName", "quyết định?.pdf", "quyet-dinh.pdf", 34),
    ("packet-refused", "recipient-unknown", "MessageHeader/To[1]/OrganId", "Z99", "Tra mã tại danh mục", 22),
    ("signature-required", "signature-required", "Signature", "", "Ký số gói tin / sign the packet", 15),
    ("packet-refused", "number-form", places.CODE, "", "Ghi số văn bản / give the number", 12),
    ("document-conflict", "document-conflict", places.HEADER["document_id"], "", "Cấp mã mới / give another id", 9),
    ("agency-closed", "agency-closed", "MessageHeader/To[1]/OrganId", "G05", "G12", 8),
)  # fmt: skip


def refusals(
    cast: Cast, systems: dict[str, str], source: random.Random, count: int, weights: Sequence[float]
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of each hour, without id and moment."""
    senders, subjects = cast.senders(), Subjects(cast.places, source.random)
    faults = Urn(_FAULTS, [fault[5] for fault in _FAULTS])
    due, done, whole = 0.0, 0, sum(weights)
    obstinate = senders.draw(source.random()), _FAULTS[0]
    for weight in weights:
        due += count * weight / whole
        rows: list[tuple[Any, ...]] = []
        if source.random() < 0.05:
            obstinate = senders.draw(source.random()), faults.draw(source.random())
        for _ in range(int(due) - done):
            again = source.random() < 0.5
            sender, fault = obstinate if again else (senders.draw(source.random()), faults.draw(source.random()))
            code, rule, pointer, value, repair, _ = fault
            subject, folded = subjects.draw()
            document_id = f"{sender.code},2026/01/01,{source.getrandbits(16)}/{sender.symbol}"
            vi, en = "Không đúng quy định tại chỗ này.", "This is not as the rules have it."
            told = json.dumps(
                [asdict(Violation(rule, Severity.ERROR, pointer, value, vi, en, repair))], ensure_ascii=False
            )
            rows.append(
                (systems[sender.serves], sender.code, document_id, subject, code, told,
                 f"{source.getrandbits(256):064x}", 9000, f"{source.getrandbits(128):032x}",
                 f"{sender.code.lower()} {document_id.lower()} {folded}", 1)
            )  # fmt: skip
        done = int(due)
        yield rows
