"""The audit: what operators did, in the order it was done, and changed by nobody."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from hub.errors import Refusal
from hub.exchange.audit import note
from hub.exchange.writer import Transaction, each
from hub.store import audit
from hub.store.engine import reading, writing
from hub.store.operator_tables import audit_entry


@each
def _note(tx: Transaction, job: dict[str, Any]) -> None:
    note(tx, **job)
    if job["action"] == "refused":
        raise Refusal("not-found")


def noted(axis: Axis, by: str, action: str, subject: str, **more: Any) -> None:
    axis.desk.writer.run(_note, {"by": by, "action": action, "subject": subject, **more})


def entries(axis: Axis, **asked: Any) -> list[tuple[str, str, str]]:
    with reading(axis.desk.engine) as connection:
        return [(row["operator"], row["action"], row["subject"]) for row in audit.entries(connection, **asked)]


def test_entries_are_read_newest_first_page_by_page(axis: Axis) -> None:
    for n in range(7):
        noted(axis, "lan", "export", str(n))
    seen: list[str] = []
    before = None
    while True:
        with reading(axis.desk.engine) as connection:
            page = audit.entries(connection, before=before, limit=3)
        if not page:
            break
        seen += [row["subject"] for row in page]
        before = page[-1]["seq"]
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_an_entry_says_when_who_what_to_what_why_and_what_it_came_to(axis: Axis) -> None:
    noted(axis, "lan", "system-lock", "H41", reason="Nghi lộ mã truy cập", facts={"waiting": 3})
    with reading(axis.desk.engine) as connection:
        [row] = audit.entries(connection)
    assert (row["at"], row["operator"], row["action"]) == (axis.clock.now, "lan", "system-lock")
    assert (row["subject"], row["reason"], row["facts"]) == ("H41", "Nghi lộ mã truy cập", {"waiting": 3})


def test_entries_are_found_by_operator_action_and_subject(axis: Axis) -> None:
    noted(axis, "lan", "system-lock", "H41")
    noted(axis, "command:root", "system-lock", "G22")
    noted(axis, "lan", "export", "H41")
    assert entries(axis, operator="lan") == [("lan", "export", "H41"), ("lan", "system-lock", "H41")]
    assert entries(axis, action="system-lock", subject="G22") == [("command:root", "system-lock", "G22")]


def test_what_was_refused_leaves_no_entry(axis: Axis) -> None:
    with pytest.raises(Refusal):
        noted(axis, "lan", "refused", "H41")
    assert entries(axis) == []


def test_no_entry_can_be_changed_or_removed(axis: Axis) -> None:
    noted(axis, "lan", "export", "H41")
    for change in (update(audit_entry).values(operator="nobody"), delete(audit_entry)):
        with pytest.raises(IntegrityError, match="audit_entry_stays"), writing(axis.desk.engine) as connection:
            connection.execute(change)
    if axis.desk.engine.dialect.name == "postgresql":
        with pytest.raises(IntegrityError, match="audit_entry_stays"), writing(axis.desk.engine) as connection:
            connection.execute(text("TRUNCATE audit_entry"))
    assert entries(axis) == [("lan", "export", "H41")]
