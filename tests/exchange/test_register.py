"""Registering certificates: by a one-time code, by an earlier certificate, and by nobody else (exchange rules 2)."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer, end_certificate
from builders.keys import a_certificate

from hub.domain.signature import fingerprint, prove, statement
from hub.errors import Refusal
from hub.exchange import enrol
from hub.store import roster
from hub.store import tables as t
from hub.store.engine import reading


def registered(axis: Axis, code: str) -> list[tuple[str, str]]:
    """The certificates of an agency: fingerprint and on what ground it was registered."""
    with reading(axis.desk.engine) as connection:
        return [(row["fingerprint"], row["basis"]) for row in roster.certificates_of(connection, [code])]


def register(
    peer: Peer,
    name: str = "mới",
    *,
    code: str = "",
    one_time_code: str | None = None,
    endorser: Peer | None = None,
    key: str = "P-256",
    **changes: Any,
) -> dict[str, Any]:
    """Register a certificate named ``name``; by default with the one-time code of the peer's enrolment."""
    private_key, certificate = a_certificate(name, key)
    code = code or peer.code
    once = peer.credentials["code"] if one_time_code is None else one_time_code
    text = statement(peer.system_id, code, certificate, once)
    proof = changes.pop("proof", None)
    values: dict[str, Any] = {
        "proof": prove(private_key, text) if proof is None else proof,
        "one_time_code": once,
    }
    if endorser is not None:
        values["endorsed_by"] = fingerprint(endorser.certificate)
        values["endorsement"] = prove(endorser.key, text)
    job = enrol.Registration(peer.system_id, code, certificate, **(values | changes))
    made: dict[str, Any] = peer.axis.desk.writer.run(enrol.register, job)
    return made


@pytest.mark.parametrize("key", ["P-256", "P-384", "RSA-2048"])
def test_the_first_certificate_comes_with_the_one_time_code_and_counts_at_once(axis: Axis, key: str) -> None:
    office, province = axis.enrol("G22", keyed=False, key=key), axis.enrol("H41")
    with pytest.raises(Refusal, match=r"^certificate-unknown"):
        office.send("H41")
    made = register(office, "G22", key=key)
    assert registered(axis, "G22") == [(made["fingerprint"], "one-time-code")]
    assert office.send("H41")["signature"]["standing"] == "signed"
    assert len(province.inbox()) == 1


def test_a_one_time_code_serves_once(axis: Axis) -> None:
    office = axis.enrol("G22", keyed=False)
    register(office, "một")
    with pytest.raises(Refusal, match=r"^possession-not-proved"):
        register(office, "hai")
    assert len(registered(axis, "G22")) == 1


def test_four_wrong_codes_leave_the_right_one_good_and_a_fifth_does_not(axis: Axis) -> None:
    for wrong in (4, 5):
        office = axis.enrol("G22", keyed=False)
        for _ in range(wrong):
            with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
                register(office, one_time_code="đoán")
        if wrong == 5:
            with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
                register(office)
            assert registered(axis, "G22") == []
        else:
            register(office)
            with axis.desk.engine.begin() as connection:
                connection.execute(t.certificate.delete())


def test_tries_are_spent_although_others_in_the_batch_succeed(axis: Axis) -> None:
    office, province = axis.enrol("G22", keyed=False), axis.enrol("H41")
    delivery = province.send("G22")["deliveries"][0]["id"]
    for _ in range(5):
        with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
            register(office, one_time_code="đoán")
        office.fetch(delivery)
    with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
        register(office)


@pytest.mark.parametrize(("days", "good"), [(6.99, True), (7, False)])
def test_a_one_time_code_counts_for_seven_days(axis: Axis, days: float, good: bool) -> None:
    office = axis.enrol("G22", keyed=False)
    axis.clock.pass_(days=days)
    if good:
        register(office)
    else:
        with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
            register(office)
    assert len(registered(axis, "G22")) == int(good)


def test_a_one_time_code_is_void_once_a_certificate_stands(axis: Axis) -> None:
    office = axis.enrol("G22", keyed=False)
    code = office.credentials["code"]
    enrolled_by_operator = axis.enrol("G22")
    assert enrolled_by_operator.credentials["code"] == ""
    with pytest.raises(Refusal, match=r"^possession-not-proved"):
        register(enrolled_by_operator, one_time_code=code)


def test_a_one_time_code_serves_its_own_system_and_agency_only(axis: Axis) -> None:
    office, province = axis.enrol("G22", keyed=False), axis.enrol("H41", keyed=False)
    with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
        register(office, one_time_code=province.credentials["code"])
    with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
        register(province, code="H41.05")
    with pytest.raises(Refusal, match=r"^not-found"):
        register(office, code="H41")
    register(province)
    assert [len(registered(axis, code)) for code in ("G22", "H41", "H41.05")] == [0, 1, 0]


UNPROVED: dict[str, dict[str, Any]] = {
    "no proof": {"proof": b""},
    "a proof by another key": {"proof": prove(a_certificate("khác")[0], b"lienthong certificate 1")},
}


@pytest.mark.parametrize("name", list(UNPROVED))
def test_nobody_registers_a_key_he_does_not_hold(axis: Axis, name: str) -> None:
    office = axis.enrol("G22", keyed=False)
    with pytest.raises(Refusal, match=r"^possession-not-proved"):
        register(office, **UNPROVED[name])
    register(office)


def test_a_proof_made_for_another_system_agency_or_code_does_not_serve(axis: Axis) -> None:
    office = axis.enrol("G22", keyed=False)
    key, certificate = a_certificate("mới")
    _, other = a_certificate("khác")
    once = office.credentials["code"]
    for said in (
        ("b" * 24, "G22", certificate, once),
        (office.system_id, "H41", certificate, once),
        (office.system_id, "G22", other, once),
        (office.system_id, "G22", certificate, "khác"),
    ):
        with pytest.raises(Refusal, match=r"^possession-not-proved"):
            register(office, proof=prove(key, statement(*said)))


def test_a_later_certificate_is_endorsed_by_an_earlier_one(axis: Axis) -> None:
    office = axis.enrol("G22")
    made = register(office, endorser=office)
    assert (made["fingerprint"], "endorsed") in registered(axis, "G22")


def test_a_stolen_token_registers_no_key(axis: Axis) -> None:
    """Who has the token, and even a fresh key and its certificate, lacks the agency's old key."""
    office, thief = axis.enrol("G22"), axis.enrol("H27")
    before = registered(axis, "G22")
    for endorsed in (
        {},
        {"endorser": thief},
        {"endorsed_by": fingerprint(office.certificate), "endorsement": b""},
        {"endorsed_by": fingerprint(office.certificate), "endorsement": prove(thief.key, b"x")},
        {"one_time_code": "đoán"},
    ):
        with pytest.raises(Refusal, match=r"^possession-not-proved"):
            register(office, **endorsed)
    assert registered(axis, "G22") == before


def test_a_certificate_that_has_ended_endorses_none(axis: Axis) -> None:
    office = axis.enrol("G22")
    with axis.desk.engine.begin() as connection:
        end_certificate(connection, fingerprint(office.certificate), "G22", axis.clock())
    with pytest.raises(Refusal, match=r"^possession-not-proved"):
        register(office, endorser=office)


def test_a_platform_registers_certificates_of_units_below_by_its_own_key(axis: Axis) -> None:
    province = axis.enrol("H41")
    made = register(province, "Sở Y tế", code="H41.11", endorser=province)
    assert registered(axis, "H41.11") == [(made["fingerprint"], "endorsed")]


def test_registering_the_same_certificate_again_changes_nothing(axis: Axis) -> None:
    office = axis.enrol("G22")
    first = register(office, endorser=office)
    assert register(office, endorser=office) == first
    assert len(registered(axis, "G22")) == 2


@pytest.mark.parametrize("key", ["Ed25519", "P-521", "RSA-1024"])
def test_a_key_the_exchange_does_not_use_is_not_registered(axis: Axis, key: str) -> None:
    office = axis.enrol("G22", keyed=False)
    with pytest.raises(Refusal, match=r"^certificate-invalid"):
        register(office, key=key, proof=b"\x00" * 64)
    assert registered(axis, "G22") == []


def test_the_history_of_an_agencys_certificates_is_kept(axis: Axis) -> None:
    office = axis.enrol("G22")
    axis.clock.pass_(days=1)
    register(office, endorser=office)
    assert registered(axis, "G22") == [
        (fingerprint(office.certificate), "operator"),
        (fingerprint(a_certificate("mới")[1]), "endorsed"),
    ]
    counted = axis.desk.rosters.current(now=True).certificates[fingerprint(a_certificate("mới")[1])]
    assert [(one.code, one.since) for one in counted] == [("G22", axis.clock())]
