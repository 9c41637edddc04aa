"""The tables of reports: the figures that are kept, how far the rows behind them were counted, and the calendar."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, SmallInteger, String, Table, Text, text

from hub.store.columns import CODE, Long, Moment
from hub.store.tables import metadata, refusal, request

# By measure of hub.domain.tally. Span D: of a day; M: of a month, which is told by its first day; G: of a day, from
# rows that are gone after their time (they are in D and M too, and a recount finds them here).
figure = Table(
    "figure",
    metadata,
    Column("span", String(1), primary_key=True),
    Column("measure", String(20), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("agency", CODE, primary_key=True),
    Column("key", String(40), primary_key=True),
    Column("value", Long, nullable=False),
    CheckConstraint("span IN ('D','M','G')", name="span"),
    sqlite_with_rowid=False,  # rows lie in the order of their key: a period is read from neighbours
)

# The same of agencies together, by grouping of hub.domain.groups: so a page of levels or provinces, and a total, are
# read from few rows. Spans D and M.
group_figure = Table(
    "group_figure",
    metadata,
    Column("grouping", String(8), primary_key=True),
    Column("span", String(1), primary_key=True),
    Column("measure", String(20), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("name", CODE, primary_key=True),
    Column("key", String(40), primary_key=True),
    Column("value", Long, nullable=False),
    CheckConstraint("grouping IN ('level','province')", name="grouping"),
    CheckConstraint("span IN ('D','M')", name="span"),
    sqlite_with_rowid=False,
)

# One row: up to where rows were counted. Its lock makes a process the one that counts.
tally = Table(
    "tally",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("entries", Long, nullable=False),  # of the evidence log: acceptances and take-backs
    Column("event", Long, nullable=False),  # the id of the last
    Column("signings", Long, nullable=False),  # entries of the log, up to where it was counted who signed
    Column("version", Long, nullable=False),  # goes up with each addition but those of recounts
    Column("recount", Integer, nullable=False),  # the newest recount: an older one stops
    Column("complete", Boolean, nullable=False),  # False until what was there before the figures is in them
    Column("at", Moment),  # when rows were last counted
    # The version, while figures of groups hold; one less while they are added up; two less, or more, once something was
    # added to agencies alone. A program that knows of no groups raises the version and leaves this behind.
    Column("grouped", Long, server_default=text("-1"), nullable=False),
    Column("regroup", Integer, server_default=text("0"), nullable=False),  # the newest; an older one stops
    Column("mark", String(64), server_default=text("''"), nullable=False),  # of the directory whose groups they are
)

# What the operator says otherwise than the packaged calendar.
calendar_day = Table(
    "calendar_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("name", Text, nullable=False),
    CheckConstraint("kind IN ('holiday','workday','ordinary')", name="kind"),
)

# Indexes of what is few among many: refusals not counted yet, and what senders asked to have back.
for _name, _column, _few in (
    ("ix_refusal_untallied", refusal.c.id, "tallied = 0"),
    ("ix_request_withdrawing", request.c.opened_at, "ask IN ('take-back','revocation')"),
):
    Index(_name, _column, sqlite_where=text(_few), postgresql_where=text(_few))
