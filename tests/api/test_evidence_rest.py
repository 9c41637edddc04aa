"""What a party may see of the evidence kept for a document."""

from __future__ import annotations

from typing import Any

from builders.api import NINE, UNKNOWN, Agency, Hub, office_and_province, office_and_provinces, refused

from hub.domain.document import Organization


def evidence(agency: Agency, document_id: str) -> list[dict[str, Any]]:
    body = agency.get(f"/v1/evidence/{document_id}").json()
    assert body["next"] is None
    items: list[dict[str, Any]] = body["items"]
    return items


def told(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The kind of each entry, and the agency it is about."""
    who = {"accept": "sender", "handover": "recipient", "status": "sender"}
    return [(item["kind"], item["entry"][who[item["kind"]]]) for item in items]


def test_the_sender_sees_accept_hand_overs_and_reports_in_order(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41", "H27")
    for province in (nghe_an, ha_tinh):
        province.receive(province.inbox()[0]["id"])
    nghe_an.report("03", document)
    items = evidence(office, sent["id"])
    assert told(items) == [("accept", "G22"), ("handover", "H41"), ("handover", "H27"), ("status", "H41")]
    assert items[0].keys() == {"id", "kind", "at", "entry", "receipt", "index", "leaf", "proof"}
    assert items[0]["at"] == NINE
    entry = items[0]["entry"]
    assert (entry["document"], entry["sha256"], entry["recipients"]) == (sent["id"], sent["sha256"], ["H41", "H27"])
    assert all(item["entry"]["sha256"] for item in items)


def test_a_recipient_sees_its_acceptance_hand_over_and_reports_and_nobody_elses(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41", "H27")
    for province in (nghe_an, ha_tinh):
        province.receive(province.inbox()[0]["id"])
        province.report("03", document)
    assert told(evidence(nghe_an, sent["id"])) == [("accept", "G22"), ("handover", "H41"), ("status", "H41")]
    assert told(evidence(ha_tinh, sent["id"])) == [("accept", "G22"), ("handover", "H27"), ("status", "H27")]


def test_before_the_fetch_there_is_nothing_to_see_for_a_recipient(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    sent = office.send("H41")
    refused(nghe_an.get(f"/v1/evidence/{sent['id']}"), "not-found")
    nghe_an.fetch(nghe_an.inbox()[0]["id"])
    assert told(evidence(nghe_an, sent["id"])) == [("accept", "G22")]
    nghe_an.receive(nghe_an.inbox()[0]["id"])
    assert told(evidence(nghe_an, sent["id"])) == [("accept", "G22"), ("handover", "H41")]


def test_the_system_that_sent_sees_what_it_sent_after_a_nearer_one_is_enrolled(hub: Hub) -> None:
    platform = hub.enrol("H41")
    hub.enrol("G22")
    sent = platform.send("G22", sender=Organization("H41.15", name="Sở Dữ liệu thử"))
    nearer = hub.enrol("H41.15", "Sở Dữ liệu thử")
    for system in (platform, nearer):
        assert told(evidence(system, sent["id"])) == [("accept", "H41.15")]


def test_an_unknown_document_has_no_evidence(hub: Hub) -> None:
    refused(hub.enrol("G22").get(f"/v1/evidence/{UNKNOWN}"), "not-found")
