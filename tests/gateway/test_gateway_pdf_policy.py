"""Where signatures in PDF files are required, both dialects refuse the same packet with the same words."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders.examined import after_signing, trusting, with_files
from builders.gateway import a_client
from builders.pdfs import by_both, typeset
from builders.served import a_served_hub

from clients.hub_client import HubClient, Refused


def test_both_dialects_refuse_with_verdict_and_repair_and_answer_a_repeat_as_before(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, pdf_policy="require") as hub:
        after_signing(hub.axis.clock)
        trusting(hub.axis)
        office = hub.axis.enrol("G22")
        hub.axis.enrol("H41")
        unsigned, both = (office.packet(office.draft("H41", **with_files(pdf))) for pdf in (typeset(), by_both()))
        gateway = a_client(hub, office)
        told = gateway.send_edoc(unsigned, sender="G22")
        assert (told.ok, told.code) == (False, "21")
        assert told.description.startswith(
            "[attachment-signature] Chữ ký trong tệp PDF «cong-van-1.pdf» không đạt, MISSING_LEADER: "
        )
        assert "Cách sửa: Người có thẩm quyền ký trước" in told.description
        with HubClient(hub.base_url, office.credentials["token"]) as rest:
            with pytest.raises(Refused, match="attachment-signature"):
                rest.send(unsigned)
            first = rest.send(both)
        assert gateway.send_edoc(both, sender="G22").doc_id == first.id
