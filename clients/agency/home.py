"""The agency's folder: its settings, its keys, and where everything it sends and receives lies.

| in the folder | what |
|---|---|
| ``agency.toml`` | settings with the token, mode 600 |
| ``key.pem``, ``certificate.pem`` | the key (mode 600) and its certificate; ``request.pem`` a request for one |
| ``key-next.pem``, ``certificate-next.pem`` | the next pair, until the hub has it |
| ``key-YYYYMMDD.pem``, ``certificate-YYYYMMDD.pem`` | an earlier pair, by the day on which it began |
| ``directory.json`` | the hub's directory as last fetched, for offline checks |
| ``inbox/YYYY/MM/…`` | a folder for each packet received |
| ``outbox/`` | files to send, each set with its TOML |
| ``sending/`` | packets that the hub has not answered yet |
| ``sent/YYYY/MM/…``, ``refused/…`` | what became of them |
"""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate

from clients.agency import durable, keys
from clients.agency.texts import CannotError
from clients.hub_client import HubClient
from hub.domain.signature import PrivateKey

_HEAD = "# Made by `agency init`. Who has the token acts as this system: keep the file to yourself.\n"


@dataclass(frozen=True, slots=True)
class Config:
    """``agency.toml``. ``one_time_code`` stands there only until the certificate is registered."""

    hub: str
    code: str
    system_id: str
    token: str
    name: str = ""
    one_time_code: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder ``root``; nothing in it is read before it is asked for."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "agency.toml"

    @property
    def key_file(self) -> Path:
        return self.root / "key.pem"

    @property
    def certificate_file(self) -> Path:
        return self.root / "certificate.pem"

    @property
    def next_key(self) -> Path:
        return self.root / "key-next.pem"

    @property
    def next_certificate(self) -> Path:
        return self.root / "certificate-next.pem"

    @property
    def directory_file(self) -> Path:
        return self.root / "directory.json"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def sending(self) -> Path:
        return self.root / "sending"

    @property
    def sent(self) -> Path:
        return self.root / "sent"

    @property
    def refused(self) -> Path:
        return self.root / "refused"

    def config(self) -> Config:
        """Raises ``CannotError`` where no agency was made, or the file is not what ``init`` writes."""
        try:
            read = tomllib.loads(self.settings.read_text("utf-8"))
        except FileNotFoundError:
            raise CannotError("no-agency", folder=str(self.root)) from None
        except (OSError, ValueError) as fault:
            raise CannotError("settings-bad", path=str(self.settings), why=str(fault)) from None
        known = {field.name for field in fields(Config)}
        if not all(isinstance(value, str) and name in known for name, value in read.items()):
            raise CannotError("settings-bad", path=str(self.settings), why=", ".join(sorted(set(read) - known)))
        try:
            return Config(**read)
        except TypeError as fault:
            raise CannotError("settings-bad", path=str(self.settings), why=str(fault)) from None

    def save(self, config: Config) -> None:
        """For good, readable by its owner alone (the process has umask 077)."""
        # A JSON string without control characters is a TOML basic string.
        lines = [
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in asdict(config).items() if value
        ]
        durable.write(self.settings, (_HEAD + "".join(lines)).encode())

    def identity(self) -> tuple[PrivateKey, Certificate]:
        """Raises ``CannotError`` for files that are missing or do not fit each other."""
        return self.found_identity()[:2]

    def found_identity(self) -> tuple[PrivateKey, Certificate, Path]:
        """The identity, and the certificate's file: the next one's between the two renames of `agency renew`."""
        # Read in this order, the key last: whatever `agency renew` switches meanwhile, one certificate fits.
        waiting, standing = _content(self.next_certificate), _content(self.certificate_file)
        path = self.key_file
        try:
            key = keys.read_key(path.read_bytes())
            for path, pem in ((self.certificate_file, standing), (self.next_certificate, waiting)):
                with suppress(ValueError):
                    return key, keys.read_certificate(pem, key), path
            path = self.certificate_file
            return key, keys.read_certificate(path.read_bytes(), key), path  # raises what is wrong with it
        except FileNotFoundError:
            raise CannotError("key-missing", path=str(path)) from None
        except (OSError, ValueError) as fault:
            raise CannotError("key-bad", path=str(path), why=str(fault)) from None

    def client(self, config: Config, **options: Any) -> HubClient:
        """Access to the hub; ``options`` are the client's."""
        key, certificate = self.identity()
        return HubClient(config.hub, config.token, key=key, certificate=certificate, **options)


def _content(path: Path) -> bytes:
    """Nothing for a file that is missing."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
