"""How many recipients and documents one packet may name. How long its fields may be is told beside the other fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders.documents import ERROR, Found, acceptable, found
from builders.packets import NGHE_AN

from hub.domain.document import Business, Document, DocumentRef, Replaced


def too_many(document: Document) -> list[Found]:
    return [one for one in found(document) if one[0] == "too-many-entries"]


def to(n: int) -> dict[str, Any]:
    return {"recipients": (NGHE_AN,) * n}


def answering(n: int) -> dict[str, Any]:
    return {"response_for": (DocumentRef(document_id="G22,2025/09/01,1/VPCP-TH"),) * n}


def replacing(n: int) -> dict[str, Any]:
    return {"business": Business(type="3", reason="Thay thế", replaced=(Replaced("G22,2025/09/01,1/VPCP-TH"),) * n)}


@pytest.mark.parametrize(
    ("naming", "most", "pointer"),
    [
        (to, 5_000, "MessageHeader/To"),
        (answering, 200, "MessageHeader/ResponseFor"),
        (replacing, 200, "TraceHeaderList/Bussiness/ReplacementInfoList"),
    ],
)
def test_a_packet_that_names_more_than_can_be_looked_up_at_once_is_refused(
    naming: Callable[[int], dict[str, Any]], most: int, pointer: str
) -> None:
    assert too_many(acceptable(**naming(most))) == []
    assert too_many(acceptable(**naming(most + 1))) == [("too-many-entries", ERROR, pointer, f"≤ {most}")]
