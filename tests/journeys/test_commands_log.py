"""`hub log --csv`: what the console's page gives, into a file or a pipe."""

from __future__ import annotations

import csv
import getpass
import io
from collections.abc import Iterator

import pytest
from builders.commands import run, started
from builders.console import operating
from builders.served import Served, a_served_hub

from hub.store import audit
from hub.store.engine import reading

SUBJECT = "V/v phòng, chống bão; =cmd|'/c calc'!A1 " + "dài " * 100
MANY = 300  # lines: more than a pipe holds


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as served:
        office, _ = served.axis.enrol("G22"), served.axis.enrol("H41")
        office.send(*(f"H41.{n}" for n in range(1, MANY)), subject=SUBJECT)
        office.send("H41", subject="Kế hoạch tiêm chủng mở rộng")
        yield served


def words(served: Served, *more: str) -> tuple[str, ...]:
    url = served.axis.desk.engine.url.render_as_string(hide_password=False)
    return "log", *more, "--csv", "--database-url", url


def test_the_csv_is_the_page_s_to_the_last_byte_and_the_audit_has_who_took_it(served: Served) -> None:
    lan = operating(served)
    for query in ("", "to:H41", '"tiem chung"', "state:failed"):
        end = run(*words(served, query))
        assert (end.code, end.err) == (0, "")
        assert end.out.encode() == lan.get("/console/log.csv", params={"q": query}).content.replace(b"\r\n", b"\n")
    with reading(served.axis.desk.engine) as connection:
        pages, ours = audit.entries(connection, action="log-export", limit=2)
    assert (ours["operator"], ours["facts"]) == ("command:" + getpass.getuser(), {"query": "state:failed"})
    assert pages["facts"] == ours["facts"]


def test_as_many_lines_as_are_wanted_each_without_a_formula(served: Served) -> None:
    end = run(*words(served, "bão", "--limit", "7"))
    rows = list(csv.reader(io.StringIO(end.out.removeprefix("\ufeff")), delimiter=";"))
    assert len(rows) == 8
    assert not any(cell.lstrip(' "').startswith("=") for row in rows for cell in row)


def test_a_reader_that_has_enough_ends_it_without_a_word(served: Served) -> None:
    with started(*words(served)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("\ufeff")
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, "")


def test_what_does_not_go_together_is_told(served: Served) -> None:
    for other in ("--json", "--follow", "--refused"):
        run(*words(served, other)).tells("--csv goes with a search alone", code=2)
