"""The stock: packets that the hub's own reading accepts, the same each time, made ahead of the player."""

from __future__ import annotations

import asyncio
from itertools import islice

import pytest
from cryptography import x509

from clients.replay.plan.defects import DEFECTS
from clients.replay.planned import Post, Reply
from clients.replay.scenario.read import read, shipped
from clients.replay.stock import press
from clients.replay.stock.stock import Stock
from hub.domain.document import Kind
from hub.domain.edxml import is_status, parse, read_document, read_status
from hub.domain.signature import Signed, fingerprint, verify


def orders(stock: Stock, posts: list[Post]) -> list[tuple[Post, Reply]]:
    return [(post, reply) for post in posts for to in post.recipients for reply in stock.replies(post, to)]


@pytest.mark.parametrize("name", list(shipped()))
def test_packets_say_what_was_planned_and_are_signed_by_the_senders_system(name: str) -> None:
    stock = Stock(read(name))
    chosen = [post for post in islice(stock.posts(), 60) if not post.defect]
    for post in chosen[:25]:
        packet = press.packet(stock.scene, post)
        result = verify(parse(packet))
        if post.signed:
            assert isinstance(result, Signed)
            assert result.fingerprint == fingerprint(x509.load_pem_x509_certificate(stock.certificate(post.sender)))
        document = read_document(parse(packet))
        assert (document.sender.organ_id, document.document_id) == (post.sender, post.document_id)
        assert tuple(to.organ_id for to in document.recipients) == post.recipients
        assert (document.number, document.symbol) == (post.number, post.symbol)
        assert (document.promulgation_date, document.kind) == (f"{post.day:%Y/%m/%d}", post.kind)
        assert document.priority == "0" or post.urgent
        if 300 * len(post.recipients) < post.size:  # or the recipients alone may take more
            assert len(packet) == pytest.approx(post.size, rel=0.1, abs=900)


def test_statuses_say_what_was_planned() -> None:
    stock = Stock(read("smoke"))
    for post, reply in orders(stock, list(stock.posts()))[::7]:
        tree = parse(press.status(stock.scene, post, reply))
        assert is_status(tree)
        assert isinstance(verify(tree), Signed)
        report = read_status(tree)
        speaker, other = (post.sender, reply.recipient) if reply.by_sender else (reply.recipient, post.sender)
        assert (report.sender.organ_id, report.status) == (speaker, reply.code)
        assert (report.response_for.organ_id, report.response_for.document_id) == (other, post.document_id)


def test_what_acts_on_an_earlier_document_names_it() -> None:
    stock = Stock(read("smoke"))
    named = {}
    for post in stock.posts():
        if post.kind is not Kind.NEW:
            document = read_document(parse(press.packet(stock.scene, post)))
            named[post.kind] = post.target_id in {
                document.business.document_id,
                *(replaced.document_id for replaced in document.business.replaced),
                *(reference.document_id for reference in document.response_for),
            }
    assert named == {Kind.UPDATE: True, Kind.REVOCATION: True, Kind.REPLACEMENT: True}


def test_another_stock_with_the_same_seed_has_the_same_bytes_and_another_seed_others() -> None:
    stock, twin, other = (Stock(read("hostile"), scale=0.1, seed=seed) for seed in (5, 5, 6))
    posts = list(stock.posts())
    assert {post.defect for post in posts} == {"", *DEFECTS}
    for post in posts:
        assert press.packet(stock.scene, post) == press.packet(twin.scene, post)
    assert stock.certificate("G22") == twin.certificate("G22") != other.certificate("G22")


def test_a_certificate_counts_in_the_years_that_are_played() -> None:
    certificate = x509.load_pem_x509_certificate(Stock(read("smoke")).certificate("H41.200"))
    assert certificate.subject.rfc4514_string() == "CN=H41"
    assert (certificate.not_valid_before_utc.year, certificate.not_valid_after_utc.year) == (2000, 2049)


def test_what_is_made_ahead_is_what_is_made_on_demand_and_can_be_asked_for_again() -> None:
    async def play() -> None:
        scenario = read("crash")
        async with Stock(scenario, scale=0.5) as stock:
            posts = list(stock.posts())
            wanted = {post.n: press.packet(stock.scene, post) for post in posts}
            assert {post.n: await stock.packet(post) for post in posts} == wanted
            assert await stock.packet(posts[3]) == wanted[posts[3].n]
            asked = orders(stock, posts)[:60]
            made = await asyncio.gather(*(stock.status(post, reply) for post, reply in asked))
            assert made == [press.status(stock.scene, post, reply) for post, reply in asked]

    asyncio.run(play())


def test_what_was_prepared_is_given_without_making_anything() -> None:
    async def play() -> None:
        async with Stock(read("crash"), scale=0.3) as stock:
            posts = list(stock.posts())
            told: list[int] = []
            await stock.prepare(posts, told.append)
            asked = orders(stock, [post for post in posts if not post.repeats])
            assert told[-1] == len(posts)
            waiting = [stock.packet(post) for post in posts] + [stock.status(post, reply) for post, reply in asked]
            made = [await one for one in waiting]
            assert made == [press.packet(stock.scene, post) for post in posts] + [
                press.status(stock.scene, post, reply) for post, reply in asked
            ]

    asyncio.run(play())


def test_no_more_is_held_ahead_than_the_budget_and_a_batch() -> None:
    async def play() -> None:
        async with Stock(read("soak"), scale=0.02, budget=600_000) as stock:
            posts = list(stock.posts())
            for post in posts[:5]:
                await stock.packet(post)
            most = 0
            for post in posts[5:]:
                most = max(most, stock.ahead)
                await stock.packet(post)
            assert 0 < most < 600_000 + 2_000_000
            assert stock.ahead == 0

    asyncio.run(play())


def test_posts_may_be_asked_for_out_of_their_order_and_be_left_out() -> None:
    async def play() -> None:
        async with Stock(read("crash"), scale=0.5, budget=100_000) as stock:
            posts = list(stock.posts())
            for post in [*posts[30:40:3], *reversed(posts[:20]), posts[-1]]:
                assert await stock.packet(post) == press.packet(stock.scene, post)

    asyncio.run(play())
