"""The evidence log as anybody reads it, and the proofs that its parties are given."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from builders.api import UNKNOWN, Agency, Hub, office_and_province, office_and_provinces, refused
from joserfc.jwk import KeySet

from hub.domain import receipt
from hub.domain.checkpoint import Checkpoint, verifier_key, verify
from hub.domain.merkle import leaf_hash, root, verify_consistency, verify_inclusion
from hub.domain.tiles import Tile, entries_in, tiles
from hub.store import evidence
from hub.store.engine import is_sqlite, writing


def public(hub: Hub, path: str, **query: Any) -> Any:
    """Asked without a token."""
    return hub.ask("GET", path, "", params=query or None)


def head(hub: Hub) -> Checkpoint:
    """The newest checkpoint, verified with the keys beside it."""
    keys = [verifier_key(line) for line in public(hub, "/log/keys").text.splitlines()]
    note = public(hub, "/log/checkpoint")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    return verify(note.content, keys, keys[0].name)


def told(agency: Agency, document_id: str) -> list[Any]:
    """What each proven entry states; its receipt, its place and its proof are verified."""
    body = agency.get(f"/v1/evidence/{document_id}").json()
    newest, keys = head(agency.hub), KeySet.import_key_set(public(agency.hub, "/.well-known/jwks.json").json())
    found = []
    for item in body["items"]:
        read = receipt.read(item["receipt"], keys)
        assert read.place.leaf.hex() == item["leaf"]
        assert read.place.origin == newest.origin
        assert read.statement == {"entry": item["id"], "kind": item["kind"], **item["entry"]}
        proof = [bytes.fromhex(each) for each in item["proof"]]
        verify_inclusion(read.place.leaf, item["index"], newest.size, proof, newest.root)
        found.append(read.statement)
    return found


def test_each_party_proves_its_entries_with_what_anybody_can_read(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41", "H27")
    for province in (nghe_an, ha_tinh):
        province.receive(province.inbox()[0]["id"])
        province.report("01", document)
    hub.axis.integrate()
    assert [each["kind"] for each in told(office, sent["id"])] == ["accept", "handover", "status", "handover", "status"]
    for province, code in ((nghe_an, "H41"), (ha_tinh, "H27")):
        accepted, handed, reported = told(province, sent["id"])
        assert accepted["recipients"] == ["H41", "H27"]
        assert (handed["recipient"], reported["sender"]) == (code, code)


def test_receipts_come_with_the_answers_and_are_those_of_the_log(hub: Hub) -> None:
    office, province = office_and_province(hub)
    document, sent = office.issue("H41")
    delivery = sent["deliveries"][0]["id"]
    province.fetch(delivery)
    done = province.post(f"/v1/deliveries/{delivery}/done", json={}).json()
    again = province.post(f"/v1/deliveries/{delivery}/done", json={}).json()
    reported = province.report("01", document).json()
    answers = [sent["receipt"], done["receipt"], reported["receipt"]]
    assert [item["receipt"] for item in office.get(f"/v1/evidence/{sent['id']}").json()["items"]] == answers
    assert again == done


def test_the_same_packet_again_is_answered_with_the_first_receipt(hub: Hub) -> None:
    office, _ = office_and_province(hub)
    hub.enrol("H27")
    document = office.peer.draft("H41")
    packet = office.peer.packet(document)
    first, again = (office.post("/v1/documents", packet).json() for _ in range(2))
    assert (again["receipt"], again["added_receipts"]) == (first["receipt"], [])
    wider = office.peer.packet(office.peer.draft("H41", "H27", **_same(document)))
    more = office.post("/v1/documents", wider).json()
    keys = KeySet.import_key_set(public(hub, "/.well-known/jwks.json").json())
    assert more["receipt"] == first["receipt"]
    assert [receipt.read(each, keys).statement["recipients"] for each in more["added_receipts"]] == [["H27"]]


def _same(document: Any) -> dict[str, Any]:
    return {
        "document_id": document.document_id, "number": document.number, "symbol": document.symbol,
        "subject": document.subject,
    }  # fmt: skip


def test_what_was_written_a_moment_ago_has_its_place_and_no_proof_yet(hub: Hub) -> None:
    office, _ = office_and_province(hub)
    earlier = office.send("H41")
    hub.axis.integrate()
    size = head(hub).size
    with writing(hub.axis.desk.engine) as connection:
        if is_sqlite(connection):
            pytest.skip("whoever holds its log here holds up the sender too")
        evidence.claimed(connection)
        sent = office.send("H41")
        (item,) = office.get(f"/v1/evidence/{sent['id']}").json()["items"]
    assert (item["index"], item["proof"]) == (size, None)
    assert told(office, earlier["id"])


def test_tiles_and_entries_give_the_tree_and_tell_nothing_else(hub: Hub) -> None:
    office, _ = office_and_province(hub)
    sent = [office.send("H41") for _ in range(5)]
    hub.axis.integrate()
    newest = head(hub)
    (only,) = tiles(newest.size)
    assert only == Tile(0, 0, 5)
    hashes = public(hub, f"/log/{only.path}").content
    entries = entries_in(only, public(hub, f"/log/{only.bundle_path}").content)
    assert hashes == b"".join(leaf_hash(entry) for entry in entries)
    assert newest.root == root(leaf_hash(entry) for entry in entries)
    assert [len(entry) for entry in entries] == [32] * 5
    shorter = Tile(0, 0, 3)
    assert public(hub, f"/log/{shorter.path}").content == hashes[:96]
    assert [item["index"] for each in sent for item in office.get(f"/v1/evidence/{each['id']}").json()["items"]] == [
        0, 1, 2, 3, 4
    ]  # fmt: skip


def test_a_tile_that_is_not_there_or_is_written_otherwise_is_not_found(hub: Hub) -> None:
    office, _ = office_and_province(hub)
    refused(public(hub, "/log/checkpoint"), "not-found")
    office.send("H41")
    hub.axis.integrate()
    assert public(hub, "/log/tile/0/000.p/1").status_code == 200
    assert public(hub, "/log/tile/0/000").headers["cache-control"] == "no-store", "it may be there a second later"
    for path in (
        "0/000",
        "0/000.p/2",
        "0/001.p/1",
        "1/000.p/1",
        "0/0",
        "entries/000",
        "entries/000.p/2",
        "x",
        "0/../0",
    ):
        refused(public(hub, f"/log/tile/{path}"), "not-found")


def test_that_the_log_was_only_appended_to_can_be_proven_for_any_two_sizes(hub: Hub) -> None:
    office, _ = office_and_province(hub)
    roots = []
    for _ in range(4):
        office.send("H41")
        hub.axis.integrate()
        roots.append(head(hub).root)
    for first in range(1, 5):
        for second in range(first, 5):
            said = public(hub, "/log/consistency", first=first, second=second).json()
            proof = [bytes.fromhex(each) for each in said["proof"]]
            verify_consistency(first, second, proof, roots[first - 1], roots[second - 1])
    for first, second in ((3, 2), (0, 5), (5, 5)):
        refused(public(hub, "/log/consistency", first=first, second=second), "request-invalid")


def test_the_signed_acknowledgement_is_read_by_both_parties_and_by_nobody_else(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, _ = office.issue("H41", "H27")
    for province in (nghe_an, ha_tinh):
        province.receive(province.inbox()[0]["id"])
    reported = nghe_an.report("03", document).json()
    there = f"/v1/reports/{reported['id']}/packet"
    packet = office.get(there)
    assert packet.headers["content-type"] == "application/xml"
    assert packet.content == nghe_an.get(there).content
    assert hashlib.sha256(packet.content).hexdigest() == packet.headers["x-packet-sha256"]
    refused(ha_tinh.get(there), "not-found")
    refused(office.get(f"/v1/reports/{UNKNOWN}/packet"), "not-found")
