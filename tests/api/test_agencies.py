"""The directory, and the certificates of agencies: who is there, and whose signature counts.

What a certificate is registered by is told by ``tests/exchange/test_register.py``.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from builders.api import NINE, Agency, Hub, refused
from builders.axis import START, end_certificate
from builders.keys import a_certificate
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from hub.data import read_agencies
from hub.domain.signature import fingerprint, prove, sign, statement
from hub.exchange.writer import Transaction, each
from hub.store import tables as t


def found(agency: Agency, **params: Any) -> list[str]:
    return [item["code"] for item in agency.get("/v1/agencies", **params).json()["items"]]


# The directory.


def test_an_agency_is_listed_with_what_a_sender_asks_before_addressing_it(hub: Hub) -> None:
    office = hub.enrol("G22")
    (ministry,) = office.get("/v1/agencies", q="G13").json()["items"]
    assert ministry == {
        "code": "G13",
        "name": "Bộ Tài nguyên và Môi trường",
        "level": 1,
        "parent": "",
        "connected": False,
        "closed_on": "2025-04-14",
        "successor": "G10",
        "uncertain": False,
    }
    (own,) = office.get("/v1/agencies", q="Văn phòng Chính phủ").json()["items"]
    assert (own["code"], own["connected"], own["closed_on"], own["successor"]) == ("G22", True, None, "")


@pytest.mark.parametrize("q", ["Nghệ An", "nghe an", "NGHỆ AN", "nghệ an", "tinh nghe", "h41", "H41"])
def test_agencies_are_found_by_any_part_of_name_or_code_without_marks_or_case(hub: Hub, q: str) -> None:
    assert found(hub.enrol("G22"), q=q) == ["H41"]


def test_a_search_that_fits_nothing_is_empty(hub: Hub) -> None:
    office = hub.enrol("G22")
    for q in ("không có cơ quan này", "%", "_", "'", "\0", "🏛"):
        assert office.get("/v1/agencies", q=q).json() == {"items": [], "next": None}


def test_pages_of_the_directory_follow_each_other_by_code_without_gap_or_repeat(hub: Hub) -> None:
    office = hub.enrol("G22")
    codes: list[str] = []
    after = ""
    while True:
        page = office.get("/v1/agencies", limit=50, after=after).json()
        codes += [item["code"] for item in page["items"]]
        assert len(page["items"]) <= 50
        if not page["items"]:
            break
        after = page["next"]
    assert codes == sorted(agency.code for agency in read_agencies())
    assert page["next"] == after


def test_a_unit_enrolled_under_its_own_name_is_listed_from_then_on(hub: Hub) -> None:
    office = hub.enrol("G22")
    assert found(office, q="so du lieu thu") == []
    hub.enrol("H41.15", "Sở Dữ liệu thử")
    hub.axis.desk.rosters.current(now=True)
    (item,) = office.get("/v1/agencies", q="so du lieu thu").json()["items"]
    assert (item["code"], item["level"], item["parent"], item["connected"]) == ("H41.15", 2, "H41", True)


# Certificates.


def certificates(agency: Agency, code: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = agency.get(f"/v1/agencies/{code}/certificates").json()["items"]
    return items


def proof(key: Any, text: bytes) -> str:
    return base64.b64encode(prove(key, text)).decode()


def pem(certificate: Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def register(
    agency: Agency,
    pair: tuple[Any, Certificate],
    one_time: str = "",
    by: tuple[Any, Certificate] | None = None,
    **changes: str,
) -> httpx.Response:
    """Register a certificate with a right proof, unless ``changes`` say otherwise."""
    key, certificate = pair
    code = agency.peer.code
    text = statement(agency.peer.system_id, code, certificate, one_time)
    body = {"certificate": pem(certificate), "proof": proof(key, text), "one_time_code": one_time}
    if by is not None:
        body |= {"endorsed_by": fingerprint(by[1]), "endorsement": proof(by[0], text)}
    return agency.post(f"/v1/agencies/{code}/certificates", json=body | changes)


@each
def end(tx: Transaction, job: tuple[str, str]) -> None:
    end_certificate(tx.connection, *job, tx.now)
    tx.directory_changed()


def test_every_certificate_that_ever_counted_is_served_with_from_and_until(hub: Hub) -> None:
    office, nghe_an = hub.enrol("G22"), hub.enrol("H41")
    first = (nghe_an.peer.key, nghe_an.peer.certificate)
    hub.axis.clock.pass_(hours=1)
    second = a_certificate("Nghệ An 2")
    assert register(nghe_an, second, by=first).status_code == 201
    hub.axis.clock.pass_(hours=1)
    hub.axis.desk.writer.run(end, (fingerprint(first[1]), "H41"))
    assert (
        certificates(office, "000.00.00.H41")
        == certificates(office, "H41")
        == [
            {
                "owner": "H41",
                "fingerprint": fingerprint(first[1]),
                "subject": "CN=H41",
                "serial": f"{first[1].serial_number:x}",
                "from": NINE,
                "until": NINE.replace("T09", "T11"),
                "pem": pem(first[1]),
            },
            {
                "owner": "H41",
                "fingerprint": fingerprint(second[1]),
                "subject": "CN=Nghệ An 2",
                "serial": f"{second[1].serial_number:x}",
                "from": NINE.replace("T09", "T10"),
                "until": "2030-01-01T07:00:00.000+07:00",
                "pem": pem(second[1]),
            },
        ]
    )
    hub.axis.clock.pass_(seconds=1)
    refused(nghe_an.post("/v1/documents", nghe_an.packet("G22")), "certificate-ended")


def test_the_platforms_certificates_are_served_with_those_of_the_units_it_signs_for(hub: Hub) -> None:
    office = hub.enrol("G22")
    hub.enrol("H41")
    assert [item["owner"] for item in certificates(office, "H41.15")] == ["H41"]
    assert certificates(office, "H99") == []


def test_the_successors_certificates_are_served_with_those_of_a_closed_agency(hub: Hub) -> None:
    hub.enrol("G10")
    assert [item["owner"] for item in certificates(hub.enrol("G22"), "G13")] == ["G10"]


def test_a_certificate_that_never_ends_is_served(hub: Hub) -> None:
    nghe_an = hub.enrol("H41", keyed=False)
    endless = a_certificate("Nghệ An", not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))  # RFC 5280 §4.1.2.5
    assert register(nghe_an, endless, one_time=nghe_an.peer.credentials["code"]).status_code == 201
    (item,) = certificates(nghe_an, "H41")
    assert datetime.fromisoformat(item["until"]) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_the_first_certificate_is_registered_with_the_one_time_code_and_signs_from_then_on(hub: Hub) -> None:
    hub.enrol("G22")
    nghe_an = hub.enrol("H41", keyed=False)
    refused(nghe_an.post("/v1/documents", nghe_an.packet("G22")), "certificate-unknown")
    key, certificate = nghe_an.peer.key, nghe_an.peer.certificate
    answer = register(nghe_an, (key, certificate), one_time=nghe_an.peer.credentials["code"])
    assert answer.status_code == 201
    assert answer.json() == {
        "agency": "H41",
        "fingerprint": fingerprint(certificate),
        "serial": f"{certificate.serial_number:x}",
    }
    sent = nghe_an.post("/v1/documents", nghe_an.packet("G22"))
    assert sent.json()["signature"] == {"standing": "signed", "signer": "H41"}


def test_a_later_certificate_is_endorsed_by_an_earlier_one(hub: Hub) -> None:
    hub.enrol("G22")
    nghe_an = hub.enrol("H41")
    key, certificate = a_certificate("Nghệ An 2", "P-384")
    assert register(nghe_an, (key, certificate), by=(nghe_an.peer.key, nghe_an.peer.certificate)).status_code == 201
    packet = nghe_an.peer.packet(nghe_an.peer.draft("G22"), signed=False)
    assert nghe_an.post("/v1/documents", sign(packet, key, certificate)).json()["signature"]["signer"] == "H41"


def test_a_stolen_token_registers_no_key(hub: Hub) -> None:
    office, nghe_an = hub.enrol("G22"), hub.enrol("H41")
    own, theirs = (nghe_an.peer.key, nghe_an.peer.certificate), a_certificate("Kẻ trộm")
    tries = [
        register(nghe_an, theirs),
        register(nghe_an, theirs, one_time="đoán"),
        register(nghe_an, theirs, by=theirs),
        register(nghe_an, theirs, by=(theirs[0], own[1])),
        register(nghe_an, theirs, by=(office.peer.key, office.peer.certificate)),
        register(nghe_an, own, by=own, certificate=pem(theirs[1])),
        register(nghe_an, theirs, by=own, endorsement="", endorsed_by=fingerprint(own[1])),
        register(nghe_an, theirs, by=own, endorsement="không phải Base64"),
        register(nghe_an, theirs, by=own, proof=""),
    ]
    assert [answer.json()["code"] for answer in tries] == ["possession-not-proved"] * len(tries)
    assert hub.count(t.certificate) == 2


def test_a_certificate_that_is_not_taken_is_refused_by_the_reason(hub: Hub) -> None:
    nghe_an = hub.enrol("H41", keyed=False)
    once = nghe_an.peer.credentials["code"]
    refused(register(nghe_an, a_certificate("Nghệ An"), one_time="\0"), "one-time-code-wrong")
    refused(register(nghe_an, a_certificate("Nghệ An", "P-521"), one_time=once), "certificate-invalid")
    past = a_certificate("Nghệ An", not_after=START - timedelta(days=1))
    refused(register(nghe_an, past, one_time=once), "certificate-ended")
    assert hub.count(t.certificate) == 0


def test_bytes_changed_in_a_certificate_never_break_the_hub(hub: Hub) -> None:
    """The key is real and the proof right: whatever can still be parsed reaches the very end."""
    nghe_an = hub.enrol("H41")
    key, certificate = a_certificate("Nghệ An")
    own = (nghe_an.peer.key, nghe_an.peer.certificate)
    der = certificate.public_bytes(Encoding.DER)
    outcomes: Counter[int] = Counter()
    for at in range(0, len(der), 3):
        changed = der[:at] + bytes([der[at] ^ 0x15]) + der[at + 1 :]
        named = hashlib.sha256(changed).hexdigest()
        text = "\n".join(("lienthong certificate 1", nghe_an.peer.system_id, "H41", named, "")).encode()
        lines = ("-----BEGIN CERTIFICATE-----", base64.b64encode(changed).decode(), "-----END CERTIFICATE-----", "")
        body = {
            "certificate": "\n".join(lines),
            "proof": proof(key, text),
            "endorsed_by": fingerprint(own[1]),
            "endorsement": proof(own[0], text),
        }
        answer = nghe_an.post("/v1/agencies/H41/certificates", json=body)
        outcomes[answer.status_code] += 1
        if answer.status_code == 201:  # and makes room for the next: an agency has twenty that count at most
            hub.axis.desk.writer.run(end, (answer.json()["fingerprint"], "H41"))
        else:
            assert answer.json()["code"] in {"certificate-invalid", "possession-not-proved", "certificate-ended"}, at
        assert nghe_an.get("/v1/agencies/H41/certificates").status_code == 200, at
    assert min(outcomes[201], outcomes.total() - outcomes[201]) > 10  # changes in the signature alone are some twenty
