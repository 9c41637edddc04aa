"""What the hub judges certificates by, as its systems read it."""

from __future__ import annotations

import hashlib
from typing import Any

from builders.api import Agency, Hub, refused
from builders.authority import an_authority, ocsp_answer
from builders.axis import START
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain.signature import fingerprint
from hub.domain.trust import Material
from hub.exchange import trust
from hub.store.engine import reading

AUTHORITY = an_authority(START)
CRLS = AUTHORITY.crls()


def trusting(hub: Hub) -> None:
    """A root, an authority below it, a person, both CRLs and an OCSP answer about an agency's certificate."""
    run = hub.axis.desk.writer.run
    for holder, role, code in (
        (AUTHORITY.root, "root", ""),
        (AUTHORITY.intermediate, "intermediate", ""),
        (AUTHORITY.leader, "person", "G22"),
    ):
        run(trust.add, trust.Additions((holder.certificate,), role, code))
    with reading(hub.axis.desk.engine) as connection:
        known = trust.read(connection)
    crls = [trust.crl_of(each, [*known.anchors, *known.intermediates], START) for each in CRLS]
    answer = ocsp_answer(AUTHORITY.agency.certificate, AUTHORITY.intermediate, START)
    kept = trust.answer_of(Material("ocsp", answer, START), AUTHORITY.agency.certificate, "http://ocsp.example.vn")
    run(trust.keep, [*crls, kept])


def listed(agency: Agency) -> list[dict[str, Any]]:
    body = agency.get("/v1/trust").json()
    assert body["next"] is None
    items: list[dict[str, Any]] = body["items"]
    return items


def test_authorities_and_revocation_data_are_listed_and_each_is_had_byte_for_byte(hub: Hub) -> None:
    agency = hub.enrol("H41")
    assert listed(agency) == []
    trusting(hub)
    items = listed(agency)
    assert [item["kind"] for item in items] == ["root", "intermediate", "crl", "crl", "ocsp"]
    assert [item["about"] for item in items] == [None] * 4 + [fingerprint(AUTHORITY.agency.certificate)]
    octets = [agency.get(f"/v1/trust/{item['sha256']}").content for item in items]
    assert [hashlib.sha256(each).hexdigest() for each in octets] == [item["sha256"] for item in items]
    assert octets[:2] == [
        one.certificate.public_bytes(Encoding.DER) for one in (AUTHORITY.root, AUTHORITY.intermediate)
    ]
    assert set(octets[2:4]) == set(CRLS)


def test_persons_and_who_is_trusted_no_more_are_not_handed_out(hub: Hub) -> None:
    agency = hub.enrol("H41")
    trusting(hub)
    gone = fingerprint(AUTHORITY.root.certificate)
    hub.axis.desk.writer.run(trust.remove, gone)
    assert gone not in {item["sha256"] for item in listed(agency)}
    for sha256 in (gone, fingerprint(AUTHORITY.leader.certificate), "0" * 64):
        refused(agency.get(f"/v1/trust/{sha256}"), "not-found")


def test_strangers_read_none_of_it(hub: Hub) -> None:
    for path in ("/v1/trust", "/v1/trust/" + "0" * 64):
        refused(hub.ask("GET", path), "not-authenticated")
