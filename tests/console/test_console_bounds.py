"""What strangers and watchers can take of the hub by its console is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
from builders.axis import Clock
from builders.console import PASSWORD, operating
from builders.served import a_served_hub

from hub.console import access
from hub.domain.operator import FORGOTTEN, FREE_OF_ACCOUNT, FREE_OF_ADDRESS, pause
from hub.errors import Refusal
from hub.exchange.passwords import Passwords, hashed, is_right
from hub.http.lockout import Lockout


def test_a_session_watches_four_times_and_another_still_may(tmp_path: Path) -> None:
    with a_served_hub(tmp_path) as served, ExitStack() as open_streams:
        kept: list[Iterator[str]] = []
        lan, an = operating(served, "lan"), operating(served, "an")

        def watch(token: str) -> int:
            cookie = {"Cookie": f"{access.COOKIE}={token}"}
            stream = httpx.stream("GET", f"{served.base_url}/console/live", headers=cookie, timeout=30)
            answer = open_streams.enter_context(stream)
            if answer.status_code == 200:
                kept.append(answer.iter_lines())  # or the client would hang up
                assert next(kept[-1]) == "retry: 3000"  # it has begun
            return answer.status_code

        assert [watch(lan.token) for _ in range(5)] == [200, 200, 200, 200, 503]
        assert watch(an.token) == 200


def test_guesses_from_one_address_hold_nobody_else_up() -> None:
    clock = Clock()
    of_account = Lockout(clock, lambda wrong: pause(wrong, FREE_OF_ACCOUNT))
    of_address = Lockout(clock, lambda wrong: pause(wrong, FREE_OF_ADDRESS))
    for _ in range(FREE_OF_ADDRESS):
        of_account.wrong("192.0.2.1", "lan")
        of_address.wrong("192.0.2.1")
    assert of_account.left("192.0.2.1", "lan")
    assert of_address.left("192.0.2.1")
    assert not of_account.left("192.0.2.2", "lan")
    assert not of_address.left("192.0.2.2")
    of_account.right("192.0.2.1", "lan")
    assert not of_account.left("192.0.2.1", "lan")


def test_the_typing_errors_of_an_office_are_forgotten_after_a_day_without_one() -> None:
    clock = Clock()
    of_address = Lockout(clock, lambda wrong: pause(wrong, FREE_OF_ADDRESS), FORGOTTEN)
    for _ in range(FREE_OF_ADDRESS + 9):
        of_address.wrong("192.0.2.1")
    assert of_address.left("192.0.2.1")
    clock.pass_(hours=23.9)
    of_address.wrong("192.0.2.1")  # not yet a day: whoever goes on guessing waits
    assert of_address.left("192.0.2.1")
    clock.pass_(hours=24)
    of_address.wrong("192.0.2.1")
    assert not of_address.left("192.0.2.1")


def test_passwords_are_compared_one_at_a_time_and_few_may_wait() -> None:
    async def crowd() -> list[bool | BaseException]:
        passwords = Passwords()
        return await asyncio.gather(*(passwords.is_right("", "x" * 12) for _ in range(20)), return_exceptions=True)

    found = asyncio.run(crowd())
    busy = [each for each in found if isinstance(each, Refusal)]
    assert ([each.code for each in busy], found.count(False)) == (["busy"] * 4, 16)


def test_a_hash_is_argon2id_and_only_its_password_is_right() -> None:
    stored = hashed(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_right(stored, PASSWORD)
    assert not is_right(stored, PASSWORD + " ")
    assert not is_right("", PASSWORD)
