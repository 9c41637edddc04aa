"""Packets that the vendor's library built, sent and received as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders.axis import Peer
from builders.gateway import a_client, call
from builders.served import Served

from clients.gateway_client import hash_file
from hub.domain import edxml

SDK = Path(__file__).parents[3] / "shared" / "fixtures" / "packets"


@pytest.fixture
def sdk_pair(hub: Served) -> tuple[Peer, Peer]:
    """The agencies that the packets of the vendor's library name: the one all are from, and the other."""
    if not SDK.is_dir():
        pytest.skip("the packets of the vendor's library are not beside the project")
    terms: dict[str, Any] = {"keyed": False, "profile": "legacy"}
    return hub.axis.enrol("test.system", "Cơ quan thử", **terms), hub.axis.enrol("000.00.01.X01", "Nơi nhận", **terms)


def sent_as_built(hub: Served, peer: Peer, name: str, **arguments: str) -> dict[str, Any]:
    packet = (SDK / f"{name}.edxml").read_bytes()
    given = {"from": peer.code, "hash-file": hash_file(packet)} | arguments
    return call(hub, peer, "sendEdoc", packet + b"\r\n", **given).body


BUILT = {"new": "0", "update": "0", "replacement": "0", "revocation": "0", "minimal": "22"}


@pytest.mark.parametrize(("name", "code"), BUILT.items())
def test_documents_that_the_vendors_library_built_are_received_as_they_are(
    hub: Served, sdk_pair: tuple[Peer, Peer], name: str, code: str
) -> None:
    """The minimal one has neither number nor date, and is refused for that."""
    office, province = sdk_pair
    answer = sent_as_built(hub, office, name)
    assert answer["ErrorCode"] == code, answer
    with a_client(hub, province) as client:
        received = [client.get_edoc(item["docId"]).packet for item in client.get_received_edoc_list("edoc").items]
    built = (SDK / f"{name}.edxml").read_bytes()
    assert received == ([built] if code == "0" else [])


@pytest.mark.parametrize("status", ["01", "02", "03", "04", "05", "06", "13", "15", "16"])
def test_statuses_that_the_vendors_library_built_reach_the_other(
    hub: Served, sdk_pair: tuple[Peer, Peer], status: str
) -> None:
    reporter, other = sdk_pair
    said = edxml.read_status(edxml.parse((SDK / f"status-{status}.edxml").read_bytes()))
    sender, recipient = (reporter, other) if status == "13" else (other, reporter)
    document = sender.draft(recipient.code, document_id=said.response_for.document_id, symbol="TEST-VP", number="12")
    answer = sender.post(sender.packet(document, signed=False)).body
    recipient.receive(answer["deliveries"][0]["id"])
    if status in {"15", "16"}:
        sender.report("13", document, other=recipient.code, description="Gửi nhầm", signed=False)
    assert sent_as_built(hub, reporter, f"status-{status}", messagetype="status")["ErrorCode"] == "0"
    with a_client(hub, other) as client:
        (item,) = client.get_received_edoc_list("status").items
        assert client.get_edoc(item["docId"]).packet == (SDK / f"status-{status}.edxml").read_bytes()
