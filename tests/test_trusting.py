"""`hub trust` as an operator types it, with the authority it makes itself."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders.authority import AGENCY
from builders.commands import Ended, run
from builders.databases import opened
from builders.ports import free_ports
from builders.revoking import RevocationServer, named, revocation_server
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.authority import write_folder
from hub.domain.signature import fingerprint
from hub.domain.trust import Verdict
from hub.store import audit
from hub.store.engine import reading

AGENCIES = {"G22": (AGENCY, "Nguyễn Văn An"), "H41": ("Ủy ban nhân dân tỉnh Nghệ An", "Trần Thị Bình")}
NOW = datetime.now(UTC)


def trust(folder: Path, *words: str) -> Ended:
    """`hub trust` on the hub of this folder."""
    return run("trust", words[0], *words[1:], "--data-dir", str(folder))


def is_well(end: Ended) -> str:
    assert end.code == 0, end.err
    return end.out


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `hub trust demo-ca` makes."""
    folder = tmp_path_factory.mktemp("ca") / "ca"
    is_well(run("trust", "demo-ca", str(folder)))
    return folder


@pytest.fixture(scope="module")
def trusting(ca: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub that trusts it as its README says."""
    folder = tmp_path_factory.mktemp("hub")
    for line in (ca / "README.txt").read_text("utf-8").splitlines():
        if line.startswith(("hub trust add", "hub trust crl")):
            words = [str(ca / word) if "." in word else word for word in line.split()[2:]]
            is_well(trust(folder, *words))
    return folder


@pytest.fixture
def hub(trusting: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    shutil.copytree(trusting, tmp_path / "hub")
    return tmp_path / "hub"


def said(ca: Path) -> dict[str, str]:
    """The verdict on each file, as the README of the folder says it."""
    lines = (ca / "README.txt").read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if line.split()]
    return {row[0]: row[1] for row in rows if len(row) > 1 and row[1] in set(Verdict)}


def test_the_folder_s_table_names_every_kind_of_defect(ca: Path) -> None:
    table = said(ca)
    assert set(table) == {path.name for path in ca.glob("*.pem")} - {"root.pem", "intermediate.pem"}
    defects = {"expired", "revoked", "wrong-usage", "weak-key", "other-agency", "not-yet-valid"}
    assert {f"{defect}.pem" for defect in defects} <= set(table)


@pytest.mark.parametrize(
    ("file", "verdict"),
    [
        ("G22", "VALID_NO_TIMESTAMP"),
        ("leader-G22", "VALID_NO_TIMESTAMP"),
        ("H41", "NAME_MISMATCH"),
        ("expired", "EXPIRED_AT_SIGNING"),
        ("not-yet-valid", "EXPIRED_AT_SIGNING"),
        ("revoked", "REVOKED_AT_SIGNING"),
        ("wrong-usage", "UNTRUSTED_CHAIN"),
        ("weak-key", "WEAK_ALGORITHM"),
        ("other-agency", "NAME_MISMATCH"),
    ],
)
def test_check_gives_each_its_verdict_in_both_languages_and_an_exit_code(
    ca: Path, trusting: Path, file: str, verdict: str
) -> None:
    assert said(ca)[f"{file}.pem"] == verdict
    end = trust(trusting, "check", str(ca / f"{file}.pem"), "--code", "G22", "--offline")
    assert end.code == (0 if verdict.startswith("VALID") else 1), end.err
    lines = end.out.splitlines()
    assert lines[0].split()[0] == verdict
    assert [line[0] for line in lines[1:] if not line.startswith(" ")] == list("12345678")
    assert "Không có dấu thời gian: lúc ký là do bên ký khai." in end.out
    assert "No timestamp: the signer said when." in end.out


def test_at_another_moment_the_verdict_is_another(ca: Path, trusting: Path) -> None:
    before = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    for file, moment, verdict in (
        ("expired", before, "VALID_NO_TIMESTAMP"),
        ("revoked", before, "VALID_NO_TIMESTAMP"),
        ("G22", "2020-01-01T08:00", "EXPIRED_AT_SIGNING"),
    ):
        end = trust(trusting, "check", str(ca / f"{file}.pem"), "--at", moment, "--offline")
        # Once a certificate has ended, a later list that leaves it out says nothing of it (RFC 5280 §3.3).
        expected = "INDETERMINATE_REVOCATION" if file == "expired" else verdict
        assert end.out.split()[0] == expected, end.err


def test_without_an_agency_no_name_is_compared(ca: Path, trusting: Path) -> None:
    assert is_well(trust(trusting, "check", str(ca / "H41.pem"))).startswith("VALID_NO_TIMESTAMP")


def test_certificates_with_their_chain_and_in_der_are_read_too(ca: Path, trusting: Path, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes((ca / "G22.pem").read_bytes() + (ca / "intermediate.pem").read_bytes())
    der = tmp_path / "G22.der"
    der.write_bytes(x509.load_pem_x509_certificate((ca / "G22.pem").read_bytes()).public_bytes(Encoding.DER))
    for file in (chain, der):
        is_well(trust(trusting, "check", str(file), "--offline"))


def test_list_has_every_certificate_with_its_days_those_of_agencies_too(ca: Path, hub: Path) -> None:
    is_well(trust(hub, "add", str(ca / "leader-H41.pem"), "--code", "H41"))
    is_well(run("enrol", "G22", "--certificate", str(ca / "G22.pem"), "--data-dir", str(hub)))
    rows = [json.loads(line) for line in is_well(trust(hub, "list", "--json")).splitlines()]
    assert [(row["role"], row["code"], row["subject"]) for row in rows] == [
        ("intermediate", "", "CA cấp dưới thử nghiệm"),
        ("person", "H41", "Trần Thị Bình"),
        ("root", "", "CA gốc thử nghiệm"),
        ("agency", "G22", AGENCY),
    ]
    assert [row["days"] in {363, 364} for row in rows] == [False, True, False, True]
    table = is_well(trust(hub, "list"))
    assert "Trần Thị Bình" in table
    assert rows[1]["fingerprint"][:16] in table


def test_remove_by_what_list_shows_and_the_certificate_counts_no_more(ca: Path, hub: Path) -> None:
    root = fingerprint(x509.load_pem_x509_certificate((ca / "root.pem").read_bytes()))
    is_well(trust(hub, "remove", root[:16]))
    end = trust(hub, "check", str(ca / "G22.pem"), "--offline")
    assert (end.code, end.out.split()[0]) == (1, "UNTRUSTED_CHAIN")
    trust(hub, "remove", root[:16]).tells("trust-unknown")


def test_a_root_is_added_only_if_that_is_said_and_nothing_else_as_one(ca: Path, tmp_path: Path) -> None:
    trust(tmp_path, "add", str(ca / "root.pem")).tells("trust-unfit", "--role root")
    trust(tmp_path, "add", str(ca / "G22.pem"), "--role", "root").tells("trust-unfit", "it is no CA")
    trust(tmp_path, "add", str(ca / "intermediate.pem"), "--role", "root").tells("not signed by itself")
    trust(tmp_path, "add", str(ca / "root.pem"), "--role", "root", "--code", "H41").tells("--role person", code=2)
    assert is_well(trust(tmp_path, "list", "--json")) == "", "the hub was made, nothing was added"


@pytest.mark.parametrize("command", ["add", "check", "crl"])
def test_a_file_that_cannot_be_read_is_told_by_name(hub: Path, tmp_path: Path, command: str) -> None:
    noise = tmp_path / "noise.pem"
    noise.write_bytes(b"noise")
    told = ("crl-unfit", 1) if command == "crl" else ("noise.pem is no certificate", 2)
    trust(hub, command, str(noise)).tells(told[0], code=told[1])
    trust(hub, command, str(tmp_path / "none.pem")).tells("No such file or directory", code=2)


def test_a_moment_that_is_none_is_told(ca: Path, hub: Path) -> None:
    trust(hub, "check", str(ca / "G22.pem"), "--at", "hôm qua").tells("--at hôm qua", code=2)


def test_a_crl_in_a_file_that_the_hub_has_is_told_as_nothing_newer(ca: Path, hub: Path) -> None:
    assert "nothing newer" in is_well(trust(hub, "crl", str(ca / "root.crl")))


def test_keys_are_their_owner_s_alone_and_a_folder_with_something_in_it_is_left_alone(ca: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in ca.glob("*.key")}
    assert modes == {0o600}
    before = {path: path.read_bytes() for path in ca.iterdir()}
    run("trust", "demo-ca", str(ca)).tells("there is something in it already")
    assert {path: path.read_bytes() for path in ca.iterdir()} == before


def test_the_authority_needs_no_command(tmp_path: Path) -> None:
    issued = write_folder(tmp_path / "ca", NOW, AGENCIES)
    assert fingerprint(issued["G22"].holder.certificate) == fingerprint(
        x509.load_pem_x509_certificate((tmp_path / "ca" / "G22.pem").read_bytes())
    )


# Over the net.


@pytest.fixture
def server() -> Iterator[RevocationServer]:
    with revocation_server() as running:
        yield running


def a_trusted_authority(server: RevocationServer, folder: Path, responder: str) -> Path:
    """Of which a hub in the folder knows the root; gives a certificate with its chain, which names where to ask."""
    pki = named(datetime.now(UTC).replace(microsecond=0), [server.url("/ca.crl")], [responder], [server.url("/root")])
    below, above = pki.crls()
    server.serve("/ca.crl", below)
    server.serve("/root", above)
    server.answer("/ocsp", [pki.agency.certificate], pki.intermediate, made=pki.at - timedelta(hours=1))
    files = {"root": [pki.root], "chain": [pki.agency, pki.intermediate]}
    for name, holders in files.items():
        octets = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in holders)
        (folder / f"{name}.pem").write_bytes(octets)
    is_well(trust(folder, "add", str(folder / "root.pem"), "--role", "root"))
    return folder / "chain.pem"


def test_check_asks_keeps_and_asks_no_second_time_within_the_hour(server: RevocationServer, tmp_path: Path) -> None:
    chain = str(a_trusted_authority(server, tmp_path, server.url("/ocsp")))
    end = trust(tmp_path, "check", chain, "--offline")
    assert (end.code, end.out.split()[0]) == (1, "INDETERMINATE_REVOCATION")
    assert server.asked == []
    is_well(trust(tmp_path, "check", chain))
    assert server.asked == [("POST", "/ocsp"), ("GET", "/root")]
    is_well(trust(tmp_path, "check", chain))
    is_well(trust(tmp_path, "check", chain, "--offline"))
    assert len(server.asked) == 2
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as engine, reading(engine) as connection:
        assert [row["facts"] for row in audit.entries(connection, action="trust-check")] == [{"kept": 2}]


def test_when_neither_can_be_reached_that_is_told_and_the_verdict_says_it(
    server: RevocationServer, tmp_path: Path
) -> None:
    away = f"http://127.0.0.1:{free_ports(1)[0]}/ocsp"
    chain = str(a_trusted_authority(server, tmp_path, away))
    server.pages.clear()
    end = trust(tmp_path, "check", chain)
    assert (end.code, end.out.split()[0]) == (1, "INDETERMINATE_REVOCATION")
    for told in (away, server.url("/ca.crl"), server.url("/root"), "không liên lạc được", "the server answered 404"):
        assert told in end.said


def test_a_crl_is_taken_from_a_url_and_what_cannot_be_had_is_told(server: RevocationServer, tmp_path: Path) -> None:
    a_trusted_authority(server, tmp_path, server.url("/ocsp"))
    for _ in range(2):
        assert "CRL of" in is_well(trust(tmp_path, "crl", server.url("/root").replace("//", "//thu:matkhau@")))
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as engine, reading(engine) as connection:
        assert [row["subject"] for row in audit.entries(connection, action="trust-crl")] == [server.url("/root")]
    trust(tmp_path, "crl", server.url("/ca.crl")).tells("crl-unfit", "no authority known here signed it")
    trust(tmp_path, "crl", server.url("/none")).tells("crl-unfit", "the server answered 404")
    trust(tmp_path, "crl", "ldap://127.0.0.1/cn=CA").tells("crl-unfit", "only http and https")
