"""The page of metrics as Prometheus reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from builders.axis import Axis
from prometheus_client.parser import text_string_to_metric_families

from hub import monitoring
from hub.settings import Settings


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@dataclass
class Monitored:
    """The page at ``url``. What this process counted for other tests before is not counted in :meth:`rise`."""

    url: str

    def __post_init__(self) -> None:
        self._before = read(self.text())

    def text(self) -> str:
        answer = httpx.get(self.url)
        assert answer.status_code == 200
        return answer.text

    def value(self, name: str, **labels: str) -> float:
        return read(self.text())[f"lienthong_{name}", frozenset(labels.items())]

    def rise(self, name: str, **labels: str) -> float:
        key = f"lienthong_{name}", frozenset(labels.items())
        return read(self.text()).get(key, 0) - self._before.get(key, 0)

    def labels(self, name: str) -> set[str]:
        """The values of a metric's label that have risen."""
        now = read(self.text())
        return {
            value
            for (found, labels), number in now.items()
            for _, value in labels
            if found == f"lienthong_{name}" and number > self._before.get((found, labels), 0)
        }


@contextmanager
def monitored(axis: Axis, database_url: str = "", **changes: Any) -> Iterator[Monitored]:
    """The page of a hub that runs in this process; each look at the database is a new one."""
    url = database_url or axis.desk.engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, metrics="127.0.0.1:0", **changes)
    with monitoring.served(settings, axis.clock, several=False) as url:
        yield Monitored(url)


def names_in(expression: str, known: Mapping[str, str]) -> set[str]:
    """The metrics that an expression names, without what a histogram adds to its name; ``known``: types by name."""
    found = set()
    for name in re.findall(r"\blienthong_[a-z_]+", expression):
        plain = re.sub(r"_(bucket|sum|count)$", "", name)
        found.add(plain if known.get(plain) == "histogram" else name)
    return found
