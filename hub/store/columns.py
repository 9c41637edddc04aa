"""Kinds of columns, for both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A UTC moment; SQLite forgets the zone, so it is given back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)

        def process(value: datetime | None) -> str | None:  # as the toolkit writes it, which takes it longer
            return None if value is None else value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], datetime | None] | None:
        if dialect.name != "sqlite":
            return None

        def process(value: object) -> datetime | None:
            return None if value is None else datetime.fromisoformat(str(value)).replace(tzinfo=UTC)

        return process


Long = BigInteger().with_variant(Integer, "sqlite")  # SQLite's rowid must be declared INTEGER
ID = String(24)
SYSTEM_ID = String(64)  # an operator may give one, for software that is configured already
CODE = String(64)
