"""``hub enrol`` beside a hub that serves: one system and many, and what an operator could get wrong."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.commands import Hub, run, run_all, serving
from builders.waiting import comes


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with serving(tmp_path_factory.mktemp("hub")) as running:
        yield running


def test_enrol_prints_one_json_object_and_its_token_works_at_once(hub: Hub) -> None:
    made = hub.enrol("H36")
    assert made.keys() == {"system_id", "secret", "token", "code"}
    assert re.fullmatch("[0-9a-f]{24}", made["system_id"])
    assert all(made.values())
    assert hub.inbox(made["token"]).status_code == 200


def test_a_system_is_not_replaced_unless_it_is_said(hub: Hub, tmp_path: Path) -> None:
    """`hub enrol` of a connected code used to retire the system that was running."""
    old = hub.enrol("H13")
    source = tmp_path / "systems.csv"
    source.write_text("code\nH14\nH13\n", "utf-8")
    for end in run_all(("enrol", "H13", *hub.data), ("enrol", "--from", str(source), *hub.data)):
        end.tells("system-connected", old["system_id"], "is connected for H13 since", "--replace")
        assert end.out == ""
    assert hub.inbox(old["token"]).status_code == 200
    assert [row["agency"] for row in hub.enrol_all(source, "--replace")] == ["H14", "H13"]
    # The hub looks at its directory once a second.
    assert comes(lambda: hub.inbox(old["token"]).status_code == 401)


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_enrol_from_a_file_enrols_all_of_them_at_once(hub: Hub, tmp_path: Path, suffix: str) -> None:
    level = {"csv": "05", "json": "06"}[suffix]
    rows = [{"code": f"H41.{level}.{n:02}", "name": f"Xã Thử nghiệm {n}", "profile": "legacy"} for n in range(1, 6)]
    source = tmp_path / f"danh sách.{suffix}"
    if suffix == "json":
        source.write_text(json.dumps(rows), "utf-8")
    else:
        with open(source, "w", encoding="utf-8-sig", newline="") as file:  # as Excel saves it
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    made = hub.enrol_all(source)
    assert [row["agency"] for row in made] == [row["code"] for row in rows]
    assert {hub.inbox(row["token"]).status_code for row in made} == {200}


def test_what_is_done_about_pdf_files_of_a_system_is_said_at_its_enrolment_or_later(hub: Hub, tmp_path: Path) -> None:
    source = tmp_path / "systems.csv"
    source.write_text("code,pdf_policy\nH15,require\n", "utf-8")
    assert [row["agency"] for row in hub.enrol_all(source)] == ["H15"]
    one = run("enrol", "H20", "--pdf-policy", "require", "--json", *hub.data)
    assert one.code == 0
    for action, policy in (("unlock", "require"), ("pdf-report", "report"), ("pdf-as-hub", "")):
        end = run("agencies", "--code", "H20", "--action", action, *hub.data)
        assert json.loads(end.out)["pdf_policy"] == policy


def test_enrol_from_a_file_with_one_wrong_row_enrols_none(hub: Hub, tmp_path: Path) -> None:
    source = tmp_path / "systems.csv"
    source.write_text("code,name\nH41.09.01,Xã Thử\nH41.09.02,\n", "utf-8")
    end = run("enrol", "--from", str(source), "--json", *hub.data)
    end.tells("agency-unknown", "H41.09.02")
    assert end.out == ""


def test_an_option_beside_a_file_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    source = tmp_path / "systems.csv"
    source.write_text("code\nH15\n", "utf-8")
    end = run("enrol", "--from", str(source), "--profile", "legacy", "--data-dir", str(tmp_path / "hub"))
    end.tells("--profile: not beside --from", code=2)


def test_a_closed_code_is_enrolled_with_a_warning_that_names_its_successor(hub: Hub) -> None:
    end = run("enrol", "G04", "--json", *hub.data)
    assert end.code == 0
    assert len(end.rows()) == 1
    assert "agency-closed" in end.said
    assert "G04 is closed since 14/04/2025" in end.said
    assert "hub enrol G17" in end.said


def test_a_secret_that_was_announced_and_never_came_is_missed(tmp_path: Path) -> None:
    """An empty standard input used to give a secret that nobody had asked for."""
    end = run("enrol", "H19", "--secret-stdin", "--data-dir", str(tmp_path / "hub"), given="")
    end.tells("nothing came on standard input", code=2)
    assert list(tmp_path.iterdir()) == []


def test_help_tells_the_columns_of_a_file_with_an_example_and_what_a_system_id_may_be() -> None:
    end = run("enrol", "--help")
    told = re.sub(r"[│╭╮╰╯─\s]+", " ", end.out)
    for column in ("code", "name", "profile", "algorithms", "system_id", "secret", "certificate", "pdf_policy"):
        assert column in told.split("Its columns are")[1].split("code,name,profile")[0]
    assert "H41.05,Sở Tài chính,legacy" in told
    assert "Up to 64 of A-Z a-z 0-9 . _ -" in told
