"""The two dialects as agencies of the harness speak them: the same calls, the same words, against a served hub."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from builders.axis import Peer
from builders.scripted import Deed, a_scripted_server, answers
from builders.served import Served
from builders.speaking import DIALECTS, a_mark, a_post, a_reply, a_revocation, a_sending, speaker

from clients.replay.wire.dialects import Credentials, Dialect, Listed, Refused
from clients.replay.wire.gateway import Gateway
from clients.replay.wire.lines import Lines, NoAnswer
from clients.replay.wire.rest import Rest
from hub.domain.document import Organization


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@dataclass
class Speaking:
    """The two agencies in one dialect. ``office`` sends, ``province`` receives."""

    office: Dialect
    province: Dialect


@asynccontextmanager
async def speaking(hub: Served, dialect: str, office: Peer, province: Peer) -> AsyncIterator[Speaking]:
    async with Lines(hub.base_url) as lines:
        yield Speaking(speaker(dialect, lines, office), speaker(dialect, lines, province))


async def waiting(system: Dialect, what: str = "document") -> list[Listed]:
    return [item for item in (await system.look("", a_mark())).items if item.what == what]


async def received(system: Dialect) -> None:
    """Whatever waits is fetched and kept."""
    for item in (await system.look("", a_mark())).items:
        await system.fetch(item, a_mark())
        await system.done(item, a_mark())


async def refused(asked: Awaitable[Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        await asked
    return caught.value


def test_a_document_goes_from_the_one_to_the_other(hub: Served, dialect: str, office: Peer, province: Peer) -> None:
    document, packet, post = a_sending(office, "H41")

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            await received(they.province)
            taken = await they.office.send(packet, post, a_mark())
            assert taken.hub_id
            (item,) = await waiting(they.province)
            assert (item.to, item.sender) == ("H41", "G22")
            if dialect == "rest":
                assert (item.document_id, item.sha256) == (document.document_id, hashlib.sha256(packet).hexdigest())
                assert taken.deliveries == ((item.id, "H41"),)
            assert await they.province.fetch(item, a_mark()) == packet
            assert await they.province.fetch(item, a_mark()) == packet, "until it is done it can be fetched again"
            await they.province.done(item, a_mark())
            await they.province.done(item, a_mark())
            assert not await waiting(they.province)

    asyncio.run(story())


def test_the_same_packet_again_is_the_same_document(hub: Served, dialect: str, office: Peer, province: Peer) -> None:
    _, packet, post = a_sending(office, "H41")

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            await received(they.province)
            first = await they.office.send(packet, post, a_mark())
            again = await they.office.send(packet, post, a_mark())
            assert again == replace(first, repeated=dialect == "rest"), "only REST says that it is a repeat"
            assert len(await waiting(they.province)) == 1

    asyncio.run(story())


def test_statuses_come_back_in_their_order(hub: Served, dialect: str, office: Peer, province: Peer) -> None:
    document, packet, post = a_sending(office, "H41")

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            await received(they.province)
            await received(they.office)
            await they.office.send(packet, post, a_mark())
            await received(they.province)
            said = [a_reply(province, document, code) for code in ("01", "03", "06")]
            taken = [await they.province.report(each, "H41", a_mark()) for each in said]
            back = await waiting(they.office, "status")
            assert [await they.office.fetch(item, a_mark()) for item in back] == said
            assert {(item.to, item.sender) for item in back} == {("G22", "H41")}
            if dialect == "rest":
                assert [item.code for item in back] == ["01", "03", "06"]
                assert {item.document_id for item in back} == {document.document_id}
                assert [each.deliveries for each in taken] == [((item.id, ""),) for item in back]
            for item in back:
                await they.office.done(item, a_mark())
            assert not await waiting(they.office, "status")
            again = await they.province.report(said[0], "H41", a_mark())
            assert again == replace(taken[0], repeated=dialect == "rest")

    asyncio.run(story())


def test_the_sender_is_told_what_became_of_its_documents(
    hub: Served, dialect: str, office: Peer, province: Peer
) -> None:
    letters = [a_sending(office, "H41") for _ in range(3)]
    revocation = a_revocation(office, letters[1][0], "H41")

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            await received(they.province)
            after = (await they.office.told("", a_mark())).next
            hub_ids = []
            for _, packet, post in letters:
                hub_ids.append((await they.office.send(packet, post, a_mark())).hub_id)
            deliveries = [item.id for item in await waiting(they.province)]
            assert (await they.office.told(after, a_mark())).entries == ()
            withdrawn = await they.office.send(*revocation, a_mark())
            assert withdrawn.withdrawn == ("H41",)
            await received(they.province)
            await they.province.report(a_reply(province, letters[0][0], "03"), "H41", a_mark())
            await they.province.report(a_reply(province, letters[2][0], "02", "Gửi nhầm nơi nhận"), "H41", a_mark())
            news = await they.office.told(after, a_mark())
            of = {
                hub_id: [(entry.what, entry.status) for entry in news.entries if entry.hub_id == hub_id]
                for hub_id in hub_ids
            }
            assert "delivered" in dict(of[hub_ids[0]])
            assert ("status", "03") in of[hub_ids[0]]
            assert [what for what, _ in of[hub_ids[1]]] == ["withdrawn"]
            assert "delivered" in dict(of[hub_ids[2]])
            assert ("status", "02") in of[hub_ids[2]]
            assert {entry.to for entry in news.entries} == {"H41"}
            by_hub_id = {entry.hub_id: entry.delivery for entry in news.entries}
            assert [by_hub_id[hub_id] for hub_id in hub_ids] == deliveries
            assert (await they.office.told(news.next, a_mark())).entries == ()

    asyncio.run(story())


def test_what_its_recipient_cannot_take_is_told_as_failed(
    hub: Served, dialect: str, office: Peer, province: Peer
) -> None:
    _, packet, post = a_sending(office, "H41")

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            await received(they.province)
            after = (await they.office.told("", a_mark())).next
            sent = await they.office.send(packet, post, a_mark())
            (item,) = await waiting(they.province)
            await they.province.fetch(item, a_mark())
            await they.province.failed(item, a_mark())
            await they.province.failed(item, a_mark())
            assert not await waiting(they.province)
            news = await they.office.told(after, a_mark())
            assert [(entry.what, entry.hub_id, entry.to) for entry in news.entries] == [("failed", sent.hub_id, "H41")]
            await they.province.done(item, a_mark())
            assert "delivered" in [entry.what for entry in (await they.office.told(news.next, a_mark())).entries]
            assert (await refused(they.province.failed(item, a_mark()))).code == "delivery-final"

    asyncio.run(story())


def test_what_expired_and_what_was_opened_again_is_told(
    hub: Served, dialect: str, office: Peer, province: Peer
) -> None:
    _, packet, post = a_sending(office, "H41")

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            await received(they.province)
            sent = await they.office.send(packet, post, a_mark())
            after = (await they.office.told("", a_mark())).next
            hub.axis.clock.pass_(days=31)
            hub.axis.sweep()
            expired = await they.office.told(after, a_mark())
            assert [(entry.what, entry.hub_id) for entry in expired.entries] == [("expired", sent.hub_id)]
            await they.office.send(packet, post, a_mark())  # exactly the same: it waits anew
            again = await they.office.told(expired.next, a_mark())
            assert [(entry.what, entry.hub_id) for entry in again.entries] == [("waiting", sent.hub_id)]

    asyncio.run(story())


def altered(sender: Peer) -> bytes:
    """A document that was changed after it was signed."""
    return a_sending(sender, "H41", subject="Mot")[1].replace(b">Mot<", b">Hai<")


# What is wrong, a packet that has it, and the code and the rules it deserves.
REFUSALS: dict[str, tuple[Callable[[Peer], bytes], str, tuple[str, ...]]] = {
    "no XML": (lambda peer: b"van ban", "xml-not-xml", ()),
    "a document type": (lambda peer: b"<!DOCTYPE x><x/>", "xml-doctype", ()),
    "another content than was signed": (altered, "signature-digest", ()),
    "one rule": (lambda peer: a_sending(peer, "H41", type_name="")[1], "packet-refused", ("field-missing",)),
    "two rules": (
        lambda peer: a_sending(peer, "X99.99", type_name="")[1],
        "packet-refused",
        ("recipient-unknown", "field-missing"),
    ),
    "the sender and a rule": (
        lambda peer: a_sending(peer, "H41", type_name="", sender=Organization(organ_id="H41", name="Nghệ An"))[1],
        "not-your-agency",
        ("certificate-other-agency", "field-missing"),
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_is_named_alike_in_both_dialects(
    what: str, hub: Served, dialect: str, office: Peer, province: Peer
) -> None:
    made, code, rules = REFUSALS[what]
    packet = made(office)

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            refusal = await refused(they.office.send(packet, a_post("G22", "H41", defect=what), a_mark()))
            assert (refusal.code, refusal.rules, refusal.temporary) == (code, rules, False)
            assert refusal.text
            assert bool(refusal.error_code) is (dialect == "gateway")

    asyncio.run(story())


def test_a_conflict_and_a_wrong_status_are_named(hub: Served, dialect: str, office: Peer, province: Peer) -> None:
    document, packet, post = a_sending(office, "H41")
    other = office.packet(replace(document, subject="V/v khác"))

    async def story() -> None:
        async with speaking(hub, dialect, office, province) as they:
            await they.office.send(packet, post, a_mark())
            assert (await refused(they.office.send(other, post, a_mark()))).code == "document-conflict"
            early = a_reply(province, document, "03")
            assert (await refused(they.province.report(early, "H41", a_mark()))).code == "status-not-allowed"
            unknown = Listed("0" * 24, "document", "", "", "", "", "")
            assert (await refused(they.province.fetch(unknown, a_mark()))).code == "not-found"
            assert (await refused(they.province.done(unknown, a_mark()))).code == "not-found"

    asyncio.run(story())


def test_who_is_not_known_is_refused(hub: Served, dialect: str, office: Peer) -> None:
    async def story() -> None:
        async with Lines(hub.base_url) as lines:
            known = Credentials(office.system_id, "nobody", "nobody")
            stranger = Rest(lines, known) if dialect == "rest" else Gateway(lines, known)
            refusal = await refused(stranger.look("", a_mark()))
            assert refusal.code == ("not-authenticated" if dialect == "rest" else "gateway-signature")

    asyncio.run(story())


def test_a_gateway_sender_names_its_recipients_but_not_of_a_spoilt_packet(
    hub: Served, office: Peer, province: Peer
) -> None:
    _, packet, _ = a_sending(office, "H41")

    async def story() -> None:
        async with speaking(hub, "gateway", office, province) as they:
            said_otherwise = await refused(they.office.send(packet, a_post("G22", "H17"), a_mark()))
            assert said_otherwise.code == "to-differs"
            assert await they.office.send(packet, a_post("G22", "H17", defect="x"), a_mark())

    asyncio.run(story())


async def heard(deed: Deed, ask: Callable[[Dialect], Awaitable[Any]], dialect: str) -> Any:
    """What an agency makes of one answer of a hub, whoever's it is."""
    async with a_scripted_server(deed) as hub, Lines(f"{hub.base_url}/noi/bo") as lines:
        known = Credentials("TEST", "token", "secret" * 8)
        system: Dialect = Rest(lines, known) if dialect == "rest" else Gateway(lines, known, path="/xroad")
        try:
            return await ask(system)
        finally:
            (request, *_) = hub.requests
            head = request.partition(b"\r\n\r\n")[0].decode()
            assert " /noi/bo/v1/" in head if dialect == "rest" else " /noi/bo/xroad/" in head
            assert "\r\nX-Request-Id: d7.1" in head
            assert f"\r\nHost: {lines.host}" in head


def says_json(body: object, status: int = 200, *headers: str) -> Deed:
    return answers(json.dumps(body).encode(), status, *headers)


def looks(system: Dialect) -> Awaitable[Any]:
    return system.look("", "d7.1")


def sends(system: Dialect) -> Awaitable[Any]:
    return system.send(b"<x/>", a_post("G22", "H41"), "d7.1")


def fetches(system: Dialect) -> Awaitable[Any]:
    return system.fetch(Listed("7", "document", "", "", "", "", ""), "d7.1")


# Answers of other hubs that say less, and what is made of them.
LENIENT: list[tuple[str, Deed, Callable[[Dialect], Awaitable[Any]], Callable[[Any], Any], Any]] = [
    ("rest", says_json({"id": "7"}, 201), sends, lambda taken: (taken.hub_id, taken.deliveries), ("7", ())),
    ("rest", says_json({"items": [{"id": 7}]}), looks, lambda found: (found.items[0].id, found.next), ("7", "")),
    ("rest", says_json({}), looks, lambda found: found.items, ()),
    ("gateway", says_json({"status": "OK", "DocId": 7}), sends, lambda taken: taken.hub_id, "7"),
    ("gateway", says_json({"ErrorCode": 0, "DocId": "7"}), sends, lambda taken: taken.hub_id, "7"),
    ("gateway", says_json({"ErrorCode": "0", "data": None}), looks, lambda found: found.items, ()),
    ("gateway", says_json({"ErrorCode": "0", "data": "PHgv\nPg=="}), fetches, lambda packet: packet, b"<x/>"),
    ("gateway", says_json({"ErrorCode": "0", "data": "__79"}), fetches, lambda packet: packet, b"\xff\xfe\xfd"),
]


@pytest.mark.parametrize(("dialect", "deed", "ask", "made", "expected"), LENIENT)
def test_what_another_hub_leaves_out_is_no_fault(
    dialect: str, deed: Deed, ask: Callable[[Dialect], Awaitable[Any]], made: Callable[[Any], Any], expected: object
) -> None:
    assert made(asyncio.run(heard(deed, ask, dialect))) == expected


NO_ANSWER: list[tuple[str, Deed, Callable[[Dialect], Awaitable[Any]]]] = [
    ("rest", answers(b"<html/>"), looks),
    ("rest", says_json([]), looks),
    ("rest", says_json({"items": 7}), looks),
    ("rest", says_json({"items": [{}]}), looks),
    ("rest", says_json({}, 201), sends),
    ("rest", answers(b""), fetches),
    ("gateway", answers(b""), looks),
    ("gateway", says_json({}), looks),
    ("gateway", says_json({"ErrorCode": "0", "data": [{"from": "G22"}]}), looks),
    ("gateway", says_json({"ErrorCode": "0", "DocId": ""}), sends),
    ("gateway", says_json({"ErrorCode": "0", "data": ""}), fetches),
    ("gateway", says_json({"ErrorCode": "0", "data": "Đà"}), fetches),
]


@pytest.mark.parametrize(("dialect", "deed", "ask"), NO_ANSWER)
def test_an_answer_without_what_is_needed_is_none(
    dialect: str, deed: Deed, ask: Callable[[Dialect], Awaitable[Any]]
) -> None:
    with pytest.raises(NoAnswer, match=r"^garbage: "):
        asyncio.run(heard(deed, ask, dialect))


BUSY = "[busy] Trục đang quá tải"
REFUSING: list[tuple[str, Deed, tuple[int, str, bool, float]]] = [
    ("rest", says_json({"code": "busy"}, 503, "Retry-After: 7"), (503, "busy", True, 7.0)),
    ("rest", answers(b"<html/>", 502), (502, "http-502", True, 0.0)),
    ("rest", answers(b"", 429, "retry-after: 3"), (429, "http-429", True, 3.0)),
    ("rest", answers(b"", 302), (302, "http-302", False, 0.0)),
    ("gateway", says_json({"ErrorCode": "99", "ErrorDesc": BUSY}, 503, "Retry-After: 7"), (503, "busy", True, 7.0)),
    ("gateway", says_json({"ErrorCode": "99", "ErrorDesc": "Qua tai"}), (200, "busy", True, 0.0)),
    ("gateway", says_json({"ErrorCode": "15", "ErrorDesc": "Sai [1]"}), (200, "gateway-15", False, 0.0)),
    ("gateway", says_json({"status": "FAIL"}), (200, "http-200", False, 0.0)),
    ("gateway", answers(b"<html/>", 502), (502, "http-502", True, 0.0)),
    ("gateway", says_json({"detail": "Not Found"}, 404), (404, "http-404", False, 0.0)),
]


@pytest.mark.parametrize(("dialect", "deed", "expected"), REFUSING)
def test_a_refusal_says_whether_to_come_back(dialect: str, deed: Deed, expected: tuple[Any, ...]) -> None:
    with pytest.raises(Refused) as caught:
        asyncio.run(heard(deed, looks, dialect))
    refusal = caught.value
    assert (refusal.status, refusal.code, refusal.temporary, refusal.retry_after) == expected


def test_the_second_look_of_a_gateway_has_a_mark_of_its_own() -> None:
    async def story() -> None:
        async with a_scripted_server(says_json({"ErrorCode": "0", "data": []})) as hub, Lines(hub.base_url) as lines:
            await Gateway(lines, Credentials("TEST", "", "secret")).look("", "l7.1")
            marks = [line for request in hub.requests for line in request.split(b"\r\n") if b"Request-Id" in line]
            assert marks == [b"X-Request-Id: l7.1.edoc", b"X-Request-Id: l7.1.status"]

    asyncio.run(story())
