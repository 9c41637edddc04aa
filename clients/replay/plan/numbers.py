"""Numbers as offices give them: consecutive within the year, for each series of an agency (NĐ 30/2020 Đ.15 k.1)."""

from __future__ import annotations


class Numbers:
    """The next number of each series; a new year begins anew."""

    def __init__(self) -> None:
        self._year, self._last = 0, dict[tuple[str, str, str], int]()

    def next(self, year: int, sender: str, issuer: str, symbol: str) -> str:
        """``issuer``: of a document that is sent on; what one agency sends on has a series of its own."""
        if year != self._year:
            self._year, self._last = year, {}
        series = (sender, issuer, symbol)
        self._last[series] = self._last.get(series, 0) + 1
        return f"{self._last[series]:02}"
