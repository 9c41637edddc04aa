"""The benchmark of the console: what it fills in is a hub's database, and what it says of pages is what they took."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from builders.commands import run
from builders.databases import opened
from sqlalchemy import Connection, func, inspect, select, text

sys.path.append(str(Path(__file__).parent.parent))  # benchmarks are not installed

from benchmarks import servers
from benchmarks.console import measure as measuring
from benchmarks.console import pages, places, sinks
from benchmarks.console.__main__ import main
from benchmarks.console.browsing import Browser, timed
from benchmarks.console.cast import BROADCAST, Cast
from benchmarks.console.columns import COLUMNS, Rows
from benchmarks.console.fill import fill
from benchmarks.console.history import History
from benchmarks.console.measure import TO
from benchmarks.console.pages import Asked
from benchmarks.console.places import Place
from benchmarks.console.sending import Sender, sending
from benchmarks.packets import an_office
from benchmarks.report import Run
from hub.domain.delivery import Status, Transport
from hub.store import documents, log_tables, schema, story
from hub.store import tables as t
from hub.store.console_tables import reference
from hub.store.engine import reading
from hub.store.tables import metadata

END = datetime(2026, 11, 20, 3, tzinfo=UTC)
DELIVERIES = 3000
_KEPT = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def place(tmp_path: Path, empty_url: str) -> Place:
    """Where nothing is yet, on each engine."""
    folder = tmp_path / "place"
    folder.mkdir()
    sqlite = empty_url.startswith("sqlite")
    return Place(folder, "sqlite" if sqlite else "postgresql", "" if sqlite else empty_url)


def asked(place: Place, question: Callable[[Connection], Any]) -> Any:
    with opened(place.engine_url) as engine, reading(engine) as connection:
        return question(connection)


def test_a_filled_hub_serves_and_its_commands_read_it(place: Place, tmp_path: Path) -> None:
    fill(place, DELIVERIES, 7, END)
    for words in ("state:delivered", '"tien luong"', "kind:status", "to:G12"):
        lines = run("log", words, "--json", "--limit", "5", *place.options)
        assert lines.code == 0, lines.err
        assert lines.rows(), words
    (line, *_) = run("log", "state:delivered status:06", "--json", *place.options).rows()
    (story,) = run("show", line["document"], "--json", *place.options).rows()
    own = [event for event in story["events"] if event["delivery_id"] == line["delivery"]]
    assert own[-1]["status_after"] == "06"
    assert [one["what"] for one in own][-2:-1] in (["done"], ["status"])
    with servers.hub(place.options, tmp_path / "hub.log") as hub:
        assert hub.url
    assert '"level": "error"' not in (tmp_path / "hub.log").read_text()


def test_a_fill_leaves_the_schema_as_it_was(place: Place, tmp_path: Path) -> None:
    with opened(place.url or f"sqlite:///{tmp_path / 'fresh.db'}") as engine:
        schema.upgrade(engine)
        with reading(engine) as connection:
            fresh = names(connection)
    fill(place, 300, 7, END)
    assert asked(place, names) == fresh


def names(connection: Connection) -> set[tuple[str, ...]]:
    """Of all indexes, constraints and triggers, with what they say."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE type IN ('index','trigger')"
        rows = connection.execute(text(asked))
        return {tuple(row) for row in rows}
    found = {
        (table, str(index["name"]), str(index["column_names"]), str(index["unique"]))
        for table in metadata.tables
        for index in inspect(connection).get_indexes(table)
    }
    rows = connection.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text FROM pg_constraint"
        )
    )
    triggers = connection.execute(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
    return found | {tuple(row) for row in rows} | {tuple(row) for row in triggers}


def test_every_row_that_is_told_is_there_and_belongs_to_another(place: Place) -> None:
    facts = fill(place, DELIVERIES, 7, END)

    def counted(connection: Connection) -> dict[str, int]:
        return {
            name: connection.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
            for name in COLUMNS
        }

    assert asked(place, counted) == facts["rows"]
    if place.database == "sqlite":  # the other looked when the constraints came back
        assert asked(place, lambda c: c.execute(text("PRAGMA foreign_key_check")).all()) == []


def test_answers_are_found_from_the_letters_they_answer(place: Place) -> None:
    facts = fill(place, DELIVERIES, 7, END)
    assert 0.01 < facts["rows"]["reference"] / facts["rows"]["document"] < 0.06

    def both(connection: Connection) -> None:
        for seq in connection.execute(select(reference.c.document_seq)).scalars().all():
            answer = connection.execute(select(t.document).where(t.document.c.seq == seq)).mappings().one()
            (named,) = story.references(connection, answer, 5)
            letter = documents.get(connection, named["id"])
            assert letter is not None
            assert letter["seq"] < seq
            assert answer["id"] in [row["id"] for row in story.answered_by(connection, letter, 50)]

    asked(place, both)


def test_the_log_has_every_entry_and_the_counter_stands_behind_all(place: Place) -> None:
    facts = fill(place, DELIVERIES, 7, END)

    def looked(connection: Connection) -> tuple[int, int, int, int]:
        head = connection.execute(select(log_tables.log_head.c.size)).scalar_one()
        seq, entries = connection.execute(select(t.counter.c.seq, t.counter.c.entries)).one()
        last = max(
            connection.execute(select(func.max(table.c.seq))).scalar_one()
            for table in (t.document, t.delivery, t.outbox, t.evidence, t.packet)
        )
        return head, entries, seq, last

    head, entries, seq, last = asked(place, looked)
    assert head == entries == facts["rows"]["evidence"]
    assert seq >= last


@pytest.mark.long
def test_a_filled_hub_takes_packets_at_a_steady_rate(place: Place, tmp_path: Path) -> None:
    fill(place, 300, 7, END)
    office = an_office("G22.77", "Đơn vị đo thử")
    (tmp_path / "own.pem").write_bytes(office.certificate)
    one = {"code": office.code, "name": office.name, "certificate": "own.pem"}
    system = servers.enrol(place.options, [one], tmp_path)[office.code]
    with servers.hub(place.options, tmp_path / "hub.log") as hub:
        sender = Sender(hub.url, system.token, office, TO, rate=50)
        with sending(sender, range(1, 400)) as stretch:
            answers = stretch.answers()
            while len(answers.latencies) < 100:
                answers += stretch.answers()
    assert answers.rate == pytest.approx(50, rel=0.3)


def test_a_page_is_timed_while_packets_come_and_one_that_is_not_there_counts_as_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place, 300, 7, END)
    monkeypatch.setattr(measuring, "ALONE", 0.5)
    lost = Asked("lost", "/console/nowhere")
    monkeypatch.setattr(pages, "ALL", (Asked("settings", "/console/settings"), lost))
    found = Run("", {})
    over = measuring.measure(found, place, times=5, rate=20, minutes=0.5, only="")
    told = {one.name.rpartition(",")[0]: one for one in found.measures}
    assert list(told) == ["accepted, nobody looking", "settings", "lost", "accepted, console in use"]
    assert told["settings"].p50 is not None
    assert 0 < told["settings"].p50 <= told["settings"].value < 300
    assert [one.note for one in over] == ["answered 404: /console/nowhere"]


def test_a_report_is_another_at_each_asking() -> None:
    """The page of reports was once measured by one period alone: part of a month costs more than the whole."""
    reports = [asked.path for asked in pages.ALL if asked.path.startswith("/console/reports")]
    assert len(reports) == 19
    for path in reports:
        assert len({measuring.on_day(path, n) for n in range(28)}) == 28


def test_a_browser_follows_links_reads_only_so_many_lines_and_comes_back_after_idling() -> None:
    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            number = int(self.path.rpartition("=")[2])
            further = (
                f'<a class="button" href="?after={number + 1}&amp;n={number + 1}" rel="next">…</a>'
                if number < 3
                else ""
            )
            body = further.encode() + b"\n" * 10
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True  # without saying so, as a server that ends an idle connection

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = Browser(f"http://127.0.0.1:{server.server_port}")
        assert browser.further("/log?n=0", 2) == "/log?after=2&n=2"
        assert browser.further("/log?n=0", 9) == "/log?after=3&n=3"
        assert browser.lines("/log?n=0", 4) == (200, 4)
        assert timed(browser, "/log?n=0", 4)[1] == 200
        browser.close()
        server.shutdown()


def test_the_same_seed_gives_the_same_rows_and_another_others() -> None:
    def rows(seed: int) -> list[Rows]:
        cast = Cast()
        systems = {one["code"]: one["code"] for one in cast.systems()}
        return list(History(cast, systems, 1000, seed, END, 0, 0, b"<edXML/>").hours())

    assert rows(7) == rows(7)
    assert rows(7) != rows(8)


@pytest.mark.long
def test_states_and_statuses_are_all_there_and_most_is_done(place: Place) -> None:
    fill(place, 40_000, 7, END)

    def shares(connection: Connection) -> tuple[dict[str, int], set[str], int]:
        v = t.delivery.c
        own = v.report_id.is_(None)
        states = connection.execute(select(v.state, func.count()).where(own).group_by(v.state)).all()
        statuses = connection.execute(select(v.status).where(own).distinct()).scalars()
        most = connection.execute(
            select(func.count()).where(own).group_by(v.document_id).order_by(func.count().desc()).limit(1)
        )
        return {row[0]: row[1] for row in states}, set(statuses), most.scalar_one()

    states, statuses, most = asked(place, shares)
    assert sum(states.values()) == pytest.approx(40_000, rel=0.15)
    assert set(states) == set(Transport)
    assert statuses >= {Status.NONE, Status.ARRIVED, Status.ACCEPTED, Status.FINISHED, Status.REFUSED}
    assert states["delivered"] > 0.97 * sum(states.values())
    assert 0.001 < states["waiting"] / sum(states.values()) < 0.006
    assert most >= BROADCAST - 1


def test_a_table_that_comes_to_need_more_is_told_before_anything_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = {**COLUMNS, "event": COLUMNS["event"][1:]}
    monkeypatch.setattr(sinks, "COLUMNS", fewer)
    with pytest.raises(RuntimeError, match=re.escape("event needs delivery_id")), sinks.sink(place, lambda _what: None):
        pass


@pytest.mark.long
@_KEPT
def test_a_kept_place_is_opened_again_and_filled_once(database: str) -> None:
    with TemporaryDirectory() as folder:
        kept = Path(folder)
        kept.chmod(0o755)  # a server's own user must find its way in
        opened_twice(kept, database)


def opened_twice(kept: Path, database: str) -> None:
    with places.opened(kept, database, places.FILLING) as place:
        assert place.filled == {}
        facts = fill(place, 300, 7, END)
    with places.opened(kept, database) as again:
        assert again.filled == json.loads(json.dumps(facts))
        assert (
            asked(again, lambda c: c.execute(select(func.count()).select_from(t.delivery)).scalar_one())
            == (facts["rows"]["delivery"])
        )


def test_measuring_where_nothing_was_filled_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="first `fill`"):
        main(["measure", "--keep", str(tmp_path), "--database", "sqlite"])
