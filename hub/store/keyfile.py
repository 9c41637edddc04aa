"""The key that encrypts the gateway secrets: a file of mode 600 beside the data, made on first use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def open_vault(path: Path) -> Fernet:
    """The vault of a key file. The file appears whole or not at all, and two processes making it agree on one key."""
    if not path.exists():
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
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name too must outlive a power cut: what it encrypts is committed next
        finally:
            os.close(folder)
    return Fernet(path.read_bytes())
