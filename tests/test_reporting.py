"""``hub report`` and ``hub calendar`` as commands, on a hub of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import commands
from builders.axis import an_axis
from builders.reports import office_and_province
from builders.tallied import told

from hub.store import audit
from hub.store.engine import reading


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hub where one document was sent on 1 October 2025."""
    with an_axis(tmp_path) as axis:
        office, _ = office_and_province(axis)
        office.send("H41")
        told(axis)
    return tmp_path


def run(folder: Path, *words: str, code: int = 0) -> str:
    found = commands.run(*words, "--data-dir", str(folder))
    assert found.code == code, found.err
    return found.out if code == 0 else found.said


def test_a_report_is_shown_and_written(folder: Path, tmp_path: Path) -> None:
    period = ("--from", "2025-10-01", "--to", "31/10/2025")
    assert "Gửi và nhận 01/10/2025–31/10/2025" in run(folder, "report", "sent-received", *period)
    told_as = json.loads(run(folder, "report", "tasks", *period, "--by", "month", "--json"))
    assert (told_as["by"], told_as["total"]["values"]["assigned"]) == ("month", 0)
    sheet, table = tmp_path / "a.xlsx", tmp_path / "a.csv"
    assert run(folder, "report", "levels", *period, "--xlsx", str(sheet), "--csv", str(table)) == ""
    assert sheet.read_bytes().startswith(b"PK")
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_recount_proves_the_figures(folder: Path) -> None:
    assert " 0 differ" in run(folder, "report", "--recount", "--look")
    assert " 0 mended" in run(folder, "report", "--recount")


@pytest.mark.parametrize(
    "words", [(), ("tasks", "--recount"), ("--look",), ("tasks", "--from", "1.10.2025"),
              ("tasks", "--from", "2025-10-02", "--to", "2025-10-01")],
)  # fmt: skip
def test_what_makes_no_sense_is_told(folder: Path, words: tuple[str, ...]) -> None:
    run(folder, "report", *words, code=2)


def test_the_calendar_is_the_operator_s(folder: Path, tmp_path: Path) -> None:
    many = tmp_path / "lich.csv"
    many.write_text("day,kind,name\n2028-01-27,holiday,Tết\n2028-02-05,workday,Làm bù\n", "utf-8")
    run(folder, "calendar", "add", "2027-02-12", "Tết Nguyên đán")
    run(folder, "calendar", "import", str(many))
    assert run(folder, "calendar", "remove", "2027-01-01", "2028-01-27", "2028-01-28").strip().endswith("2 / 3")
    shown = run(folder, "calendar", "show", "2027")
    assert "12/02/2027" in shown
    assert "như thường" in next(line for line in shown.splitlines() if "01/01/2027" in line)
    assert "27/01/2028" not in run(folder, "calendar", "show", "2028")
    with an_axis(folder) as axis, reading(axis.desk.engine) as connection:
        actions = [row["action"] for row in audit.entries(connection)]
    assert actions.count("calendar-add") == 2
    assert actions.count("calendar-remove") == 1


def test_a_bad_line_of_a_calendar_changes_nothing(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("day,kind,name\n2028-01-27,holiday,Tết\n2028-02-30,holiday,Tết\n", "utf-8")
    assert "line 3" in run(folder, "calendar", "import", str(bad), code=2)
    assert "27/01/2028" not in run(folder, "calendar", "show", "2028")
