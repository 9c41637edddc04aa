"""The key that encrypts the gateway secrets: a file of mode 600 beside the data, made on first use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import structlog
from cryptography.fernet import Fernet

from hub.errors import Refusal
from hub.store.durable import sync

log = structlog.get_logger()


def open_vault(path: Path, *, make: bool) -> Fernet:
    """The vault of a key file; with ``make`` a missing one is made, as long as nothing is encrypted.

    Raises ``key-file-lost`` for a file that is missing otherwise (a new key would read none of the secrets there are),
    ``key-file-unusable`` for one that holds no key or cannot be read or made.
    """
    try:
        if not path.exists():
            if not make:
                raise Refusal("key-file-lost", facts={"path": path})
            _make(path)
        if mode := path.stat().st_mode & 0o077:
            log.warning("key-file-open-to-others", path=str(path), mode=f"{mode:o}", repair="chmod 600")
        return Fernet(path.read_bytes())
    except OSError as fault:
        raise Refusal("key-file-unusable", facts={"path": path, "why": fault.strerror}) from None
    except ValueError:
        why = "it does not hold 32 bytes in URL-safe Base64"
        raise Refusal("key-file-unusable", facts={"path": path, "why": why}) from None


def _make(path: Path) -> None:
    """The file appears whole or not at all, and two processes making it agree on one key."""
    own = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, path)
    except FileExistsError:
        pass  # another process was first; its key counts
    finally:
        own.unlink()
    sync(path.parent)  # what it encrypts is committed next
