"""Accounts and sessions: what opens and what ends them, and that each is noted."""

from __future__ import annotations

import pytest
from builders.axis import Axis
from builders.console import a_session

from hub.console.access import hashed
from hub.domain.operator import IDLE, LINK, WHOLE, Role, is_alive
from hub.errors import Refusal
from hub.exchange import operators as verbs
from hub.exchange.operators import Account, ByLink, Change, Link, SignIn
from hub.exchange.writer import Verb
from hub.store import audit, operators
from hub.store.engine import reading


def alive(axis: Axis, token: str) -> bool:
    with reading(axis.desk.engine) as connection:
        row = operators.session(connection, hashed(token))
    return row is not None and is_alive(axis.clock.now, row["seen_at"], row["ends_at"])


def actions(axis: Axis) -> list[tuple[str, str, str]]:
    with reading(axis.desk.engine) as connection:
        return [(row["operator"], row["action"], row["subject"]) for row in audit.entries(connection)]


def test_an_account_is_added_once(axis: Axis) -> None:
    axis.desk.writer.run(verbs.add, Account("command:root", "lan", Role.VIEWER, "hash"))
    with pytest.raises(Refusal, match="operator-known"):
        axis.desk.writer.run(verbs.add, Account("command:root", "lan", Role.ADMINISTRATOR, "hash"))
    assert actions(axis) == [("command:root", "operator-add", "lan")]


def test_a_session_opens_only_for_the_password_that_stands(axis: Axis) -> None:
    axis.desk.writer.run(verbs.add, Account("command:test", "lan", Role.VIEWER, "hash"))
    axis.desk.writer.run(verbs.sign_in, SignIn("lan", "hash", hashed("a"), "10.0.0.1"))
    assert alive(axis, "a")
    axis.desk.writer.run(verbs.set_password, Change("command:test", "lan", password="other"))
    with pytest.raises(Refusal, match="sign-in-wrong"):
        axis.desk.writer.run(verbs.sign_in, SignIn("lan", "hash", hashed("b"), "10.0.0.1"))
    assert not alive(axis, "a")


CHANGES: dict[str, Verb] = {
    "role": verbs.set_role, "password": verbs.set_password, "sessions": verbs.end_sessions, "remove": verbs.remove,
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_all_sessions_and_links_of_an_account_end_with_its_change_and_no_other_s(axis: Axis, change: str) -> None:
    mine, theirs = [a_session(axis, "lan"), a_session(axis, "lan")], a_session(axis, "an")
    axis.desk.writer.run(verbs.add_link, Link("command:test", "lan", hashed("link")))
    axis.desk.writer.run(CHANGES[change], Change("an", "lan", Role.VIEWER, "hash"))
    assert [alive(axis, token) for token in (*mine, theirs)] == [False, False, True]
    with pytest.raises(Refusal, match="link-over"):
        axis.desk.writer.run(verbs.sign_in_by_link, ByLink(hashed("link"), hashed("c"), ""))
    assert actions(axis)[0][:2] == ("an", f"operator-{change}")


def test_nobody_takes_away_their_own_role_or_account(axis: Axis) -> None:
    token = a_session(axis, "lan")
    for verb in (verbs.set_role, verbs.remove):
        with pytest.raises(Refusal, match="operator-self"):
            axis.desk.writer.run(verb, Change("lan", "lan", Role.VIEWER))
    assert alive(axis, token)


@pytest.mark.parametrize("verb", [verbs.remove, verbs.set_role])
def test_of_two_administrators_who_remove_each_other_at_once_one_is_left(axis: Axis, verb: Verb) -> None:
    a_session(axis, "lan")
    a_session(axis, "an")
    jobs = [Change("lan", "an", Role.VIEWER), Change("an", "lan", Role.VIEWER)]
    answers = [axis.desk.writer.submit(verb, job) for job in jobs]
    assert answers[0].exception() is None
    with pytest.raises(Refusal, match="role-low"):
        answers[1].result()
    with reading(axis.desk.engine) as connection:
        assert [row["name"] for row in operators.accounts(connection) if row["role"] == "administrator"] == ["lan"]


def test_who_is_no_administrator_any_more_changes_no_account(axis: Axis) -> None:
    tokens = [a_session(axis, "lan", Role.OPERATOR), a_session(axis, "binh")]
    for by in ("lan", "removed"):
        jobs = [(verb, Change(by, "binh", Role.VIEWER, "hash")) for verb in CHANGES.values()]
        for verb, job in [*jobs, (verbs.add, Account(by, "moi", Role.ADMINISTRATOR, "hash"))]:
            with pytest.raises(Refusal, match="role-low"):
                axis.desk.writer.run(verb, job)
    assert all(alive(axis, token) for token in tokens)
    with reading(axis.desk.engine) as connection:
        assert {row["name"]: row["role"] for row in operators.accounts(connection)} == {
            "lan": "operator", "binh": "administrator",
        }  # fmt: skip


def test_a_link_lets_in_once_and_for_a_quarter_of_an_hour(axis: Axis) -> None:
    a_session(axis, "lan")
    axis.desk.writer.run(verbs.add_link, Link("command:test", "lan", hashed("1")))
    axis.desk.writer.run(verbs.add_link, Link("command:test", "lan", hashed("2")))
    assert axis.desk.writer.run(verbs.sign_in_by_link, ByLink(hashed("1"), hashed("a"), "")).name == "lan"
    axis.clock.now += LINK
    for link in ("1", "2", "3"):
        with pytest.raises(Refusal, match="link-over"):
            axis.desk.writer.run(verbs.sign_in_by_link, ByLink(hashed(link), hashed("b"), ""))


def test_a_session_lives_while_it_is_used_and_no_longer_than_a_day_of_work(axis: Axis) -> None:
    token, began = a_session(axis, "lan"), axis.clock.now
    while axis.clock.now < began + WHOLE - IDLE:
        axis.clock.now += IDLE - IDLE / 10
        assert alive(axis, token)
        axis.desk.writer.run(verbs.saw, hashed(token))
    axis.clock.now = began + WHOLE
    assert not alive(axis, token)


def test_sessions_that_are_over_leave_the_table_when_somebody_signs_in(axis: Axis) -> None:
    token = a_session(axis, "lan")
    axis.clock.now += IDLE
    a_session(axis, "an")
    with reading(axis.desk.engine) as connection:
        assert operators.session(connection, hashed(token)) is None
