"""Accounts of operators, and signing in. Each verb notes what was done in the audit; tokens are kept as hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hub.domain.operator import COMMAND, IDLE, LINK, WHOLE, Operator, Role
from hub.errors import Refusal
from hub.exchange.audit import note
from hub.exchange.writer import Transaction, each
from hub.store import operators as rows


@dataclass(frozen=True, slots=True)
class Account:
    """A new account. ``password``: its hash; empty for one that links alone let in."""

    by: str
    name: str
    role: Role
    password: str
    reason: str = ""


@each
def add(tx: Transaction, job: Account) -> None:
    """Raises ``operator-known`` and, as all that follow do, ``role-low`` for who is no administrator any more."""
    _administers(tx, job.by)
    if rows.account(tx.connection, job.name) is not None:
        raise Refusal("operator-known", "name", job.name, {"name": job.name})
    password_at = tx.now if job.password else None
    row = {"name": job.name, "role": job.role, "password": job.password, "added_at": tx.now, "password_at": password_at}
    rows.add(tx.connection, row)
    note(tx, job.by, "operator-add", job.name, job.reason, {"role": job.role})


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to an account, by whom; the role or the hash of the password where one is set."""

    by: str
    name: str
    role: Role | None = None
    password: str = ""
    reason: str = ""


@each
def set_role(tx: Transaction, job: Change) -> int:
    """Ends the account's sessions, so that no page shows more than the role may see; gives how many.

    Raises ``operator-unknown``, and ``operator-self`` for one's own: whoever does so is left, so there is always one.
    """
    assert job.role is not None
    before = _of_another(tx, job)
    rows.change(tx.connection, job.name, role=job.role)
    ended = rows.end_sessions(tx.connection, job.name)
    note(tx, job.by, "operator-role", job.name, job.reason, {"before": before, "after": job.role, "ended": ended})
    return ended


@each
def set_password(tx: Transaction, job: Change) -> int:
    """Ends the account's sessions: who had the old one may be in one; gives how many. Raises ``operator-unknown``."""
    _administers(tx, job.by)
    _known(tx, job.name)
    rows.change(tx.connection, job.name, password=job.password, password_at=tx.now)
    ended = rows.end_sessions(tx.connection, job.name)
    note(tx, job.by, "operator-password", job.name, job.reason, {"ended": ended})
    return ended


@each
def remove(tx: Transaction, job: Change) -> None:
    """Raises ``operator-unknown`` and ``operator-self``."""
    role = _of_another(tx, job)
    ended = rows.end_sessions(tx.connection, job.name)
    rows.remove(tx.connection, job.name)
    note(tx, job.by, "operator-remove", job.name, job.reason, {"role": role, "ended": ended})


@each
def end_sessions(tx: Transaction, job: Change) -> int:
    """Sign an operator out everywhere; gives from how many sessions. Raises ``operator-unknown``."""
    _administers(tx, job.by)
    _known(tx, job.name)
    ended = rows.end_sessions(tx.connection, job.name)
    note(tx, job.by, "operator-sessions", job.name, job.reason, {"ended": ended})
    return ended


def _administers(tx: Transaction, by: str) -> None:
    """Whoever acts still is what the page took them for: of two who remove each other at the same time one is left.

    Whoever runs a command has the database itself.
    """
    if by.startswith(COMMAND):
        return
    found = rows.account(tx.connection, by)
    if found is None or found["role"] != Role.ADMINISTRATOR:
        raise Refusal("role-low", facts={"role": "Quản trị", "role_en": "Administrator"})


def _known(tx: Transaction, name: str) -> str:
    """The role of an account."""
    found = rows.account(tx.connection, name)
    if found is None:
        raise Refusal("operator-unknown", "name", name, {"name": name})
    return str(found["role"])


def _of_another(tx: Transaction, job: Change) -> str:
    _administers(tx, job.by)
    if job.by == job.name:
        raise Refusal("operator-self", "name", job.name)
    return _known(tx, job.name)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody whose password was found right: ``password`` is the hash it was compared with."""

    name: str
    password: str
    token_hash: str
    address: str


@each
def sign_in(tx: Transaction, job: SignIn) -> Operator:
    """Open a session. Raises ``sign-in-wrong`` if the account has another password, or is gone, by now."""
    found = rows.account(tx.connection, job.name)
    if found is None or found["password"] != job.password:
        raise Refusal("sign-in-wrong")
    return _enter(tx, job.name, job.token_hash, job.address, "sign-in")


@dataclass(frozen=True, slots=True)
class ByLink:
    """Somebody with a link: its token's hash, and the one of the session to open."""

    link_hash: str
    token_hash: str
    address: str


@each
def sign_in_by_link(tx: Transaction, job: ByLink) -> Operator:
    """Raises ``link-over`` for one that was used, or is too old."""
    name = rows.use_link(tx.connection, job.link_hash, tx.now)
    if name is None:
        raise Refusal("link-over")
    return _enter(tx, name, job.token_hash, job.address, "sign-in-link")


def _enter(tx: Transaction, name: str, token_hash: str, address: str, action: str) -> Operator:
    rows.forget_over(tx.connection, tx.now, tx.now - IDLE)
    row = {"token_hash": token_hash, "name": name, "address": address}
    rows.open_session(tx.connection, row | {"began_at": tx.now, "seen_at": tx.now, "ends_at": tx.now + WHOLE})
    note(tx, name, action, name, facts={"address": address})
    return Operator(name, Role(_known(tx, name)))


@each
def sign_out(tx: Transaction, token_hash: str) -> None:
    name = rows.end_session(tx.connection, token_hash)
    if name is not None:
        note(tx, name, "sign-out", name)


@each
def saw(tx: Transaction, token_hash: str) -> None:
    """A page was asked for in this session."""
    rows.saw(tx.connection, token_hash, tx.now)


@dataclass(frozen=True, slots=True)
class Link:
    by: str
    name: str
    token_hash: str
    lasts: timedelta = LINK


@each
def add_link(tx: Transaction, job: Link) -> None:
    """A link that lets an operator in once. Raises ``operator-unknown``."""
    _known(tx, job.name)
    row = {"token_hash": job.token_hash, "name": job.name, "expires_at": tx.now + job.lasts}
    rows.add_link(tx.connection, row)
    note(tx, job.by, "operator-link", job.name, facts={"minutes": int(job.lasts.total_seconds() // 60)})
