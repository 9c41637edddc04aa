"""A client of a simulated hub's control port (``hub.simulation``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any

import httpx


class Control:
    """The port at ``url``; an async context manager. Methods raise ``httpx.HTTPError``, also for what the hub will not
    do, with what is allowed.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        # The machine's proxy settings are not for a port of loopback.
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False)

    async def __aenter__(self) -> Control:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def clock(self, now: datetime | None) -> None:
        """The hub's clock stands at an aware ``now``; None: the machine's time again."""
        if now is None:
            await self._ask("DELETE", "/clock")
        else:
            await self._ask("PUT", "/clock", {"now": now.isoformat()})

    async def jump(self, by: float) -> None:
        """The hub's clock goes so many seconds forward, or back."""
        await self._ask("PUT", "/clock", {"by": by})

    async def faults(self, seed: int = 0, shares: Mapping[str, float] | None = None) -> None:
        """``shares`` by the port's names of faults; without any there are none."""
        if shares:
            await self._ask("PUT", "/faults", {"seed": seed, **shares})
        else:
            await self._ask("DELETE", "/faults")

    async def death(self, step: str, nth: int = 1) -> None:
        """The hub kills itself where that step is reached the nth time from now."""
        await self._ask("PUT", "/death", {"step": step, "nth": nth})

    async def old_axis(self, failures: Iterable[str]) -> None:
        """Exactly these failures of the old axis."""
        await self._ask("PUT", "/old-axis", list(failures))

    async def mutants(self, seed: int = 0, shares: Mapping[str, float] | None = None) -> None:
        """Exactly these mutants."""
        await self._ask("PUT", "/mutants", {"seed": seed, **(shares or {})})

    async def release(self) -> None:
        """No faults, the machine's time: as it was before anything was ordered. It may be gone; nothing is raised."""
        for order in (self.faults, self.mutants, partial(self.old_axis, ()), partial(self.clock, None)):
            with suppress(httpx.HTTPError):
                await order()

    async def injected(self, after: int = 0) -> tuple[tuple[Mapping[str, Any], ...], int]:
        """What was injected since, ``{seq, at, fault, mark, path}`` each; and what to go on after."""
        found = await self._ask("GET", "/injected", after=after)
        return tuple(found["items"]), found["next"]

    async def _ask(self, method: str, path: str, body: object = None, **query: int) -> Any:
        answer = await self._http.request(method, path, params=query or None, json=body)
        if answer.is_error:
            said = f"{method} {path}: HTTP {answer.status_code}: {answer.text[:2000]}"
            raise httpx.HTTPStatusError(said, request=answer.request, response=answer)
        return answer.json() if answer.content else None
