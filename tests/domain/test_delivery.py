"""The two tables of exchange rules 6, cell by cell, and what follows from them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.delivery import (
    ANSWER,
    Ask,
    Effect,
    Move,
    Overall,
    Standing,
    Status,
    Transport,
    can_withdraw,
    effect,
    moved,
    overall,
)
from hub.errors import Refusal

# The transport table as the rules write it: from, and where to.
TO = {
    "waiting": {"taken", "delivered", "failed", "expired", "withdrawn"},
    "taken": {"waiting", "delivered", "failed", "expired"},
    "failed": {"waiting", "delivered", "withdrawn"},
    "expired": {"waiting", "delivered", "withdrawn"},
    "delivered": set(),
    "withdrawn": set(),
}
LEADS_TO = {
    Move.TAKE: "taken",
    Move.LEASE_OVER: "waiting",
    Move.DONE: "delivered",
    Move.FAIL: "failed",
    Move.EXPIRE: "expired",
    Move.REOPEN: "waiting",
    Move.WITHDRAW: "withdrawn",
}


@pytest.mark.parametrize(("state", "move"), list(itertools.product(Transport, Move)))
def test_a_packet_moves_only_as_the_transport_table_says(state: Transport, move: Move) -> None:
    target = LEADS_TO[move]
    # Two moves lead to waiting: a lease ends only what is taken, and only what ended badly opens again.
    fits = {Move.LEASE_OVER: state is Transport.TAKEN, Move.REOPEN: state in {Transport.FAILED, Transport.EXPIRED}}
    if target in TO[state] and fits.get(move, True):
        assert moved(state, move) == target
    else:
        with pytest.raises(Refusal, match=r"^delivery-final") as refused:
            moved(state, move)
        assert state.value in refused.value.en


@settings(max_examples=100)
@given(st.lists(st.sampled_from(list(Move)), max_size=12))
def test_no_sequence_of_moves_leads_out_of_a_final_state(moves: list[Move]) -> None:
    state = Transport.WAITING
    for move in moves:
        try:
            after = moved(state, move)
        except Refusal:
            continue
        assert state not in {Transport.DELIVERED, Transport.WITHDRAWN}
        state = after


@pytest.mark.parametrize("state", list(Transport))
@pytest.mark.parametrize("fetched", [False, True])
def test_only_what_was_never_fetched_and_is_nobodys_now_can_be_withdrawn(state: Transport, fetched: bool) -> None:
    assert can_withdraw(state, fetched=fetched) == (not fetched and state in {"waiting", "failed", "expired"})


# The processing table: M moves, H handed on, R recorded, X refused, Q asks, A answers (X where nothing is open).
STATUSES = ["none", "01", "03", "04", "05", "06", "02", "cancelled", "replaced"]
CELLS = {
    "01": "M H R R R R R R R",
    "03": "M M H R R R R R R",
    "04": "M M M H R R R R R",
    "05": "M M M M H R R R R",
    "06": "M M M M M H R R R",
    "02": "M M M X X X H X X",
    "13": "Q Q Q Q Q Q X X X",
    "15": "A A A A A A X X X",
    "16": "A A A A A A X X X",
}
SAID = {"none": "chưa có trạng thái / no status"}
EFFECTS = {
    "M": Effect.MOVES,
    "H": Effect.HANDED_ON,
    "R": Effect.RECORDED,
    "Q": Effect.ASKS,
    "A": Effect.ANSWERS,
}
TABLE = {
    (code, status): cell for code, row in CELLS.items() for status, cell in zip(STATUSES, row.split(), strict=True)
}


@pytest.mark.parametrize(("code", "status"), list(itertools.product(CELLS, Status)))
@pytest.mark.parametrize("open_requests", [0, 1, 3])
def test_a_report_does_what_its_cell_says(code: str, status: Status, open_requests: int) -> None:
    cell = TABLE[code, status]
    if cell == "X" or (cell == "A" and not open_requests):
        with pytest.raises(Refusal, match=r"^status-not-allowed") as refused:
            effect(code, status, fetched=True, open_requests=open_requests)
        assert refused.value.pointer == "MessageHeader/StatusCode"
        assert f"Trạng thái {code} không được phép sau {SAID.get(status, status)};" in refused.value.vi
    else:
        assert effect(code, status, fetched=True, open_requests=open_requests) is EFFECTS[cell]


@pytest.mark.parametrize("code", list(CELLS))
def test_before_the_first_fetch_only_the_sender_has_something_to_say(code: str) -> None:
    if code == "13":
        assert effect(code, Status.NONE, fetched=False, open_requests=0) is Effect.ASKS
    else:
        with pytest.raises(Refusal, match=r"^status-not-allowed") as refused:
            effect(code, Status.NONE, fetched=False, open_requests=1)
        assert refused.value.repair == "13"
        assert "after chưa lấy văn bản / not fetched;" in refused.value.en


@pytest.mark.parametrize("code", ["07", "08", "09", "10", "11", "12", "14", "", "1", "00", "cancelled"])
def test_other_codes_are_unknown(code: str) -> None:
    with pytest.raises(Refusal, match=rf"^status-code-unknown: Status code {code or '–'} is not used") as refused:
        effect(code, Status.NONE, fetched=True, open_requests=0)
    assert refused.value.pointer == "MessageHeader/StatusCode"
    assert refused.value.repair == ", ".join(CELLS)


@pytest.mark.parametrize(("status", "open_requests"), list(itertools.product(Status, [0, 1])))
def test_a_refusal_names_the_codes_that_would_do_something(status: Status, open_requests: int) -> None:
    useful, named = [], set()
    for code in CELLS:
        try:
            done = effect(code, status, fetched=True, open_requests=open_requests)
        except Refusal as refusal:
            named.add(refusal.repair)
        else:
            useful += [code] if done is not Effect.RECORDED else []
    assert named <= {", ".join(useful) or "–"}  # nothing is refused, and so nothing named, where all codes do something


@pytest.mark.parametrize(
    ("ask", "after"),
    [
        (Ask.TAKE_BACK, Status.CANCELLED),
        (Ask.REVOCATION, Status.CANCELLED),
        (Ask.REPLACEMENT, Status.REPLACED),
        (Ask.UPDATE, None),
    ],
)
def test_agreeing_ends_the_document_except_for_an_update_and_refusing_never(ask: Ask, after: Status | None) -> None:
    assert (ANSWER["15"][ask], ANSWER["16"][ask]) == (after, None)


# The overall state: bad > open > withdrawn > completed.

KINDS_OF_ROW = {
    "bad": [("failed", "none"), ("expired", "none"), ("expired", "06"), ("delivered", "02")],
    "open": [("waiting", "none"), ("taken", "none"), ("delivered", "none"), ("delivered", "05"), ("waiting", "01")],
    "withdrawn": [("withdrawn", "none"), ("delivered", "cancelled"), ("delivered", "replaced")],
    "completed": [("delivered", "06")],
}
ROWS = [(kind, Standing(Transport(a), Status(b))) for kind, rows in KINDS_OF_ROW.items() for a, b in rows]


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_one_recipient_decides_alone(kind: str, row: Standing) -> None:
    assert overall([row]) == kind


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ROWS, ROWS)))
def test_of_two_recipients_the_worse_one_counts(first: tuple[str, Standing], second: tuple[str, Standing]) -> None:
    kinds = {first[0], second[0]}
    expected = next(kind for kind in ("bad", "open", "completed", "withdrawn") if kind in kinds)
    assert overall([first[1], second[1]]) is Overall(expected)
