"""`agency renew`: another key and certificate, and never a moment in which the folder's pair is not registered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from builders.agency import (
    RENEWING,
    a_hub_of_today,
    agency,
    credentials,
    dies,
    fresh_codes,
    issued,
    joined,
    moved,
    renew,
)
from builders.axis import end_certificate
from builders.calling import PROVINCE
from builders.packets import PDF
from builders.served import Served, a_line, loses_the_answer
from cryptography.x509 import Certificate, load_pem_x509_certificate

from clients.agency import durable, keys
from clients.agency.home import Home
from hub.domain.document import local_day
from hub.domain.signature import fingerprint

_codes = fresh_codes()
_numbers = iter(range(1, 1000))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_hub_of_today(tmp_path_factory.mktemp("hub")) as served:
        yield served


@pytest.fixture(scope="module")
def province(hub: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipient."""
    return joined(hub, PROVINCE, tmp_path_factory.mktemp("province"))


@pytest.fixture
def home(hub: Served, province: Path, tmp_path: Path) -> Home:
    """An agency that has joined, and has somebody to write to."""
    return Home(joined(hub, next(_codes), tmp_path))


def send(home: Home) -> None:
    """Send one more document: signed by the folder's pair, and accepted."""
    letter = home.root.parent / "15.pdf"
    letter.write_bytes(PDF)
    ended = agency(
        "send", letter, "--to", PROVINCE, "--number", next(_numbers), "--notation", "VP",
        "--subject", "Về việc gia hạn chứng thư", "--home", home.root,
    )  # fmt: skip
    assert ended.code == 0, ended.err


def registered(home: Home) -> list[Certificate]:
    with home.client(home.config()) as client:
        return [each.certificate for each in client.certificates(home.config().code)]


def pairs(home: Home) -> dict[str, Certificate]:
    """The certificates in the folder that fit the key of the same name, by what tells them from the standing one."""
    found = {}
    for path in home.root.glob("key*.pem"):
        own = path.name.removeprefix("key").removesuffix(".pem")
        pem = (home.root / f"certificate{own}.pem").read_bytes()
        found[own] = keys.read_certificate(pem, keys.read_key(path.read_bytes()))
    return found


def test_packets_of_the_new_key_are_accepted_and_those_of_the_old_still_verify(home: Home, province: Path) -> None:
    before = home.identity()[1]
    send(home)
    ended = agency("renew", "--home", home.root, "--json")
    assert [row["event"] for row in ended.rows] == ["key-made", "renewed"], ended.err
    after = home.identity()[1]
    assert ended.rows[-1]["fingerprint"] == fingerprint(after)
    send(home)
    taken = agency("listen", "--once", "--home", province, "--json").rows
    records = [json.loads((Path(row["path"]) / "delivery.json").read_text()) for row in taken]
    assert [row["standing"] for row in taken] == ["signed", "signed"]
    assert [each["signature"]["certificate"] for each in records] == [fingerprint(before), fingerprint(after)]


def test_each_old_pair_is_kept_for_its_owner_alone(home: Home) -> None:
    first = home.identity()[1]
    renew(home)
    second = home.identity()[1]
    renew(home)
    day = f"{local_day(first.not_valid_before_utc):%Y%m%d}"
    assert pairs(home) == {"": home.identity()[1], f"-{day}": first, f"-{day} (2)": second}
    assert {path.stat().st_mode & 0o777 for path in home.root.glob("*.pem")} == {0o600}


@pytest.mark.parametrize(("step", "nth"), RENEWING)
def test_killed_at_any_step_its_pair_is_registered_and_it_goes_on(home: Home, step: str, nth: int) -> None:
    old = home.identity()[1]
    assert dies(renew, home, step, nth)
    assert home.identity()[1] in registered(home)
    assert (home.identity()[1] == old) == (step not in {"key-switched", "certificate-switched"})
    send(home)
    if step != "certificate-switched":
        assert renew(home)[-1]["event"] == "renewed"
    new = home.identity()[1]
    assert {new, old} == set(registered(home)), "no certificate but these two was ever registered"
    assert new != old
    assert sorted(pairs(home).values(), key=fingerprint) == sorted([new, old], key=fingerprint)
    assert not home.next_key.exists()
    assert not home.next_certificate.exists()
    send(home)


def test_a_registration_whose_answer_was_lost_is_found(hub: Served, home: Home) -> None:
    old = home.identity()[1]
    with a_line(loses_the_answer, to=hub.base_url) as line:
        ended = agency("renew", "--home", moved(home, line.base_url).root, "--json")
        assert not line.deeds
        assert ended.rows[-1]["event"] == "renewed", ended.err
        assert set(registered(home)) == {old, home.identity()[1]}


def test_an_ended_certificate_needs_the_operator_and_then_it_goes_on(hub: Served, home: Home, tmp_path: Path) -> None:
    code, old = home.config().code, home.identity()[1]
    with hub.axis.desk.engine.begin() as connection:
        end_certificate(connection, fingerprint(old), code, hub.axis.clock())
    ended = agency("renew", "--home", home.root)
    told = f"hub enrol {code} --replace --json --certificate {home.next_certificate}"
    assert (ended.code, told in ended.err) == (1, True), ended.err
    assert home.identity()[1] == old
    given = credentials(hub, code, tmp_path, certificate=load_pem_x509_certificate(home.next_certificate.read_bytes()))
    assert agency("init", "--credentials", given, "--home", home.root).code == 0
    assert agency("renew", "--home", home.root, "--json").rows[-1]["event"] == "renewed"
    assert home.identity()[1] != old
    send(home)


def test_an_issued_certificate_is_switched_to_and_listen_tells_when_it_ends_soon(hub: Served, home: Home) -> None:
    now, old = hub.axis.clock(), home.identity()[1]
    listen = ("listen", "--once", "--home", home.root, "--json")
    for days, told in ((61, []), (59, ["certificate-ends"])):
        asked = agency("renew", "--csr", "--home", home.root, "--json").rows
        assert [row["event"] for row in asked] == ["key-made", "request-made"]
        assert (
            "belongs to another key" in agency("renew", "--certificate", home.certificate_file, "--home", home.root).err
        )
        made = issued(home.root / "request.pem", now, days)
        words = ("renew", "--certificate", made, "--home", home.root, "--json")
        # Twice: the first could have been killed before it told.
        assert [row["event"] for _ in "ab" for row in agency(*words).rows] == ["renewed", "renewed"]
        assert home.identity()[1] == load_pem_x509_certificate(made.read_bytes())
        assert [row["event"] for row in agency(*listen).rows] == told
    assert str(local_day(now + timedelta(days=59))) in agency(*listen, "--lang", "vi").out
    assert len(pairs(home)) == 3
    assert old in pairs(home).values()


def test_a_certificate_that_does_not_count_today_is_not_switched_to(hub: Served, home: Home) -> None:
    old = home.identity()[1]
    agency("renew", "--csr", "--home", home.root)
    made = issued(home.root / "request.pem", hub.axis.clock(), days=-0.5)
    ended = agency("renew", "--certificate", made, "--home", home.root)
    assert (ended.code, "it counts from" in ended.err) == (1, True), ended.err
    assert home.identity()[1] == old
    assert registered(home) == [old]


def test_only_one_renews_and_only_what_has_joined(hub: Served, home: Home, tmp_path: Path) -> None:
    with durable.held(home.root):
        assert "Another agency renew" in agency("renew", "--home", home.root).err
    code = next(_codes)
    asked = credentials(hub, code, tmp_path)
    words = ("--hub", hub.base_url, "--code", code, "--credentials", asked, "--home", tmp_path / code)
    assert agency("init", *words, "--csr").code == 0
    assert "run agency init first" in agency("renew", "--home", tmp_path / code).err
    assert not Home(tmp_path / code).next_key.exists()
