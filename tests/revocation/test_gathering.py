"""Having what tells the status of a path's certificates: whom to ask, what is believed, and when not to ask at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders.authority import ocsp_answer, responder
from builders.ports import free_ports
from builders.revoking import Named, RevocationServer, named, revocation_server
from cryptography import x509

from hub.authority import DAY, Holder, crl, two_levels
from hub.domain.trust import Material, Verdict, validate
from hub.domain.trust.path import Path
from hub.revocation import Fetcher, Gathered, gather

AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
OCSP, POINT, ABOVE = "/ocsp", "/intermediate.crl", "/root.crl"


@pytest.fixture
def server() -> Iterator[RevocationServer]:
    with revocation_server() as running:
        yield running


@pytest.fixture
def pki(server: RevocationServer) -> Named:
    return named(AT, [server.url(POINT)], [server.url(OCSP)], [server.url(ABOVE)])


def serve_crls(server: RevocationServer, pki: Named, *crls: bytes) -> None:
    for path, octets in zip((POINT, ABOVE), crls or pki.crls(), strict=True):
        server.serve(path, octets)


def gathered(path: Path, stored: tuple[Material, ...] = (), now: datetime = AT) -> Gathered:
    with Fetcher() as fetcher:
        return gather(path, AT, stored, fetcher, lambda: now)


def verdict(pki: Named, material: tuple[Material, ...]) -> Verdict:
    anchors, intermediates = [pki.root.certificate], [pki.intermediate.certificate]
    terms: dict[str, Any] = {"anchors": anchors, "intermediates": intermediates, "revocation": material}
    return validate(pki.agency.certificate, AT, **terms).verdict


def test_the_responder_is_asked_and_a_crl_fetched_where_there_is_none(server: RevocationServer, pki: Named) -> None:
    serve_crls(server, pki)
    server.answer(OCSP, [pki.agency.certificate], pki.intermediate, made=AT - HOUR)
    found = gathered(pki.path)
    assert server.asked == [("POST", OCSP), ("GET", ABOVE)]
    assert [(one.material.kind, one.url) for one in found.kept] == [
        ("ocsp", server.url(OCSP)),
        ("crl", server.url(ABOVE)),
    ]
    assert found.told == []
    assert verdict(pki, found.material) is Verdict.VALID_NO_TIMESTAMP


def test_an_answer_that_says_revoked_is_kept_like_any_other(server: RevocationServer, pki: Named) -> None:
    serve_crls(server, pki)
    revoked = (AT - DAY, x509.ReasonFlags.key_compromise)
    server.answer(OCSP, [pki.agency.certificate], pki.intermediate, made=AT - HOUR, revoked=revoked)
    assert verdict(pki, gathered(pki.path).material) is Verdict.REVOKED_AT_SIGNING


def test_a_delegated_responder_is_believed(server: RevocationServer, pki: Named) -> None:
    serve_crls(server, pki)
    by = responder(pki.intermediate, AT)
    server.answer(OCSP, [pki.agency.certificate], pki.intermediate, made=AT - HOUR, by=by)
    assert {one.material.kind for one in gathered(pki.path).kept} == {"ocsp", "crl"}


def test_when_the_responder_is_away_the_crl_is_fetched_and_that_is_told(server: RevocationServer) -> None:
    away = f"http://127.0.0.1:{free_ports(1)[0]}/ocsp"
    pki = named(AT, [server.url(POINT)], [away], [server.url(ABOVE)])
    serve_crls(server, pki)
    found = gathered(pki.path)
    assert server.asked == [("GET", POINT), ("GET", ABOVE)]
    assert [en for _, en in found.told] == [f"«Văn phòng Chính phủ», {away}: cannot be reached (ConnectError)"]
    assert verdict(pki, found.material) is Verdict.VALID_NO_TIMESTAMP


def test_when_neither_can_be_reached_the_verdict_says_that_nothing_is_known(
    server: RevocationServer, pki: Named
) -> None:
    found = gathered(pki.path)  # the server has no pages
    assert found.kept == []
    assert len(found.told) == 3
    assert verdict(pki, found.material) is Verdict.INDETERMINATE_REVOCATION


def strangers(pki: Named) -> Holder:
    """Of the same name, with another key."""
    return two_levels(AT)[1]


@pytest.mark.parametrize("lie", ["noise", "empty", "stranger", "other certificate", "old", "try later"])
def test_an_answer_that_tells_nothing_is_not_kept_and_the_crl_is_fetched(
    server: RevocationServer, pki: Named, lie: str
) -> None:
    serve_crls(server, pki)
    answers = {
        "noise": b"<html>",
        "empty": b"",
        "stranger": ocsp_answer(pki.agency.certificate, strangers(pki), AT),
        "other certificate": ocsp_answer(pki.intermediate.certificate, pki.root, AT),
        "old": ocsp_answer(pki.agency.certificate, pki.intermediate, AT - 2 * DAY),
        "try later": bytes.fromhex("30030a0103"),
    }
    server.serve(OCSP, answers[lie])
    found = gathered(pki.path)
    assert [one.material.kind for one in found.kept] == ["crl", "crl"]
    assert len(found.told) == 1
    assert server.url(OCSP) in found.told[0][1]


@pytest.mark.parametrize("lie", ["noise", "stranger", "delta"])
def test_a_crl_that_the_issuer_did_not_sign_whole_is_not_kept(server: RevocationServer, pki: Named, lie: str) -> None:
    """Else whoever stands between could put it in the place of the good one."""
    delta: tuple[tuple[x509.ExtensionType, bool], ...] = ((x509.DeltaCRLIndicator(1), True),)
    crls = {
        "noise": b"<html>",
        "stranger": crl(strangers(pki), AT),
        "delta": crl(pki.intermediate, AT, extensions=delta),
    }
    server.answer(OCSP, [pki.agency.certificate], pki.intermediate, made=AT, unknown=True)
    serve_crls(server, pki, crls[lie], pki.crls()[1])
    found = gathered(pki.path)
    assert [one.url for one in found.kept] == [server.url(ABOVE)]
    assert len(found.told) == 2


def test_what_was_had_serves_an_hour_and_a_day(server: RevocationServer, pki: Named) -> None:
    serve_crls(server, pki)
    server.answer(OCSP, [pki.agency.certificate], pki.intermediate, made=AT, until=AT + 9 * DAY)
    stored = gathered(pki.path).material
    for later, asked in (
        (HOUR, []),
        (HOUR + timedelta(seconds=1), [("POST", OCSP)]),
        (DAY, [("POST", OCSP)]),
        (DAY + timedelta(seconds=1), [("POST", OCSP), ("GET", ABOVE)]),
    ):
        server.asked.clear()
        gathered(pki.path, stored, AT + later)
        assert server.asked == asked, later


def test_what_was_had_does_not_serve_past_its_next_update(server: RevocationServer, pki: Named) -> None:
    octets = ocsp_answer(pki.agency.certificate, pki.intermediate, AT - HOUR, until=AT - timedelta(minutes=1))
    stored = (Material("ocsp", octets, AT - HOUR), Material("crl", pki.crls()[1], AT))
    server.answer(OCSP, [pki.agency.certificate], pki.intermediate, made=AT)
    assert len(gathered(pki.path, stored).kept) == 1
    assert server.asked == [("POST", OCSP)]


def test_a_certificate_that_leads_to_no_root_makes_nobody_be_asked(server: RevocationServer, pki: Named) -> None:
    """Its addresses may be anybody's: the hub would knock wherever a stranger says."""
    serve_crls(server, pki)
    stranger = named(AT, [server.url(POINT)], [server.url(OCSP)], [server.url(ABOVE)])
    lost = Path((stranger.agency.certificate, stranger.intermediate.certificate), trusted=False)
    assert gathered(lost) == Gathered()
    assert server.asked == []


def test_of_many_addresses_few_are_asked_and_none_that_is_not_http(server: RevocationServer) -> None:
    points = ["ldap://127.0.0.1/cn=CA", "file:///etc/passwd", *[server.url(f"/{n}.crl") for n in range(50)]]
    pki = named(AT, points, [server.url(f"/{n}") for n in range(50)], [server.url(ABOVE)])
    server.serve(ABOVE, pki.crls()[1])
    gathered(pki.path)
    expected = [("POST", f"/{n}") for n in range(3)] + [("GET", f"/{n}.crl") for n in range(3)]
    assert server.asked == [*expected, ("GET", ABOVE)]
