"""Registering certificates: by a one-time code, by an earlier certificate, and by nobody else (exchange rules 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders.axis import Axis, Peer, end_certificate
from builders.keys import a_certificate

from hub.domain.signature import fingerprint, prove, statement
from hub.errors import Refusal
from hub.exchange import enrol
from hub.store import roster
from hub.store.engine import reading


def registered(axis: Axis, code: str) -> list[tuple[str, str]]:
    """The certificates of an agency: fingerprint and on what ground it was registered."""
    with reading(axis.desk.engine) as connection:
        return [(row["fingerprint"], row["basis"]) for row in roster.certificates_of(connection, [code])]


def registration(
    peer: Peer,
    name: str = "mới",
    *,
    code: str = "",
    one_time_code: str | None = None,
    endorser: Peer | None = None,
    key: str = "P-256",
    valid: dict[str, datetime] | None = None,
    proof: bytes | None = None,
    **changes: Any,
) -> enrol.Registration:
    """To register a certificate named ``name``; by default with the one-time code of the peer's enrolment."""
    private_key, certificate = a_certificate(name, key, **(valid or {}))
    code = code or peer.code
    once = peer.credentials["code"] if one_time_code is None else one_time_code
    text = statement(peer.system_id, code, certificate, once)
    values: dict[str, Any] = {"proof": prove(private_key, text) if proof is None else proof, "one_time_code": once}
    if endorser is not None:
        values |= {
            "endorsed_by": fingerprint(endorser.certificate),
            "endorsement": prove(endorser.key, text),
        }
    return enrol.Registration(peer.system_id, code, certificate, **(values | changes))


def register(peer: Peer, name: str = "mới", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = peer.axis.desk.writer.run(enrol.register, registration(peer, name, **changes))
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


def test_four_wrong_codes_leave_the_right_one_good(axis: Axis) -> None:
    office = axis.enrol("G22", keyed=False)
    for _ in range(4):
        with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
            register(office, one_time_code="đoán")
    register(office)


def test_a_fifth_wrong_code_is_the_last_try_also_in_a_batch_where_others_succeed(axis: Axis) -> None:
    office, province = axis.enrol("G22", keyed=False), axis.enrol("H41", keyed=False)
    run = axis.desk.writer.submit
    with axis.together():
        wrong = [run(enrol.register, registration(office, one_time_code="đoán")) for _ in range(5)]
        good = run(enrol.register, registration(province))
    for answer in wrong:
        with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
            answer.result()
    assert good.result()["agency"] == "H41"
    with pytest.raises(Refusal, match=r"^one-time-code-wrong"):
        register(office)
    assert registered(axis, "G22") == []


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


def test_a_one_time_code_is_void_and_none_is_given_once_a_certificate_stands(axis: Axis) -> None:
    code = axis.enrol("G22", keyed=False).credentials["code"]
    for keyed in (True, False):
        office = axis.enrol("G22", keyed=keyed)
        assert office.credentials["code"] == ""
        with pytest.raises(Refusal, match=r"^possession-not-proved"):
            register(office, one_time_code=code)


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


def test_nobody_registers_a_key_he_does_not_hold_or_by_a_proof_made_for_something_else(axis: Axis) -> None:
    office = axis.enrol("G22", keyed=False)
    (key, certificate), (other_key, other) = a_certificate("mới"), a_certificate("khác")
    once = office.credentials["code"]
    said = statement(office.system_id, "G22", certificate, once)
    proofs = [b"", prove(other_key, said)]
    proofs += [
        prove(key, text)
        for text in (
            statement("b" * 24, "G22", certificate, once),
            statement(office.system_id, "H41", certificate, once),
            statement(office.system_id, "G22", other, once),
            statement(office.system_id, "G22", certificate, "khác"),
        )
    ]
    for proof in proofs:
        with pytest.raises(Refusal, match=r"^possession-not-proved"):
            register(office, proof=proof)
    register(office, proof=prove(key, said))


def test_a_later_certificate_is_endorsed_by_an_earlier_one(axis: Axis) -> None:
    office = axis.enrol("G22")
    made = register(office, endorser=office)
    assert (made["fingerprint"], "endorsed") in registered(axis, "G22")


def test_a_stolen_token_registers_no_key(axis: Axis) -> None:
    """Who has the token, and even a fresh key and its certificate, lacks the agency's old key."""
    office, thief = axis.enrol("G22"), axis.enrol("H27")
    before = registered(axis, "G22")
    earlier = registration(office, "một chứng thư khác", endorser=office).endorsement
    for endorsed in (
        {},
        {"endorser": thief},
        {"endorser": replace(thief, certificate=office.certificate)},
        {"endorsed_by": fingerprint(office.certificate)},
        {"endorsed_by": fingerprint(office.certificate), "endorsement": earlier},
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


def test_a_certificate_endorses_none_before_its_time(axis: Axis) -> None:
    office = axis.enrol("G22")
    begins = axis.clock() + timedelta(days=1)
    register(office, "ngày mai", valid={"not_before": begins}, endorser=office)
    key, certificate = a_certificate("ngày mai", not_before=begins)
    tomorrow = replace(office, key=key, certificate=certificate)
    with pytest.raises(Refusal, match=r"^possession-not-proved"):
        register(office, endorser=tomorrow)
    axis.clock.pass_(days=1)
    register(office, endorser=tomorrow)


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


def test_a_certificate_that_has_ended_is_not_registered_and_spends_no_one_time_code(axis: Axis) -> None:
    office = axis.enrol("G22", keyed=False)
    with pytest.raises(Refusal, match=r"^certificate-ended"):
        register(office, "đã hết hạn", valid={"not_after": axis.clock()})
    register(office)
    assert len(registered(axis, "G22")) == 1


def test_an_agency_has_twenty_standing_certificates_at_most(axis: Axis) -> None:
    office = axis.enrol("G22")
    for number in range(19):
        register(office, f"khóa {number}", endorser=office)
    with pytest.raises(Refusal, match=r"^too-many-certificates"):
        register(office, "khóa 20", endorser=office)
    with pytest.raises(Refusal, match=r"^too-many-certificates"):
        axis.enrol("G22", "Văn phòng Chính phủ")
    assert len(registered(axis, "G22")) == 20
    assert set(axis.desk.rosters.current(now=True).systems) == {office.system_id}
    with axis.desk.engine.begin() as connection:
        end_certificate(connection, fingerprint(a_certificate("khóa 0")[1]), "G22", axis.clock())
    register(office, "khóa 20", endorser=office)


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
