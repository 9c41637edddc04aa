"""Packets too large for a row, in a bucket of a store that speaks S3.

An object appears whole when its one PUT is answered, and never otherwise: the store has then written it as durably as
it is set to. What comes back is asked for in parts, so that no slow reader holds a connection to the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from hub.errors import Refusal
from hub.store.engine import RETRY_AFTER

PART = 1024 * 1024  # bytes asked for at once
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Access:
    """Where a bucket is and who may use it; ``endpoint`` is the store's URL, ``prefix`` a folder in the bucket."""

    bucket: str
    prefix: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)


class Bucket:
    """Payloads in a bucket. What the store does not do now is ``payloads-away``: the same request may work later."""

    def __init__(self, access: Access) -> None:
        self._store = _open(access, seconds=10)
        self._wide = _open(access, seconds=60)  # for what may be as large as the largest packet

    def put(self, place: str, data: bytes) -> None:
        with _told(missing=True):
            obstore.put(self._wide, place, data, use_multipart=False)

    def get(self, place: str) -> bytes:
        with _told():
            return bytes(obstore.get(self._wide, place).bytes())

    def stream(self, place: str) -> Iterator[bytes]:
        with _told():
            size = obstore.head(self._store, place)["size"]
        return self._parts(place, size)

    def _parts(self, place: str, size: int) -> Iterator[bytes]:
        for start in range(0, size, PART):
            with _told():
                part = obstore.get_range(self._store, place, start=start, end=min(start + PART, size))
            yield bytes(part)

    def remove(self, place: str) -> None:
        with _told(missing=True):  # the bucket: of an object that is not there S3 says nothing
            obstore.delete(self._store, place)

    def older_than(self, moment: datetime) -> Iterator[str]:
        with _told():
            for found in obstore.list(self._store):
                yield from (meta["path"] for meta in found if meta["last_modified"] < moment)

    def check(self) -> None:
        """Write and remove an object, as serving will. Raises ``payloads-unusable``, which tells the operator why."""
        try:
            obstore.put(self._store, ".hub", b"hub", use_multipart=False)
            obstore.delete(self._store, ".hub")
        except (BaseError, FileNotFoundError) as fault:
            raise Refusal("payloads-unusable", facts={"why": _first_line(fault)}) from None


def _open(access: Access, seconds: int) -> S3Store:
    """A client whose every request ends within ``seconds``, body and all."""
    return S3Store(
        access.bucket,
        prefix=access.prefix or None,
        endpoint=access.endpoint,
        region=access.region,
        access_key_id=access.access_key,
        secret_access_key=access.secret_key,
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": access.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=seconds),
        },
        # As it comes it tries for three minutes, while a sender waits who would repeat by himself.
        retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=5)},
    )


@contextmanager
def _told(*, missing: bool = False) -> Iterator[None]:
    """A fault of the store as the refusal it means; with ``missing`` that something is not found is one too."""
    try:
        yield
    except (BaseError, FileNotFoundError) as fault:
        if isinstance(fault, FileNotFoundError) and not missing:
            raise
        log.warning("payloads-away", why=_first_line(fault))
        raise Refusal("payloads-away", retry_after=RETRY_AFTER) from None


def _first_line(fault: Exception) -> str:
    """What a person can use of it: the rest are the insides of the library."""
    return str(fault).partition("\n")[0]
