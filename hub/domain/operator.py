"""The people who operate a hub: what each role may do, how long a session lives, how long wrong guesses wait."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.errors import Refusal


class Role(StrEnum):
    """Each may all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is signed in."""

    name: str
    role: Role

    def may(self, needed: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self.role) >= ranks.index(needed)


IDLE = timedelta(minutes=30)  # without a page asked for; what is live by itself does not count
WHOLE = timedelta(hours=12)  # whatever is asked for
LINK = timedelta(minutes=15)  # a link that lets in once
SEEN = timedelta(minutes=1)  # how exactly it is written when a session was last used


def is_alive(now: datetime, seen_at: datetime, ends_at: datetime) -> bool:
    return now < ends_at and now - seen_at < IDLE


_LONGEST_NAME = 64
_SIGNS = frozenset("._-@")
COMMAND = "command:"  # begins what the audit names whoever ran one by (hub.terminal.who); no account's name has a colon


def named(text: str) -> str:
    """The name of an account as it is stored: NFC, case-folded. Raises ``operator-name``."""
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())
    if not 1 <= len(name) <= _LONGEST_NAME or not all(sign.isalnum() or sign in _SIGNS for sign in name):
        raise Refusal("operator-name", "name", name[:80], {"value": name[:80]})
    return name


REASON_LEAST, REASON_MOST = 3, 500  # characters


def reasoned(text: str) -> str:
    """Why something is done, as it is kept and told: NFC. Raises ``reason-form``."""
    reason = unicodedata.normalize("NFC", " ".join(text.split()))
    if not REASON_LEAST <= len(reason) <= REASON_MOST or any(unicodedata.category(c)[0] == "C" for c in reason):
        raise Refusal("reason-form", "reason", reason[:80], {"least": REASON_LEAST, "most": REASON_MOST})
    return reason


PASSWORD_LEAST = 12  # characters: length is what stands against guessing
PASSWORD_MOST = 200


def check_password(name: str, password: str) -> str:
    """The password as it is hashed: NFC, so that it is the same from every keyboard. Raises ``password-weak``."""
    plain = unicodedata.normalize("NFC", password)
    if not PASSWORD_LEAST <= len(plain) <= PASSWORD_MOST or len(set(plain)) < 5 or name in plain.casefold():
        raise Refusal("password-weak", "password", facts={"least": PASSWORD_LEAST, "most": PASSWORD_MOST})
    return plain


# Guesses from one address at one account, and from one address at all accounts. Nobody is locked out by what comes
# from elsewhere.
FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 30  # an office may be behind one address
FORGOTTEN = timedelta(days=1)  # of an address, without a wrong one: many may share it, and their typing errors add up
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(hours=1)


def pause(wrong: int, free: int) -> timedelta:
    """How long to wait after so many wrong guesses: twice as long after each one past the free ones."""
    if wrong < free:
        return timedelta(0)
    return min(_FIRST * (1 << min(wrong - free, 10)), _LONGEST)
