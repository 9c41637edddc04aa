"""The evidence log: every entry gets into it once and in its order, whoever writes, refuses or keeps it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Timer
from typing import Any

import pytest
from builders.axis import Axis
from builders.reports import office_and_province
from cryptography.fernet import Fernet
from joserfc.jwk import KeySet
from sqlalchemy import event, insert, select, update

from hub.domain import receipt
from hub.domain.checkpoint import Checkpoint, verifier_key, verify
from hub.domain.merkle import inclusion_proof, leaf_hash, root, verify_inclusion
from hub.domain.tiles import hashes_from
from hub.errors import Refusal
from hub.exchange import accept, change, keys
from hub.exchange.sequencer import Sequencer, integrate
from hub.exchange.writer import Transaction, Writer, each
from hub.store import evidence
from hub.store import tables as t
from hub.store.engine import is_sqlite, reading, writing
from hub.store.tiles import Stored


def rows(axis: Axis) -> list[Any]:
    """All of the evidence in the order of the log."""
    with reading(axis.desk.engine) as connection:
        return list(connection.execute(select(t.evidence).order_by(t.evidence.c.leaf_index)).mappings())


def checkpoint(axis: Axis) -> Checkpoint:
    """The newest, verified with the keys that are published."""
    with reading(axis.desk.engine) as connection:
        head = evidence.head(connection)
        assert head is not None
        published = [verifier_key(text) for text in keys.verifier_keys(connection)]
        return verify(head["checkpoint"].encode(), published, head["origin"])


def published(axis: Axis) -> KeySet:
    with reading(axis.desk.engine) as connection:
        return KeySet.import_key_set(keys.jwks(connection))


def check(axis: Axis) -> None:
    """Every row has its place and receipt, and is in the tree of the newest checkpoint."""
    head, jwks = checkpoint(axis), published(axis)
    kept = rows(axis)
    assert [row["leaf_index"] for row in kept] == list(range(head.size))
    assert head.root == root(leaf_hash(row["entry"]) for row in kept)
    with reading(axis.desk.engine) as connection:
        hash_at = hashes_from(head.size, Stored(connection))
        for row in kept:
            found = receipt.read(row["receipt"], jwks)
            assert found.statement == {"entry": row["id"], "kind": row["kind"], **row["body"]}
            proof = inclusion_proof(row["leaf_index"], head.size, hash_at)
            verify_inclusion(found.place.leaf, row["leaf_index"], head.size, proof, head.root)


def test_accept_hand_over_and_status_are_in_the_log_in_their_order(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, sent = office.issue("H41")
    province.receive(sent["deliveries"][0]["id"])
    province.report("03", document)
    assert axis.integrate() == 3
    assert [row["kind"] for row in rows(axis)] == ["accept", "handover", "status"]
    check(axis)
    assert axis.integrate() == 0
    office.send("H41")
    assert axis.integrate() == 1
    check(axis)


def test_what_is_refused_leaves_no_gap(axis: Axis) -> None:
    @each
    def refused(tx: Transaction, document_id: str) -> None:
        tx.decided.evidence.append(change.evidence(tx, "accept", document_id, {"document": document_id}))
        tx.write()
        raise Refusal("not-found")

    @each
    def broken(tx: Transaction, document_id: str) -> None:
        tx.decided.evidence.append(change.evidence(tx, "accept", document_id, {"document": document_id}))
        tx.write()
        raise ZeroDivisionError

    office, _ = office_and_province(axis)
    office.send("H41")
    with pytest.raises(Refusal, match="not-found"):
        axis.desk.writer.run(refused, "a" * 24)
    with pytest.raises(ZeroDivisionError):
        axis.desk.writer.run(broken, "b" * 24)
    office.send("H41")
    assert axis.integrate() == 2
    check(axis)


def test_what_a_program_before_the_log_wrote_is_adopted(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    first, second = office.send("H41"), office.send("H41")
    (old,) = axis.evidence(first)
    bare = {"leaf_index": None, "entry": None, "receipt": None}
    with writing(axis.desk.engine) as connection:
        for n, document in enumerate((first, second), 1):
            row = {**old, **bare, "id": f"{n:024x}", "seq": old["seq"] + 1000 + n, "document_id": document["id"]}
            connection.execute(insert(t.evidence), row)
    assert axis.integrate() == 4
    check(axis)
    assert [row["id"] for row in rows(axis)][2:] == [f"{n:024x}" for n in (1, 2)]


def test_entries_that_were_taken_out_are_missed(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    for _ in range(3):
        office.send("H41")
    with writing(axis.desk.engine) as connection:
        connection.execute(update(t.evidence).where(t.evidence.c.leaf_index == 1).values(leaf_index=None))
        with pytest.raises(RuntimeError, match="missing from 0 on"):
            integrate(connection, axis.desk.writer.notary)


def test_the_log_takes_more_entries_than_a_tile_in_steps_of_any_size(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    sent = office.send("H41")
    (row,) = axis.evidence(sent)
    done = 1
    for size in (1, 2, 255, 256, 257, 300, 511, 512, 1100):
        more = [
            {**row, "id": f"{n:024x}", "seq": row["seq"] + n, "leaf_index": n, "entry": n.to_bytes(32, "big")}
            for n in range(done, size)
        ]
        with writing(axis.desk.engine) as connection:
            evidence.add(connection, more)
            connection.execute(update(t.counter).values(entries=size))
            integrate(connection, axis.desk.writer.notary, most=97)
        axis.integrate()
        done = size
        head, kept = checkpoint(axis), rows(axis)
        assert (head.size, head.root) == (size, root(leaf_hash(each["entry"]) for each in kept))
        with reading(axis.desk.engine) as connection:
            last = evidence.tile(connection, evidence.ENTRIES, (size - 1) // 256)
        assert last == b"".join(each["entry"] for each in kept[(size - 1) // 256 * 256 :])


def test_two_workers_append_and_integrate_at_once(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    desk = axis.desk
    with Writer(desk.engine, desk.rosters, axis.clock, notary=desk.writer.notary) as other:
        packets = [office.packet(office.draft("H41")) for _ in range(40)]

        def send(packet: bytes, writer: Writer) -> None:
            writer.run(accept.commit, office.checked(packet))

        with ThreadPoolExecutor(6) as pool:
            sending = [pool.submit(send, packet, (desk.writer, other)[n % 2]) for n, packet in enumerate(packets)]
            keeping = [pool.submit(_integrate_until, axis, 40) for _ in range(2)]
            for each_of_them in (*sending, *keeping):
                each_of_them.result(timeout=60)
    check(axis)
    assert checkpoint(axis).size == 40


def _integrate_until(axis: Axis, size: int) -> None:
    while True:
        with reading(axis.desk.engine) as connection:
            head = evidence.head(connection)
        if head is not None and head["size"] == size:
            return
        Sequencer(axis.desk)._integrate()


def test_who_finds_another_at_it_leaves_it_to_that_one(axis: Axis) -> None:
    with reading(axis.desk.engine) as connection:
        if is_sqlite(connection):
            pytest.skip("SQLite has one writer at a time")
    office, _ = office_and_province(axis)
    office.send("H41")
    with writing(axis.desk.engine) as first:
        assert evidence.claimed(first) is not None
        with writing(axis.desk.engine) as second:
            assert integrate(second, axis.desk.writer.notary) == 0
        assert integrate(first, axis.desk.writer.notary) == 1
    check(axis)


def test_a_new_key_signs_from_then_on_and_the_receipts_before_stay_good(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    before = office.send("H41")
    axis.desk.writer.run(keys.renew, axis.desk.vault)  # as another process does it
    between = office.send("H41")
    axis.integrate()
    after = office.send("H41")
    axis.integrate()
    kids = [receipt.read(axis.evidence(sent)[0]["receipt"], published(axis)).kid for sent in (before, between, after)]
    newest, oldest = (key.kid for key in published(axis).keys)
    assert kids == [oldest, oldest, newest]
    check(axis)


def test_another_key_file_makes_no_new_keys_unless_it_is_said_that_the_old_is_lost(axis: Axis) -> None:
    """Any command under another folder's key file once made new keys, and the serving hub's log stood still."""
    office, _ = office_and_province(axis)
    office.send("H41")
    other = Fernet(Fernet.generate_key())
    before = published(axis)
    with pytest.raises(Refusal, match="key-file-unusable"):
        axis.desk.writer.run(keys.begin, keys.Begin(other, ""))
    assert published(axis).as_dict(private=False) == before.as_dict(private=False)
    axis.desk.writer.notary = axis.desk.writer.run(keys.begin, keys.Begin(other, "", anew=True))
    axis.desk.vault = other
    office.send("H41")
    axis.integrate()
    check(axis)
    assert len(published(axis).keys) == 2


def test_a_hub_that_ends_waits_for_a_look_at_the_log_that_is_under_way(axis: Axis) -> None:
    """The look went on in a thread that nobody waited for, and kept a connection of the database that was closed."""
    begun, go, over = Event(), Event(), list[str]()

    def hold(*_: object) -> None:
        if not over:
            over.append("begun")
            begun.set()
            go.wait()
            over.append("looked")

    async def stop_in_the_middle() -> None:
        looking = asyncio.create_task(Sequencer(axis.desk).once())
        await asyncio.to_thread(begun.wait)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    event.listen(axis.desk.engine, "before_cursor_execute", hold)
    asyncio.run(stop_in_the_middle())
    Timer(0.1, go.set).start()
    axis.desk.close()
    assert over == ["begun", "looked"]


def test_entries_cut_off_the_end_are_missed(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    office.send("H41")
    axis.integrate()
    office.send("H41")
    with writing(axis.desk.engine) as connection:
        connection.execute(update(t.evidence).where(t.evidence.c.leaf_index == 1).values(leaf_index=None))
        with pytest.raises(RuntimeError, match="the last entries of the evidence log are missing"):
            integrate(connection, axis.desk.writer.notary)


def test_what_is_committed_while_nothing_was_left_to_take_in_is_not_called_missing(axis: Axis) -> None:
    """Two statements of one transaction see different moments on PostgreSQL."""
    with reading(axis.desk.engine) as connection:
        if is_sqlite(connection):
            pytest.skip("a transaction of SQLite sees one moment")
    office, _ = office_and_province(axis)
    office.send("H41")
    axis.integrate()
    sent: list[str] = []

    def send_meanwhile(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "evidence.leaf_index >=" in statement and not sent:
            sent.append("")
            sent[0] = office.send("H41")["id"]

    with writing(axis.desk.engine) as connection:
        event.listen(axis.desk.engine, "after_cursor_execute", send_meanwhile)
        assert integrate(connection, axis.desk.writer.notary) == 0
        event.remove(axis.desk.engine, "after_cursor_execute", send_meanwhile)
    assert sent[0]
    assert axis.integrate() == 1


def test_without_keys_nothing_is_accepted(axis: Axis) -> None:
    """Evidence that cannot be written refuses what it is of."""
    office, _ = office_and_province(axis)
    job = office.checked(office.packet(office.draft("H41")))
    with (
        Writer(axis.desk.engine, axis.desk.rosters, axis.clock) as keyless,
        pytest.raises(RuntimeError, match="no keys to sign with"),
    ):
        keyless.run(accept.commit, job)
    assert rows(axis) == []
    assert axis.integrate() == 0
