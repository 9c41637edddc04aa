"""What the `hub` command prints: tables for people, JSON lines for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from rich import markup
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import SQLAlchemyError

from hub.domain.agency import Agency, Directory
from hub.domain.delivery import Standing, overall
from hub.domain.document import Kind, local
from hub.errors import Refusal, Violation
from hub.store import deliveries, documents, log, steering
from hub.store.engine import temporary
from hub.store.story import answered_by, references


def _json(out: Console, rows: Iterable[Mapping[str, Any] | RowMapping]) -> None:
    for row in rows:
        out.file.write(json.dumps(dict(row), ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return local(value).isoformat(timespec="milliseconds")
    return value.isoformat() if isinstance(value, date) else str(value)


_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def escape(text: str) -> str:
    """What others wrote, harmless to the terminal: no markup, no control sequences, nothing turned round."""
    return markup.escape(_UNSEEN.sub("\ufffd", text))


def moment(value: datetime | None) -> str:
    return "" if value is None else local(value).strftime("%d/%m/%Y %H:%M:%S")


_MOST_ANSWERS = 100  # that it gives, and that were given to it
_NOTHING = "Không có gì khớp / nothing found"


def keys(out: Console, jwks: Mapping[str, Any], verifiers: list[str], *, as_json: bool) -> None:
    """The public keys of receipts, the one that signs first, and of the log."""
    if as_json:
        _json(out, [{"jwks": jwks, "log": verifiers}])
        return
    table = Table("Dùng cho · Used for", "Khóa · Key", "")
    for n, key in enumerate(jwks["keys"]):
        table.add_row("biên nhận · receipts", key["kid"], "đang ký · signs" if n == 0 else "")
    for n, text in enumerate(verifiers):
        table.add_row("sổ bằng chứng · evidence log", escape(text), "đang ký · signs" if n == 0 else "")
    out.print(table)


def agencies(out: Console, directory: Directory, found: list[Agency], today: date, *, as_json: bool) -> None:
    """The directory with who is connected."""
    rows: list[dict[str, Any]] = []
    for agency in found:
        system = directory.nearest(agency.code)
        rows.append(
            {
                "code": agency.code,
                "name": agency.name,
                "level": agency.level,
                "system": "" if system is None else ("locked" if system.locked else system.code),
                "closed_on": agency.closed_on,
                "successor": directory.successor_of(agency.code, today),
                "uncertain": agency.uncertain,
                "note": agency.note,
                "registered_by": agency.registered_by,
                "addresses": [str(network) for network in system.networks] if system else [],
            }
        )
    if as_json:
        _json(out, rows)
        return
    table = Table("Mã", "Tên", "Cấp", "Hệ thống", "Đóng từ", "Kế thừa", "Ghi chú")
    for row in rows:
        note = ("? " if row["uncertain"] else "") + str(row["note"])
        if row["addresses"] and row["system"] == row["code"]:
            note += " ← " + ", ".join(row["addresses"])
        table.add_row(
            str(row["code"]), escape(str(row["name"])), str(row["level"]), str(row["system"]),
            str(row["closed_on"] or ""), str(row["successor"]), escape(note),
        )  # fmt: skip
    out.print(table)
    out.print(f"{len(rows)} cơ quan / agencies")


STATE_STYLE = {
    "waiting": "yellow",
    "taken": "yellow",
    "delivered": "green",
    "failed": "red",
    "expired": "red",
    "withdrawn": "dim",
}


def log_lines(out: Console, rows: list[RowMapping], *, as_json: bool) -> None:
    """The delivery log."""
    if as_json:
        _json(out, ({**row, "kind": Kind(row["kind"]).word} for row in rows))
        return
    if not rows:
        out.print(_NOTHING)
        return
    table = Table("Nhận lúc", "Số, ký hiệu", "Ban hành", "Gửi", "Đến", "Tình trạng", "Xử lý", "Ký", "Trích yếu")
    table.add_column("ID", no_wrap=True, min_width=24)
    for row in rows:
        style = STATE_STYLE[row["state"]]
        what = f"{row['number']}/{row['symbol']}"
        if row["status_code"]:
            what = f"{row['status_from']}: {row['status_code']} ↦ {what}"
        table.add_row(
            moment(row["created_at"]), escape(what), row["issuer"], row["sender"], escape(row["addressed"]),
            f"[{style}]{row['state']}[/{style}]", row["status"], _signed(row["standing"]),
            escape(row["subject"][:60]), row["document"],
        )  # fmt: skip
    out.print(table)


def _signed(standing: str) -> str:
    return {"signed": "✓", "signed-by-platform": "✓ nền tảng", "unsigned": "–"}[standing]


def refusals(out: Console, rows: list[RowMapping], *, as_json: bool) -> None:
    """Refused packets with the repair that was told."""
    if as_json:
        _json(out, rows)
        return
    if not rows:
        out.print(_NOTHING)
        return
    table = Table("Lúc", "Gửi", "DocumentId", "Mã lỗi", "Vi phạm và cách sửa", "ID")
    for row in rows:
        told = "\n".join(f"{v['rule']} {v['pointer']}: {v['vi']} → {v['repair']}" for v in row["violations"][:5])
        table.add_row(
            moment(row["at"]), escape(row["sender"]), escape(row["document_id"]), row["code"], escape(told), row["id"]
        )
    out.print(table)


def story(out: Console, connection: Connection, key: str, *, as_json: bool) -> None:
    """One document's story, or one refusal's. Raises ``id-unknown``."""
    unknown = Refusal("id-unknown", "ID", key, {"key": key[:80]})
    document_id = log.find_document(connection, key)
    if document_id is None:
        refused = log.refusal(connection, key)
        if refused is None:
            raise unknown
        refusals(out, [refused], as_json=as_json)
        return
    document = documents.get(connection, document_id)
    if document is None:
        raise unknown
    rows = deliveries.of_document(connection, document_id)
    statuses = deliveries.statuses_about(connection, document_id)
    ids = [d.id for d in (*rows, *statuses)]
    events = deliveries.events_of(connection, ids)
    requests = deliveries.requests_of(connection, [d.id for d in rows])
    reports = documents.reports_of(connection, document_id)
    tries = documents.refusals_between(connection, document["sender"], document["document_id"], None)
    links = documents.links_of(connection, document_id)
    acted = steering.acted(connection, ids)
    named = references(connection, document, _MOST_ANSWERS)
    answers = answered_by(connection, document, _MOST_ANSWERS)
    if as_json:
        told = {
            "document": dict(document),
            "deliveries": [deliveries.row_of(d) for d in rows],
            "statuses": [dict(r) for r in reports],
            "events": [dict(e) for e in events],
            "requests": [dict(r) for r in requests],
            "links": [dict(link) for link in links],
            "references": [dict(row) for row in named],
            "answered_by": [dict(row) for row in answers],
            "refusals": [dict(r) for r in tries],
            "actions": [dict(r) for r in acted],
        }
        _json(out, [told])
        return
    linked = {
        "Liên kết": [f"{link['document_id']} → {link['target_id']}" for link in links],
        "Trả lời": [_written(row) for row in named],
        "Được trả lời bởi": [f"{row['number']}/{row['symbol']} {row['sender']} ({row['id']})" for row in answers],
    }
    _head(out, document, documents.first_packet(connection, document_id), linked)
    _recipients(out, rows, requests)
    _time_line(out, document, {d.id: d.addressed for d in (*rows, *statuses)}, events, reports, tries, acted)


def _written(reference: RowMapping) -> str:
    """What is answered, as it was named, and the id of what is here."""
    code = reference["code"] or reference["named"]
    return (
        f"{code} {reference['organ_id']} ({reference['id'] or 'không tìm thấy trên trục này / not found at this hub'})"
    )


def _head(out: Console, document: RowMapping, packet: RowMapping, linked: Mapping[str, list[str]]) -> None:
    table = Table(show_header=False, box=None)
    facts = {
        "Văn bản": f"{document['number']}/{document['symbol']} ({document['type_name']}, {document['year']})",
        "Trích yếu": document["subject"],
        "Loại": Kind(document["kind"]).word,
        "Nơi gửi / ban hành": f"{document['sender']} / {document['issuer']} ({document['issuer_basis']})",
        "DocumentId": document["document_id"],
        "ID": document["id"],
        "Chữ ký": f"{packet['standing']} {packet['signer']}",
        "Nhận lúc": moment(document["accepted_at"]),
        "Mã vết": document["trace_id"],
        "Cảnh báo": ", ".join(sorted({w["rule"] for w in document["warnings"]})),
        **{name: ", ".join(some) for name, some in linked.items()},
    }
    for name, value in facts.items():
        if value:
            table.add_row(f"[dim]{name}[/dim]", escape(str(value)))
    out.print(table)


def _recipients(out: Console, rows: list[deliveries.Delivery], requests: list[RowMapping]) -> None:
    table = Table("Đến", "Tình trạng", "Xử lý", "Yêu cầu", "Lý do", "Hạn", "ID")
    for d in rows:
        asked = ", ".join(f"{r['ask']}: {r['outcome']}" for r in requests if r["delivery_id"] == d.id)
        style = STATE_STYLE[d.state]
        table.add_row(
            escape(d.addressed), f"[{style}]{d.state}[/{style}]", d.status, asked, escape(d.reason),
            moment(d.expires_at), d.id,
        )  # fmt: skip
    out.print(table)
    out.print(f"Chung / overall: {overall(Standing(d.state, d.status) for d in rows)}")


def _time_line(
    out: Console,
    document: RowMapping,
    names: Mapping[str, str],
    events: list[RowMapping],
    reports: list[RowMapping],
    tries: list[RowMapping],
    acted: list[RowMapping],
) -> None:
    lines = [(document["accepted_at"], "", "accepted", "")]
    lines += [(row["at"], "", f"refused: {row['code']}", row["id"]) for row in tries]
    lines += [(row["received_at"], row["sender"], f"report {row['code']}", row["description"]) for row in reports]
    for row in acted:
        outcome = "" if row["outcome"] == steering.DONE else f": {row['outcome'] or '…'}"
        lines.append((row["made_at"], row["by"], f"{row['action']}{outcome}", row["reason"]))
    for event in events:
        change = event["state_after"] if event["state_after"] != event["state_before"] else ""
        if event["status_after"] != event["status_before"]:
            change = f"{event['status_before']} → {event['status_after']}"
        lines.append((event["at"], names.get(event["delivery_id"], ""), f"{event['what']} {change}", event["detail"]))
    table = Table("Lúc", "Ai", "Việc", "Chi tiết")
    for at, who, what, detail in sorted(lines, key=lambda line: line[0]):
        table.add_row(moment(at), escape(who), escape(what), escape(detail))
    out.print(table)


def failure(err: Console, fault: Exception) -> int | None:
    """A refusal or a fault from outside in words; gives the exit code, or None for a defect, whose trace is needed."""
    told = fault if isinstance(fault, Refusal) else temporary(fault)
    if told is not None:
        refusal(err, told)
    elif isinstance(fault, SQLAlchemyError):  # without the statement and its values, which may be secrets
        err.print(f"[red]{type(fault).__name__}[/red] {escape(str(getattr(fault, 'orig', None) or fault))}")
    elif isinstance(fault, OSError):
        err.print(f"{fault.strerror or fault}: {fault.filename or ''}", markup=False)
    elif isinstance(fault, UnicodeEncodeError):
        err.print("[red]not UTF-8[/red] what was typed cannot be read as text")
    else:
        return None
    return 1


def refusal(err: Console, found: Refusal) -> None:
    """A refusal in words: what it consists of, each with its repair, under its own text if that says more."""
    if any(v.rule != found.code for v in found.violations):
        err.print(f"[red]{found.code}[/red] {escape(found.vi)} / {escape(found.en)}", highlight=False, soft_wrap=True)
    violations(err, found.violations, "red")


def violations(err: Console, found: Iterable[Violation], style: str = "yellow") -> None:
    """A line for each, with its repair; by themselves they are warnings."""
    for v in found:
        where = f"{v.pointer}: " if v.pointer else ""
        repair = f" → {v.repair}" if v.repair else ""
        err.print(
            f"[{style}]{v.rule}[/{style}] {escape(where)}{escape(v.vi)} / {escape(v.en)}{escape(repair)}",
            highlight=False,
            soft_wrap=True,
        )
