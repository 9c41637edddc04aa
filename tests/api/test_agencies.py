"""The directory, and the certificates of agencies: who is there, and whose signature counts."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from builders.api import Agency, Hub, refused
from builders.axis import end_certificate
from builders.keys import a_certificate
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from hub.data import read_agencies
from hub.domain.signature import sign, statement
from hub.exchange.writer import Transaction, each
from hub.store import tables as t

NINE = "2025-10-01T09:00:00.000+07:00"  # START, as REST writes it
CLOSED = "G13"
UNLISTED = "H99"


def found(agency: Agency, **params: Any) -> list[str]:
    return [item["code"] for item in agency.get("/v1/agencies", **params).json()["items"]]


# The directory.


def test_an_agency_is_listed_with_what_a_sender_asks_before_addressing_it(hub: Hub) -> None:
    office = hub.enrol("G22")
    (ministry,) = office.get("/v1/agencies", q=CLOSED).json()["items"]
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


def fingerprint(certificate: Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def signed_by(key: Any, text: bytes) -> str:
    return base64.b64encode(key.sign(text, ec.ECDSA(hashes.SHA256()))).decode()


def pem(certificate: Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def register(
    agency: Agency,
    pair: tuple[Any, Certificate],
    code: str = "",
    one_time: str = "",
    by: tuple[Any, Certificate] | None = None,
    **changes: str,
) -> httpx.Response:
    """Register a certificate with a right proof, unless ``changes`` say otherwise."""
    key, certificate = pair
    code = code or agency.peer.code
    text = statement(agency.peer.system_id, code, certificate, one_time)
    body = {"certificate": pem(certificate), "proof": signed_by(key, text), "one_time_code": one_time}
    if by is not None:
        body |= {"endorsed_by": fingerprint(by[1]), "endorsement": signed_by(by[0], text)}
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
    assert certificates(office, UNLISTED) == []


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


def test_a_wrong_code_is_refused_and_the_right_one_too_after_five(hub: Hub) -> None:
    nghe_an = hub.enrol("H41", keyed=False)
    pair = (nghe_an.peer.key, nghe_an.peer.certificate)
    for wrong in ("", "sai", nghe_an.peer.credentials["code"][:-1], nghe_an.peer.credentials["code"].lower(), "\0"):
        refused(register(nghe_an, pair, one_time=wrong), "one-time-code-wrong")
    refused(register(nghe_an, pair, one_time=nghe_an.peer.credentials["code"]), "one-time-code-wrong")
    assert hub.count(t.certificate) == 0


def test_the_code_ends_after_seven_days_and_with_its_use(hub: Hub) -> None:
    early, late = hub.enrol("H41", keyed=False), hub.enrol("H27", keyed=False)
    code = early.peer.credentials["code"]
    assert register(early, a_certificate("Sớm"), one_time=code).status_code == 201
    refused(register(early, a_certificate("Nữa"), one_time=code), "possession-not-proved")
    hub.axis.clock.pass_(days=7)
    refused(register(late, a_certificate("Muộn"), one_time=late.peer.credentials["code"]), "one-time-code-wrong")


def test_a_code_serves_no_other_system(hub: Hub) -> None:
    nghe_an, ha_tinh = hub.enrol("H41", keyed=False), hub.enrol("H27", keyed=False)
    stolen = nghe_an.peer.credentials["code"]
    refused(register(ha_tinh, a_certificate("Hà Tĩnh"), one_time=stolen), "one-time-code-wrong")
    refused(register(ha_tinh, a_certificate("Hà Tĩnh"), code="H41", one_time=stolen), "not-found")
    assert hub.count(t.certificate) == 0


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


def test_a_proof_made_for_another_agency_or_system_proves_nothing(hub: Hub) -> None:
    nghe_an, ha_tinh = hub.enrol("H41"), hub.enrol("H27")
    pair, by = a_certificate("Nghệ An 2"), (nghe_an.peer.key, nghe_an.peer.certificate)
    for system_id, code in ((ha_tinh.peer.system_id, "H41"), (nghe_an.peer.system_id, "H27")):
        text = statement(system_id, code, pair[1])
        proofs = {"proof": signed_by(pair[0], text), "endorsement": signed_by(by[0], text)}
        refused(register(nghe_an, pair, by=by, **proofs), "possession-not-proved")


def test_an_ended_certificate_endorses_no_other(hub: Hub) -> None:
    nghe_an = hub.enrol("H41")
    own = (nghe_an.peer.key, nghe_an.peer.certificate)
    hub.axis.desk.writer.run(end, (fingerprint(own[1]), "H41"))
    hub.axis.clock.pass_(minutes=1)
    refused(register(nghe_an, a_certificate("Nghệ An 2"), by=own), "possession-not-proved")


def test_nobody_registers_for_an_agency_that_is_not_its_own(hub: Hub) -> None:
    nghe_an = hub.enrol("H41")
    hub.enrol("H27")
    for code in ("H27", "H27.01", UNLISTED, "x"):
        refused(register(nghe_an, a_certificate("Hà Tĩnh"), code=code), "not-found")


@pytest.mark.parametrize("key", ["RSA-1024", "Ed25519", "P-521", "secp256k1"])
def test_a_key_that_is_weak_or_of_no_accepted_kind_is_refused(hub: Hub, key: str) -> None:
    nghe_an = hub.enrol("H41", keyed=False)
    _, certificate = a_certificate("Nghệ An", key)
    body = {"certificate": pem(certificate), "proof": "", "one_time_code": nghe_an.peer.credentials["code"]}
    refused(nghe_an.post("/v1/agencies/H41/certificates", json=body), "certificate-invalid")


def test_a_certificate_whose_time_is_over_is_refused(hub: Hub) -> None:
    nghe_an = hub.enrol("H41", keyed=False)
    past = hub.axis.clock.now - timedelta(days=1)
    pair = a_certificate("Nghệ An", not_after=past)
    refused(register(nghe_an, pair, one_time=nghe_an.peer.credentials["code"]), "certificate-ended")


def test_bytes_changed_in_a_certificate_never_break_the_hub(hub: Hub) -> None:
    """The key is real and the proof right: whatever can still be parsed reaches the very end."""
    nghe_an = hub.enrol("H41")
    key, certificate = a_certificate("Nghệ An")
    own = (nghe_an.peer.key, nghe_an.peer.certificate)
    der = certificate.public_bytes(Encoding.DER)
    for at in range(0, len(der), 3):
        changed = der[:at] + bytes([der[at] ^ 0x15]) + der[at + 1 :]
        named = hashlib.sha256(changed).hexdigest()
        text = "\n".join(("lienthong certificate 1", nghe_an.peer.system_id, "H41", named, "")).encode()
        lines = ("-----BEGIN CERTIFICATE-----", base64.b64encode(changed).decode(), "-----END CERTIFICATE-----", "")
        body = {
            "certificate": "\n".join(lines),
            "proof": signed_by(key, text),
            "endorsed_by": fingerprint(own[1]),
            "endorsement": signed_by(own[0], text),
        }
        answer = nghe_an.post("/v1/agencies/H41/certificates", json=body)
        if answer.status_code == 201:  # and makes room for the next: an agency has twenty that count at most
            hub.axis.desk.writer.run(end, (answer.json()["fingerprint"], "H41"))
        else:
            assert answer.json()["code"] in {"certificate-invalid", "possession-not-proved", "certificate-ended"}, at
        assert nghe_an.get("/v1/agencies/H41/certificates").status_code == 200, at
