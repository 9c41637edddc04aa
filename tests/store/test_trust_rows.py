"""The rows of the trust store, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders.axis import Axis
from sqlalchemy.exc import IntegrityError

from hub.store import trust
from hub.store.engine import reading, writing

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def a_row(**changes: Any) -> dict[str, Any]:
    return {"fingerprint": "ab" * 32, "role": "root", "code": "", "der": b"\x30", "added_at": NOW} | changes


def prefixes(axis: Axis, *wanted: str) -> list[int]:
    with reading(axis.desk.engine) as connection:
        return [len(trust.standing(connection, prefix)) for prefix in wanted]


def test_what_was_removed_stands_again_once_it_is_put_again(axis: Axis) -> None:
    with writing(axis.desk.engine) as connection:
        trust.put(connection, a_row())
        trust.remove(connection, "ab" * 32, NOW)
        assert trust.standing(connection) == []
        trust.put(connection, a_row(role="intermediate", added_at=NOW + timedelta(days=1)))
        (row,) = trust.standing(connection)
    assert (row["role"], row["added_at"], row["removed_at"]) == ("intermediate", NOW + timedelta(days=1), None)


def test_a_part_of_a_fingerprint_is_taken_literally(axis: Axis) -> None:
    with writing(axis.desk.engine) as connection:
        trust.put(connection, a_row())
    assert prefixes(axis, "", "ab", "abc", "a_", "%", "abab%") == [1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("changes", [{"role": "person"}, {"code": "H41"}, {"role": "friend"}])
def test_the_database_takes_a_person_of_an_agency_and_authorities_of_none(axis: Axis, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), writing(axis.desk.engine) as connection:
        trust.put(connection, a_row(**changes))


def test_a_step_that_was_told_is_replaced_by_the_next(axis: Axis) -> None:
    with writing(axis.desk.engine) as connection:
        trust.set_step_told(connection, "ab" * 32, 60)
        trust.set_step_told(connection, "cd" * 32, 60)
        trust.set_step_told(connection, "ab" * 32, 30)
        assert trust.steps_told(connection) == {"ab" * 32: 30, "cd" * 32: 60}
