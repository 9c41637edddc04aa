"""Captured requests, sent again byte for byte over a socket: each is let in, understood and answered in shape.

The vendor's client was recorded with invented codes and ids (read where those recordings lie beside the project); the
project's own are what Java's HTTP clients made of data that are invented too. So what they ask for is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.canned import OWN, SECRET, SYSTEM
from builders.dialect import METHODS, Heard, hear
from builders.served import Served, a_served_hub
from builders.wire import Wire

VENDORS = Path(__file__).parents[3] / "shared" / "fixtures" / "gateway"
needs_the_vendors = pytest.mark.skipif(
    not VENDORS.is_dir(), reason="the captures of the vendor's client are not beside the project"
)
# The ErrorCode of each; what is not here is fine. A download has none.
CODES = {"sendEdoc": "10", "getEdoc": "22", "updateStatus": "22", "getSentEdocList": "22"}
OF_THE_VENDORS = CODES | {"registerAgency": "22", "deleteAgency": "22"}  # X01 is below nobody
OF_OURS = CODES | {"sendEdoc": "22"}  # a packet that names no sender
ENDPOINTS = ["/axis", "/axis/", "/tinh/axis"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("served")) as running:
        running.axis.enrol("H41", system_id="test.system", secret="test-secret")
        running.axis.enrol("H05", system_id=SYSTEM, secret=SECRET)
        yield running


def replayed(hub: Served, folder: Path, method: str, endpoint: str) -> Heard:
    """The answer to the recorded bytes, with another endpoint before the method's name."""
    recorded = (folder / f"{method}.req").read_bytes()
    verb, target, rest = recorded.split(b" ", 2)
    assert target.endswith(b"/" + method.encode())
    head, _, body = rest.partition(b"\r\n\r\n")
    with Wire(hub.base_url) as wire:
        wire.pour(b" ".join((verb, f"{endpoint}/{method}".encode(), head)) + b"\r\n\r\n")
        if b"Expect: 100-continue" not in head:
            return hear(wire.pour(body))
        first = hear(wire)
        return hear(wire.pour(body)) if first.status == 100 else first


def is_answered(heard: Heard, method: str, codes: dict[str, str]) -> None:
    answer = heard.read(method)
    if method == "downloadEdoc":
        assert answer.http_status == 404
        return
    assert (answer.http_status, answer.code) == (200, codes.get(method, "0")), answer.description
    if method == "sendEdoc":
        assert answer.doc_id == ""


def test_there_is_a_recording_of_every_method() -> None:
    assert {path.stem for path in OWN.glob("*.req")} == set(METHODS)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("method", METHODS)
def test_what_java_sends_is_let_in_and_answered(hub: Served, method: str, endpoint: str) -> None:
    is_answered(replayed(hub, OWN, method, endpoint), method, OF_OURS)


@needs_the_vendors
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("method", sorted(path.stem for path in VENDORS.glob("*.req")))
def test_what_the_vendors_client_sent_is_let_in_and_answered(hub: Served, method: str, endpoint: str) -> None:
    is_answered(replayed(hub, VENDORS, method, endpoint), method, OF_THE_VENDORS)


@needs_the_vendors
@pytest.mark.parametrize("method", sorted(path.stem for path in VENDORS.glob("*.req")))
def test_under_another_secret_no_recording_is_let_in(tmp_path: Path, method: str) -> None:
    with a_served_hub(tmp_path) as running:
        running.axis.enrol("H41", system_id="test.system", secret="test-secret-2")
        answer = replayed(running, VENDORS, method, "/axis").read(method)
        assert answer.http_status == 404 if method == "downloadEdoc" else answer.code == "15"
