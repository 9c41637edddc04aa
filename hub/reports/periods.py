"""Periods that people ask for by name."""

from __future__ import annotations

from datetime import date, timedelta

# From the day the axis was opened to the first figures of it that were told in public.
FIRST_MONTHS = (date(2019, 3, 12), date(2019, 7, 21))


def this_month(today: date) -> tuple[date, date]:
    return today.replace(day=1), today


def this_quarter(today: date) -> tuple[date, date]:
    return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), today


def this_year(today: date) -> tuple[date, date]:
    return today.replace(month=1, day=1), today


def last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def presets(today: date) -> dict[str, tuple[date, date]]:
    return {
        "month": this_month(today),
        "last-month": last_month(today),
        "quarter": this_quarter(today),
        "year": this_year(today),
        "first": FIRST_MONTHS,
    }
