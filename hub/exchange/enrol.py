"""Enrolling, locking and retiring systems, and the certificates of their agencies (exchange rules 2).

Credentials are made here, shown once by the caller and kept only as hashes, except the gateway secret: its HMAC needs
it back, so it is encrypted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_der_x509_certificate
from sqlalchemy import RowMapping

from hub.domain.agency import Agency, Generation, canonical, generation, is_node, level_of
from hub.domain.document import VIETNAM, local_day
from hub.domain.signature import fingerprint, is_proved, statement
from hub.errors import Refusal, Violation, violation
from hub.exchange.audit import note
from hub.exchange.examine import acting_system
from hub.exchange.reroute import reroute
from hub.exchange.writer import Transaction, each
from hub.store import roster
from hub.store.roster import Roster

CODE_VALID = timedelta(days=7)
CODE_TRIES = 5
SECRET_LEAST = 8  # characters of a gateway secret that is brought along, as software in the field has it
SECRET_WEAK = 16  # below it a secret may be guessed from one request that was caught: an HMAC is as good as its key
MOST_CERTIFICATES = 20  # of one agency that are not over: all are looked through at each packet and each registration


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One system to enrol. ``name`` lists an agency the directory does not have; ``certificate`` is its first one."""

    code: str
    name: str = ""
    system_id: str = ""
    secret: str = ""
    profile: str = ""  # empty: as a system of this id had it, else required
    algorithms: str = ""  # empty: likewise, else 2025
    certificate: Certificate | None = None
    addresses: tuple[str, ...] = ()  # networks it may call from; none: as a system of this id, else from anywhere
    pdf_policy: str = ""  # empty: as a system of this id had it, else the hub's


@dataclass(frozen=True, slots=True)
class Enrolments:
    """Any number of systems at once, all or none; ``vault`` encrypts the gateway secrets. ``replace``: codes that have
    a system get another, or the same id with new credentials; ``renews``: only if those that stand were made then.
    ``by``, ``reason``: for the audit."""

    systems: tuple[Enrolment, ...]
    vault: Fernet
    replace: bool = False
    by: str = ""
    reason: str = ""
    renews: datetime | None = None


def hashed(text: str) -> str:
    """How a token or one-time code of high entropy is stored: SHA-256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@each
def enrol(tx: Transaction, job: Enrolments) -> list[dict[str, Any]]:
    """Credentials per system: ``{system_id, secret, token, code, agency}``. One system stands for a code: with
    ``replace`` an earlier one is retired, and what nobody fetched moves to the new one. A locked one that keeps its id
    stays locked.

    Raises ``system-connected`` for codes that have a system, ``credentials-renewed`` and ``system-none``
    for other credentials than those of ``renews``, or none, ``agency-unknown`` and ``agency-code-form`` for those that
    need ``--name``, ``agency-code-case`` and ``agency-is-node`` for those that cannot be meant, ``enrolled-twice`` for
    a code or system id named twice, ``system-id-taken`` for one that is another agency's, ``system-id-form``,
    ``secret-short``, ``addresses-form``, and for a certificate ``certificate-ended``.
    """
    codes = [tx.roster.directory.resolve(enrolment.code) for enrolment in job.systems]
    known = _check_ids(tx, codes, job.systems)
    _check_secrets(enrolment.secret for enrolment in job.systems)
    connected = roster.connected(tx.connection, codes)
    if connected and not job.replace:
        raise _connected("system-connected", connected)
    if job.renews is not None:
        _check_renewed(codes, connected, job.renews)
    wanted = zip(codes, job.systems, strict=True)
    unlisted = [agency for code, enrolment in wanted if (agency := _unlisted(tx, code, enrolment.name)) is not None]
    roster.take_over(tx.connection, unlisted, tx.now)
    for system in connected:
        roster.set_system(tx.connection, system["id"], state="retired", ended_at=tx.now)
        roster.drop_one_time_code(tx.connection, system["id"])
    certified = {row["code"] for row in roster.certificates_of(tx.connection, codes)}
    made = [_credentials(tx, code, e, code in certified) for code, e in zip(codes, job.systems, strict=True)]
    rows = [_system_row(tx, job.vault, given, e, known) for given, e in zip(made, job.systems, strict=True)]
    for row in rows:
        if row["id"] in known:
            roster.drop_one_time_code(tx.connection, row["id"])
            roster.set_system(tx.connection, row["id"], ended_at=None, **{k: v for k, v in row.items() if k != "id"})
    roster.add_systems(tx.connection, [row for row in rows if row["id"] not in known])
    roster.add_one_time_codes(tx.connection, [_code_row(tx, given) for given in made if given["code"]])
    for code, enrolment in zip(codes, job.systems, strict=True):
        if enrolment.certificate is not None:
            _register(tx, code, enrolment.certificate, "operator")
    tx.directory_changed()
    tx.roster = roster.load(tx.connection)
    reroute(tx)
    if job.by:
        for given in made:
            facts = {"system": given["system_id"], "replaced": any(s["code"] == given["agency"] for s in connected)}
            note(tx, job.by, "system-enrol", given["agency"], job.reason, facts)
    return made


def doubts(current: Roster, systems: Sequence[Enrolment], today: date) -> list[Violation]:
    """What an operator should know of systems just enrolled: ``agency-closed``, ``certificate-elsewhere``,
    ``secret-weak``."""
    directory = current.directory
    found = [
        violation("secret-weak", "secret", length=len(system.secret), least=SECRET_WEAK)
        for system in systems
        if 0 < len(system.secret) < SECRET_WEAK
    ]
    for code, certificate in ((directory.resolve(system.code), system.certificate) for system in systems):
        closed = directory.closed(code, today)
        if closed is not None:
            successor = directory.successor_of(code, today)
            instead = f"hub enrol {successor}" if successor else "hub agencies"
            found.append(
                violation("agency-closed", "code", code, code=code, since=f"{closed.since:%d/%m/%Y}", instead=instead)
            )
        counted = current.certificates.get(fingerprint(certificate), ()) if certificate is not None else ()
        others = sorted({one.code for one in counted} - {code})
        if others:
            found.append(violation("certificate-elsewhere", "certificate", code=code, others=", ".join(others)))
    return found


def _check_renewed(codes: list[str], connected: Sequence[RowMapping], made_at: datetime) -> None:
    if not connected:  # retired since
        raise Refusal("system-none", "code", codes[0], {"code": codes[0]})
    if any(system["enrolled_at"] != made_at for system in connected):
        raise _connected("credentials-renewed", connected)


def _connected(code: str, connected: Sequence[RowMapping]) -> Refusal:
    facts = [
        {"code": s["code"], "system": s["id"], "since": f"{s['enrolled_at'].astimezone(VIETNAM):%d/%m/%Y %H:%M}"}
        for s in connected
    ]
    told = [violation(code, "code", fact["code"], **fact) for fact in facts]
    return Refusal(code, facts=facts[0], violations=told)


_SYSTEM_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _check_ids(tx: Transaction, codes: list[str], systems: Sequence[Enrolment]) -> dict[str, RowMapping]:
    """The same agency's systems of these ids, whose software keeps its id when it gets a new secret."""
    named = [(code, system.system_id) for code, system in zip(codes, systems, strict=True) if system.system_id]
    for _, value in named:
        if not _SYSTEM_ID.fullmatch(value):
            raise Refusal("system-id-form", "system_id", value, {"value": value[:80]})
    for name, values in (("code", codes), ("system_id", [value for _, value in named])):
        for value, times in Counter(values).items():
            if times > 1:
                raise Refusal("enrolled-twice", name, value, {"value": value})
    known = roster.by_ids(tx.connection, [value for _, value in named])
    for code, value in named:
        if value in known and known[value]["code"] != code:
            raise Refusal("system-id-taken", "system_id", value, {"value": value, "code": known[value]["code"]})
    return known


def _check_secrets(secrets_given: Iterable[str]) -> None:
    for secret in secrets_given:
        if 0 < len(secret) < SECRET_LEAST:
            raise Refusal("secret-short", "secret", facts={"length": len(secret), "least": SECRET_LEAST})


def _credentials(tx: Transaction, code: str, enrolment: Enrolment, certified: bool) -> dict[str, Any]:
    return {
        "system_id": enrolment.system_id or tx.new_id(),
        "secret": enrolment.secret or secrets.token_urlsafe(32),
        "token": secrets.token_urlsafe(32),
        "code": "" if certified or enrolment.certificate is not None else secrets.token_urlsafe(24),  # 192 bits
        "agency": code,
    }


def _system_row(
    tx: Transaction, vault: Fernet, given: dict[str, Any], enrolment: Enrolment, known: Mapping[str, RowMapping]
) -> dict[str, Any]:
    before = known.get(given["system_id"], _NEW)
    return {
        "id": given["system_id"],
        "code": given["agency"],
        "state": "locked" if before["state"] == "locked" else "active",  # new secrets are no reason to let it in again
        "profile": enrolment.profile or before["profile"],
        "algorithms": enrolment.algorithms or before["algorithms"],
        "token_hash": hashed(given["token"]),
        "secret": vault.encrypt(given["secret"].encode()),
        "enrolled_at": tx.now,
        "addresses": _networks(enrolment.addresses) or before["addresses"],
        "pdf_policy": enrolment.pdf_policy or before["pdf_policy"],
    }


_NEW: Mapping[str, str] = {
    "state": "active", "profile": "required", "algorithms": "2025", "addresses": "", "pdf_policy": "",
}  # fmt: skip


def _networks(addresses: Iterable[str]) -> str:
    """As the system's row has them. Raises ``addresses-form``."""
    found = []
    for address in addresses:
        try:
            found.append(str(ip_network(address)))
        except ValueError:
            raise Refusal("addresses-form", "addresses", address, {"value": address[:80]}) from None
    return ",".join(found)


def _code_row(tx: Transaction, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "system_id": given["system_id"], "code_hash": hashed(given["code"]), "expires_at": tx.now + CODE_VALID,
        "tries_left": CODE_TRIES,
    }  # fmt: skip


def _unlisted(tx: Transaction, code: str, name: str) -> Agency | None:
    """The row to list for a code below a listed agency, or of neither generation: it is enrolled under its own name.

    None for what the operator lists; a unit that a system registered is not listed by anybody who may.
    """
    listed = roster.rows_of(tx.connection, [code])
    if tx.roster.directory.listed(code) is not None and not any(row["registered_by"] for row in listed):
        return None
    if is_node(code):
        raise Refusal("agency-is-node", "code", code, {"code": code})
    if generation(code) is Generation.OTHER and generation(code.upper()) is not Generation.OTHER:
        raise Refusal("agency-code-case", "code", code, {"code": code, "meant": canonical(code.upper())})
    if not name:
        if generation(code) is Generation.OTHER:
            raise Refusal("agency-code-form", "code", code, {"code": code})
        raise Refusal("agency-unknown", "code", code, {"code": code})
    chain = tx.roster.directory.chain(code)
    return Agency(canonical(code), name, level_of(code) or 1, chain[1] if len(chain) > 1 else "")


@dataclass(frozen=True, slots=True)
class Steer:
    """What an operator does to the system of a code: ``lock``, ``unlock``, ``retire``, ``bind`` to addresses, or say
    what is done about signatures in its PDF files (``pdf-report``, ``pdf-require``, ``pdf-as-hub``)."""

    code: str
    action: str
    addresses: tuple[str, ...] = ()  # it may call from these networks only; none: from anywhere
    by: str = ""  # for the audit
    reason: str = ""


_ACTIONS = {
    "lock": {"state": "locked"},
    "unlock": {"state": "active"},
    "retire": {"state": "retired"},
    "pdf-report": {"pdf_policy": "report"},
    "pdf-require": {"pdf_policy": "require"},
    "pdf-as-hub": {"pdf_policy": ""},
}


@each
def steer(tx: Transaction, job: Steer) -> dict[str, Any]:
    """Lock, unlock, retire or bind a system; what nobody fetched moves to whoever is nearest then.

    Raises ``addresses-form``, ``agency-unknown``, and ``system-none`` for an agency without a system of its own.
    """
    code = tx.roster.directory.resolve(job.code)
    system = tx.roster.directory.nearest(code)
    if system is None or system.code != code:
        listed = tx.roster.directory.listed(code) is not None
        raise Refusal("system-none" if listed else "agency-unknown", "code", code, {"code": code})
    changes: dict[str, Any] = dict(_ACTIONS.get(job.action, {"addresses": _networks(job.addresses)}))
    if job.action == "retire":
        changes["ended_at"] = tx.now
    roster.set_system(tx.connection, system.id, **changes)
    tx.directory_changed()
    tx.roster = roster.load(tx.connection)
    reroute(tx)
    left = tx.roster.systems.get(system.id)
    state = "retired" if left is None else "locked" if left.locked else "active"
    networks = [str(network) for network in left.networks] if left else []
    policy = left.pdf_policy if left else ""
    if job.by:
        facts = {"system": system.id, "addresses": networks} if job.action == "bind" else {"system": system.id}
        note(tx, job.by, f"system-{job.action}", code, job.reason, facts)
    return {"system_id": system.id, "agency": code, "state": state, "addresses": networks, "pdf_policy": policy}


@dataclass(frozen=True, slots=True)
class Registration:
    """A certificate for an agency, with the proof that its key is held.

    ``proof`` and ``endorsement`` are signatures over the statement (``hub.domain.signature.possession``): by the new
    key, and by an earlier one (``endorsed_by``: its fingerprint). The first certificate brings ``one_time_code``
    instead of an endorsement.
    """

    system_id: str
    code: str
    certificate: Certificate
    proof: bytes
    one_time_code: str = ""
    endorsed_by: str = ""
    endorsement: bytes = b""


def register(tx: Transaction, jobs: list[Registration]) -> list[Any]:
    """Register certificates. A wrong one-time code spends a try although the registration is refused."""
    results: list[Any] = []
    for job in jobs:
        try:
            results.append(_registration(tx, job))
        except Refusal as refusal:
            results.append(refusal)
    return results


def _registration(tx: Transaction, job: Registration) -> dict[str, Any]:
    system = acting_system(tx.roster, job.system_id)
    code = tx.roster.directory.resolve(job.code)
    if not tx.roster.directory.may_act_for(system, code, local_day(tx.now)):
        raise Refusal("not-found")
    text = statement(job.system_id, code, job.certificate, job.one_time_code)
    if not is_proved(job.certificate, job.proof, text):
        raise Refusal("possession-not-proved")
    if job.certificate.not_valid_after_utc <= tx.now:
        raise Refusal("certificate-ended")
    registered = roster.certificates_of(tx.connection, [code, system.code])
    if registered:
        basis = "endorsed"
        _endorsed(tx, job, text, registered)
    else:
        basis = "one-time-code"
        _spend_code(tx, job, system.code)
    return _register(tx, code, job.certificate, basis)


def _endorsed(tx: Transaction, job: Registration, text: bytes, registered: list[Any]) -> None:
    for row in registered:
        counts = row["fingerprint"] == job.endorsed_by and row["since"] <= tx.now < row["until"]
        if counts and is_proved(load_der_x509_certificate(row["der"]), job.endorsement, text):
            return
    raise Refusal("possession-not-proved")


def _spend_code(tx: Transaction, job: Registration, code: str) -> None:
    row = roster.one_time_code(tx.connection, job.system_id)
    refusal = Refusal("one-time-code-wrong", facts={"code": code})
    own = tx.roster.directory.same(job.code, code)  # bound to the system and its agency, not to units below
    if row is None or not own or row["tries_left"] <= 0 or row["expires_at"] <= tx.now:
        raise refusal
    if not hmac.compare_digest(row["code_hash"], hashed(job.one_time_code)):
        roster.spend_try(tx.connection, job.system_id)
        raise refusal
    roster.drop_one_time_code(tx.connection, job.system_id)


def _register(tx: Transaction, code: str, certificate: Certificate, basis: str) -> dict[str, Any]:
    named = fingerprint(certificate)
    registered = roster.certificates_of(tx.connection, [code])
    if not any(row["fingerprint"] == named for row in registered):
        if sum(row["until"] > tx.now for row in registered) >= MOST_CERTIFICATES:
            raise Refusal("too-many-certificates", facts={"code": code, "limit": MOST_CERTIFICATES})
        if certificate.not_valid_after_utc <= tx.now:
            raise Refusal("certificate-ended")
        row = {
            "fingerprint": named, "code": code, "der": certificate.public_bytes(Encoding.DER),
            "subject": certificate.subject.rfc4514_string(), "serial": f"{certificate.serial_number:x}",
            "since": max(certificate.not_valid_before_utc, tx.now), "until": certificate.not_valid_after_utc,
            "basis": basis, "registered_at": tx.now,
        }  # fmt: skip
        roster.add_certificate(tx.connection, row)
        tx.directory_changed()
    return {"agency": code, "fingerprint": named, "serial": f"{certificate.serial_number:x}"}


def decode_signature(text: str) -> bytes:
    """A signature as it travels in JSON: Base64. Raises ``possession-not-proved`` for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refusal("possession-not-proved") from None


def pem_of(der: bytes) -> str:
    """A stored certificate as text."""
    return load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()
