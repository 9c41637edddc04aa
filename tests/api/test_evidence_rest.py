"""What a party may see of the evidence kept for a document."""

from __future__ import annotations

from typing import Any

import pytest
from builders.api import NINE, UNKNOWN, Agency, Hub, office_and_province, office_and_provinces, refused, with_recipients
from builders.databases import statements

from hub.api.shapes import cursor
from hub.domain.checkpoint import verifier_key, verify
from hub.domain.document import Organization
from hub.domain.merkle import verify_inclusion


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


def test_a_recipient_sees_the_repeat_that_added_it_and_no_other(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41")
    assert office.post("/v1/documents", office.peer.packet(with_recipients(document, "H27"))).status_code == 200
    for province in (nghe_an, ha_tinh):
        province.fetch(province.inbox()[0]["id"])
    for province, code in ((nghe_an, "H41"), (ha_tinh, "H27")):
        (accept,) = evidence(province, sent["id"])
        assert accept["entry"]["recipients"] == [code]
    assert [item["entry"]["recipients"] for item in evidence(office, sent["id"])] == [["H41"], ["H27"]]


def test_a_platform_sees_what_is_of_all_the_units_it_received_for(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41.01", "H41.02", "H27")
    for item in nghe_an.inbox():
        nghe_an.receive(item["id"])
    ha_tinh.receive(ha_tinh.inbox()[0]["id"])
    nghe_an.report("03", document, sender=Organization("H41.02", name="Sở"))
    found = told(evidence(nghe_an, sent["id"]))
    assert found == [("accept", "G22"), ("handover", "H41.01"), ("handover", "H41.02"), ("status", "H41.02")]


# In pages.


def pages(agency: Agency, document_id: str, limit: int) -> list[Any]:
    """All pages of a list."""
    found = [agency.get(f"/v1/evidence/{document_id}", limit=limit).json()]
    while found[-1]["next"]:
        found.append(agency.get(f"/v1/evidence/{document_id}", limit=limit, after=found[-1]["next"]).json())
    return found


def reported(hub: Hub, *codes: str) -> tuple[Agency, Agency, Any, Any]:
    """The office, Nghệ An, and a document that Nghệ An keeps and has said this of."""
    office, nghe_an = office_and_province(hub)
    document, sent = office.issue("H41")
    nghe_an.receive(nghe_an.inbox()[0]["id"])
    for code in codes:
        assert nghe_an.report(code, document).status_code == 201
    hub.axis.integrate()
    return office, nghe_an, document, sent


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6, 500])
def test_pages_of_any_size_have_every_entry_once_and_in_order(hub: Hub, limit: int) -> None:
    office, nghe_an, _, sent = reported(hub, "03", "04", "05")
    for party in (office, nghe_an):
        whole = evidence(party, sent["id"])
        assert [item["kind"] for item in whole] == ["accept", "handover", "status", "status", "status"]
        found = pages(party, sent["id"], limit)
        assert [len(page["items"]) <= limit for page in found] == [True] * len(found)
        assert [item for page in found for item in page["items"]] == whole
        assert len(found) == -(-5 // limit)


def test_all_pages_are_of_the_moment_of_the_first_whatever_comes_meanwhile(hub: Hub) -> None:
    """Proofs that lead to the checkpoints of several moments fit no file."""
    office, nghe_an, document, sent = reported(hub, "03")
    first = office.get(f"/v1/evidence/{sent['id']}", limit=1).json()
    nghe_an.report("06", document)
    office.send("H41")
    hub.axis.integrate()
    second = office.get(f"/v1/evidence/{sent['id']}", limit=9, after=first["next"]).json()
    assert (second["checkpoint"], second["next"]) == (None, None)
    keys = [verifier_key(line) for line in hub.ask("GET", "/log/keys").text.splitlines()]
    head = verify(first["checkpoint"].encode(), keys, keys[0].name)
    items = [*first["items"], *second["items"]]
    assert [item["kind"] for item in items] == ["accept", "handover", "status"]
    for item in items:
        proof = [bytes.fromhex(one) for one in item["proof"]]
        verify_inclusion(bytes.fromhex(item["leaf"]), item["index"], head.size, proof, head.root)
    assert len(evidence(office, sent["id"])) == 4


def test_a_page_reads_its_own_entries_and_not_all_that_there_are(hub: Hub) -> None:
    office, _, _, sent = reported(hub, "03", "04", "05")
    with statements(hub.axis.desk.engine) as seen:
        office.get(f"/v1/evidence/{sent['id']}", limit=2)
    (limited,) = [values for text, values in seen if "FROM evidence" in text]
    assert 3 in (limited.values() if isinstance(limited, dict) else limited), "one more than the page has"


def test_a_cursor_that_no_list_gave_out_is_refused(hub: Hub) -> None:
    office, _, _, sent = reported(hub)
    inbox = cursor(7)
    for after in ("x", inbox, cursor(1, 2), cursor(1, 9, 10**9), cursor(1, 2, 3, 4), "c+AuMS4x"):
        (violation,) = refused(office.get(f"/v1/evidence/{sent['id']}", after=after), "request-invalid")["violations"]
        assert violation["rule"] == "cursor"
    for limit in (0, 501):
        refused(office.get(f"/v1/evidence/{sent['id']}", limit=limit), "request-invalid")


def test_a_report_is_found_by_its_id_and_not_by_reading_all_there_are(hub: Hub) -> None:
    office, nghe_an, document, _ = reported(hub, "03")
    report = nghe_an.report("04", document).json()["id"]
    for party in (office, nghe_an):
        with statements(hub.axis.desk.engine) as seen:
            assert party.get(f"/v1/reports/{report}/packet").status_code == 200
        assert not [text for text, _ in seen if "FROM evidence" in text]
