"""`agency evidence` brings what the signers' certificates rest on, as far as the hub knows it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.agency import a_hub_of_today, agency, home_of
from builders.authority import YEAR, Authority, an_authority
from builders.axis import Peer
from builders.calling import OFFICE, PROVINCE, client
from builders.evidence import pem
from builders.served import Served, a_line, answers

from hub.authority import Holder, issue
from hub.domain.signature import fingerprint
from hub.exchange import enrol, trust
from hub.store.engine import reading


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    with a_hub_of_today(tmp_path / "hub") as served:
        yield served


@pytest.fixture
def authority() -> Authority:
    return an_authority(datetime.now(UTC))


def joined(hub: Served, code: str, name: str, holder: Holder) -> Peer:
    """An agency with a certificate that somebody issued to it."""
    job = enrol.Enrolment(code, name, certificate=holder.certificate)
    [made] = hub.axis.desk.writer.run(enrol.enrol, enrol.Enrolments((job,), hub.axis.desk.vault))
    return Peer(hub.axis, code, name, made, holder.key, holder.certificate)


def trusting(hub: Served, authority: Authority, *crls: bytes) -> None:
    """The hub trusts the authority, and knows these CRLs."""
    run = hub.axis.desk.writer.run
    for holder, role in ((authority.root, "root"), (authority.intermediate, "intermediate")):
        run(trust.add, trust.Additions((holder.certificate,), role))
    with reading(hub.axis.desk.engine) as connection:
        known = trust.read(connection)
    kept = [trust.crl_of(each, [*known.anchors, *known.intermediates], hub.axis.clock()) for each in crls]
    run(trust.keep, kept)


def reported(hub: Served, office: Peer, province: Peer) -> str:
    """A document that the province keeps and has reported on; its id."""
    document, sent = office.issue(PROVINCE, date=f"{datetime.now(UTC):%Y/%m/%d}")
    province.receive(sent["deliveries"][0]["id"])
    province.report("03", document, timestamp=f"{datetime.now(UTC):%Y/%m/%d %H:%M:%S}")
    hub.axis.integrate()
    return str(sent["id"])


def gathered(hub: Served, peer: Peer, document: str, path: Path) -> dict[str, bytes]:
    """The parts of the file that the agency has written."""
    home = home_of(path.with_suffix(".home"), hub.base_url, peer)
    ended = agency("evidence", document, "--to", path, "--home", home.root, "--json")
    assert (ended.code, ended.rows[0]["valid"]) == (0, True), ended.err
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.startswith(("certificates/", "revoc"))}


def verified(hub: Served, path: Path, *roots: Holder) -> dict[int, Any]:
    """The steps over the file, with the hub's keys and these roots pinned."""
    words: list[object] = []
    for number, octets in enumerate(
        [
            *(httpx.get(hub.base_url + there).content for there in ("/.well-known/jwks.json", "/log/keys")),
            *(pem(root.certificate) for root in roots),
        ]
    ):
        kept = path.with_suffix(f".key{number}")
        kept.write_bytes(octets)
        words += ["--keys", kept]
    [told] = agency("verify", path, *words, "--json").rows
    return {step["number"]: step for step in told["steps"]}


def test_a_file_has_the_chains_and_revocation_data_of_all_who_signed_and_passes_every_step(
    hub: Served, authority: Authority, tmp_path: Path
) -> None:
    now = authority.at
    other = issue("Ủy ban nhân dân tỉnh Nghệ An", now - YEAR, now + YEAR, authority.intermediate)
    office = joined(hub, OFFICE, "Văn phòng Chính phủ", authority.agency)
    province = joined(hub, PROVINCE, "Ủy ban nhân dân tỉnh Nghệ An", other)
    stranger = issue("CA không liên quan", now - YEAR, now + YEAR, authority=True)
    trusting(hub, authority, *authority.crls())
    hub.axis.desk.writer.run(trust.add, trust.Additions((stranger.certificate,), "root"))
    document = reported(hub, office, province)
    path = tmp_path / "15.zip"
    parts = gathered(hub, office, document, path)
    assert sorted(parts) == [
        "certificates/intermediate-1.pem", "certificates/root-1.pem", "certificates/signer-1.pem",
        "certificates/signer-2.pem", "revocation/1.crl", "revocation/2.crl",
    ]  # fmt: skip
    assert parts["certificates/root-1.pem"] == pem(authority.root.certificate), "and none that nothing here rests on"
    steps = verified(hub, path, authority.root)
    assert {number: step["result"] for number, step in steps.items()} == dict.fromkeys(range(1, 13), "passed")


def test_of_a_hub_that_trusts_nobody_the_file_has_the_signers_certificates_and_says_what_they_lack(
    hub: Served, authority: Authority, tmp_path: Path
) -> None:
    office = joined(hub, OFFICE, "Văn phòng Chính phủ", authority.agency)
    province = hub.axis.enrol(PROVINCE)
    path = tmp_path / "15.zip"
    parts = gathered(hub, office, reported(hub, office, province), path)
    assert sorted(parts) == ["certificates/signer-1.pem", "certificates/signer-2.pem"]
    assert set(parts.values()) == {pem(authority.agency.certificate), pem(province.certificate)}
    step = verified(hub, path)[12]
    assert (step["result"], "the file has no root" in step["en"]) == ("untold", True)


def test_what_the_hub_has_judged_the_packet_by_is_had_also_when_it_trusts_others_by_now(
    hub: Served, authority: Authority, tmp_path: Path
) -> None:
    office = joined(hub, OFFICE, "Văn phòng Chính phủ", authority.agency)
    province = hub.axis.enrol(PROVINCE)
    trusting(hub, authority, *authority.crls())
    document = reported(hub, office, province)
    hub.axis.inspect()
    for holder in (authority.root, authority.intermediate):
        hub.axis.desk.writer.run(trust.remove, fingerprint(holder.certificate))
    path = tmp_path / "15.zip"
    parts = gathered(hub, office, document, path)
    assert parts["certificates/root-1.pem"] == pem(authority.root.certificate)
    step = verified(hub, path, authority.root)[12]
    assert step["result"] == "untold", "the province's certificate is nobody's"
    assert "leads to no root here" in step["en"]
    assert "the packet:" not in step["en"]


def test_a_hub_of_before_that_lists_nothing_of_what_it_trusts_is_asked_for_no_more(
    hub: Served, authority: Authority
) -> None:
    office = joined(hub, OFFICE, "Văn phòng Chính phủ", authority.agency)
    with a_line(answers(404), answers(404), to=hub.base_url) as line, client(line, office) as asking:
        assert asking.grounds("0" * 24, ()) == ()
    assert len(line.requests) == 2
