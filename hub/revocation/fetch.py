"""Asking a server named by a certificate, which may be anybody's: everything about the answer is bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from urllib.parse import urlsplit

import httpx

CRL_BYTES = 20 * 1024 * 1024
OCSP_BYTES = 64 * 1024
STAMP_BYTES = 64 * 1024
PATIENCE = timedelta(seconds=15)  # for one answer as a whole, however slowly its bytes come
_STEP = 5.0  # seconds to connect, and between two pieces of an answer
_IDENTITY = {"Accept-Encoding": "identity"}  # what is small on the wire is not large here


class FetchError(Exception):
    """Why nothing was had; its arguments are the Vietnamese and the English of it."""


def is_fetchable(url: str) -> bool:
    """Whether it is http or https and names a host: of distribution points many are ldap."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class Fetcher:
    """A client for a few requests; to be closed. Redirects are not followed: they would lead to hosts that no
    authority named."""

    def __init__(self, patience: timedelta = PATIENCE, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._monotonic = patience.total_seconds(), monotonic
        self._client = httpx.Client(timeout=min(_STEP, self._patience), follow_redirects=False, headers=_IDENTITY)

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def crl(self, url: str) -> bytes:
        """The body at a distribution point (RFC 5280 §4.2.1.13), at most 20 MiB. Raises :class:`FetchError`."""
        return self._fetch("GET", url, CRL_BYTES)

    def ocsp(self, url: str, question: bytes) -> bytes:
        """The answer to an OCSP request, DER (RFC 6960 appendix A.1), at most 64 KiB. Raises :class:`FetchError`."""
        return self._fetch("POST", url, OCSP_BYTES, question)

    def _fetch(self, method: str, url: str, most: int, content: bytes | None = None) -> bytes:
        if not is_fetchable(url):
            raise _not_http()
        headers = {} if content is None else {"Content-Type": "application/ocsp-request"}
        until = self._monotonic() + self._patience
        body = bytearray()
        try:
            with self._client.stream(method, url, content=content, headers=headers) as response:
                _require_ok(response)
                for piece in response.iter_raw():
                    body += piece
                    _require_room(body, most)
                    if self._monotonic() > until:
                        raise _too_slow()
        except _AWAY as fault:
            raise _away(fault) from None
        return bytes(body)


async def stamped(url: str, question: bytes, patience: timedelta = PATIENCE) -> bytes:
    """A timestamping authority's answer to a request, DER (RFC 3161 §3.4), at most 64 KiB. Raises :class:`FetchError`.

    Without a thread: an authority that never comes to an end holds up neither other work nor the end of the process.
    """
    if not is_fetchable(url):
        raise _not_http()
    headers = _IDENTITY | {"Content-Type": "application/timestamp-query"}
    body = bytearray()
    try:
        async with (
            asyncio.timeout(patience.total_seconds()),
            httpx.AsyncClient(timeout=_STEP, follow_redirects=False) as client,
            client.stream("POST", url, content=question, headers=headers) as response,
        ):
            _require_ok(response)
            async for piece in response.aiter_raw():
                body += piece
                _require_room(body, STAMP_BYTES)
    except TimeoutError:
        raise _too_slow() from None
    except _AWAY as fault:
        raise _away(fault) from None
    return bytes(body)


_AWAY = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)


def _require_ok(response: httpx.Response) -> None:
    told = response.status_code
    if told != httpx.codes.OK:
        raise FetchError(f"máy chủ trả lời {told}", f"the server answered {told}")


def _require_room(body: bytearray, most: int) -> None:
    if len(body) > most:
        raise FetchError(f"lớn hơn {most} byte", f"larger than {most} bytes")


def _not_http() -> FetchError:
    return FetchError("chỉ lấy được qua http hoặc https", "only http and https can be fetched")


def _too_slow() -> FetchError:
    return FetchError("quá chậm", "too slow")


def _away(fault: Exception) -> FetchError:
    why = type(fault).__name__
    return FetchError(f"không liên lạc được ({why})", f"cannot be reached ({why})")
