"""Operators: names, passwords, reasons; what roles may do, how long sessions live and guesses wait."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.operator import (
    FREE_OF_ACCOUNT,
    IDLE,
    WHOLE,
    Operator,
    Role,
    check_password,
    is_alive,
    named,
    pause,
    reasoned,
)
from hub.errors import Refusal

NOW = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["Nguyễn.Văn.An", "nguyễn.văn.an", unicodedata.normalize("NFD", "NGUYỄN.VĂN.AN")])
def test_case_and_form_of_a_name_do_not_count(text: str) -> None:
    assert named(text) == "nguyễn.văn.an"


@pytest.mark.parametrize("text", ["", " ", "a b", "a/b", "<b>", "a\u202eb", "a" * 65, "command:root"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="operator-name"):
        named(text)


@given(st.text(max_size=80))
def test_a_name_that_is_taken_stays_as_it_is(text: str) -> None:
    try:
        name = named(text)
    except Refusal:
        return
    assert named(name) == name


@pytest.mark.parametrize("password", ["ngắn quá", "a" * 40, "abababababababab", "lan là tên của tôi đó", "x" * 201])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(Refusal, match="password-weak"):
        check_password("lan", password)


def test_a_sentence_is_a_password_and_is_the_same_from_every_keyboard() -> None:
    sentence = "ba con voi qua cầu"
    assert check_password("lan", unicodedata.normalize("NFD", sentence)) == sentence


@pytest.mark.parametrize("reason", ["", "ab", "x" * 501, "có \u202e dấu lạ", "a\x00bcd"])
def test_a_reason_that_says_nothing_or_hides_something_is_refused(reason: str) -> None:
    with pytest.raises(Refusal, match="reason-form"):
        reasoned(reason)


def test_a_reason_is_one_line_in_nfc() -> None:
    assert reasoned(unicodedata.normalize("NFD", "  theo yêu cầu\ncủa Sở ")) == "theo yêu cầu của Sở"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_each_role_may_what_the_ones_before_it_may(role: Role, needed: Role) -> None:
    order = ["viewer", "operator", "administrator"]
    assert Operator("lan", role).may(needed) == (order.index(role) >= order.index(needed))


def test_a_session_ends_when_it_is_not_used_and_after_a_day_of_work() -> None:
    assert is_alive(NOW, NOW - IDLE + timedelta(seconds=1), NOW + timedelta(seconds=1))
    assert not is_alive(NOW, NOW - IDLE, NOW + WHOLE)
    assert not is_alive(NOW, NOW, NOW)


def test_guesses_wait_longer_and_longer_and_never_for_ever() -> None:
    waits = [pause(wrong, FREE_OF_ACCOUNT) for wrong in range(40)]
    assert waits[:FREE_OF_ACCOUNT] == [timedelta(0)] * FREE_OF_ACCOUNT
    assert waits[FREE_OF_ACCOUNT] == timedelta(seconds=30)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=1)
