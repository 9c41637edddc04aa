"""Making a folder an agency: key, certificate, settings, registration; every step may be repeated."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from clients.agency import durable, keys
from clients.agency.checking import fetch_directory
from clients.agency.home import Config, Home
from clients.agency.texts import CannotError
from clients.agency.voice import Voice
from clients.hub_client import HubClient
from hub.domain.signature import fingerprint

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Joining:
    """What `agency init` was given; what is missing stands in the folder already, or is made."""

    hub: str = ""
    code: str = ""
    name: str = ""
    credentials: Mapping[str, str] | None = None  # system_id, token, one_time_code
    certificate: Path | None = None  # issued for the key in the folder
    request: bool = False  # make a certificate request instead of a certificate


def read_credentials(path: Path) -> dict[str, str]:
    """What `hub enrol --json` printed, from a file or (``-``) standard input. Raises ``CannotError``."""
    try:
        given = json.loads(sys.stdin.read() if str(path) == "-" else path.read_text("utf-8"))
        found = {"system_id": given["system_id"], "token": given["token"], "one_time_code": given.get("code") or ""}
        if not all(isinstance(value, str) for value in found.values()):
            raise TypeError("not all are texts")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as fault:
        raise CannotError("credentials-bad", path=str(path), why=f"{type(fault).__name__}: {fault}") from None
    return found


def join(home: Home, given: Joining, voice: Voice, now: datetime) -> None:
    """Raises ``CannotError``, ``HubFailure``, ``OSError``; the same command goes on from there."""
    config = _config(home, given)
    parts = urlsplit(config.hub)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        voice.note("plain-http", hub=config.hub)
    durable.make_folder(home.root)
    home.save(config)
    if not home.key_file.exists():
        durable.write(home.key_file, keys.new_key())
        voice.say("key-made", path=str(home.key_file))
    with HubClient(config.hub, config.token) as stranger:
        fetch_directory(home, stranger, now)
        if not config.name:
            config = replace(config, name=_listed_name(home, config.code))
            home.save(config)
    if given.request:
        make_request(home, config, home.key_file, "init", voice)
        return
    _put_certificate(home, config, given, now)
    _register(home, config, voice)


def make_request(home: Home, config: Config, key_file: Path, command: str, voice: Voice) -> None:
    """``request.pem``; the certificate issued for it is for ``agency COMMAND --certificate``."""
    key = keys.read_key(key_file.read_bytes())
    path = home.root / "request.pem"
    durable.write(path, keys.request(key, config.code, config.name))
    voice.say("request-made", path=str(path), command=command)


def _config(home: Home, given: Joining) -> Config:
    new = {"hub": given.hub.rstrip("/"), "code": given.code, "name": given.name, **(given.credentials or {})}
    if home.settings.exists():
        known = home.config()
        if given.code and given.code != known.code:
            raise CannotError("init-other", folder=str(home.root), code=known.code)
        return replace(known, **{name: value for name, value in new.items() if value})
    needs = [f"--{name}" for name in ("hub", "code") if not new[name]]
    if not new.get("token") or not new.get("system_id"):
        needs.append("--credentials")
    if needs:
        raise CannotError("init-needs", needs=", ".join(needs))
    return Config(**new)


def _listed_name(home: Home, code: str) -> str:
    items = json.loads(home.directory_file.read_text("utf-8"))["items"]
    return next((item["name"] for item in items if item["code"] == code), "")


def _put_certificate(home: Home, config: Config, given: Joining, now: datetime) -> None:
    path = given.certificate or home.key_file
    try:
        key = keys.read_key(home.key_file.read_bytes())
        if given.certificate:
            pem = given.certificate.read_bytes()
            keys.read_certificate(pem, key)
        elif home.certificate_file.exists():
            return
        else:
            pem = keys.self_made_certificate(key, config.code, config.name, now)
    except (OSError, ValueError) as fault:
        raise CannotError("key-bad", path=str(path), why=str(fault)) from None
    durable.write(home.certificate_file, pem)


def _register(home: Home, config: Config, voice: Voice) -> None:
    _, certificate = home.identity()
    with home.client(config) as client:
        standing = any(each.certificate == certificate for each in client.certificates(config.code))
        if standing:
            voice.say("init-done", code=config.code)
        elif not config.one_time_code:
            raise CannotError("no-code", code=config.code, path=str(home.certificate_file))
        else:
            made = client.register_certificate(config.code, config.system_id, config.one_time_code)
            voice.say("registered", agency=made.agency, fingerprint=fingerprint(certificate))
    home.save(replace(config, one_time_code=""))
