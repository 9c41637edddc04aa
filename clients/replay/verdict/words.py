"""The words of a verdict in Vietnamese and English, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from clients.replay.ledger.findings import Verdict
from hub.domain.document import VIETNAM

COUNTS: Mapping[str, tuple[str, str]] = {
    "sent": ("Văn bản đã gửi", "Documents sent"),
    "accepted": ("Văn bản được nhận", "Documents accepted"),
    "refused": ("Văn bản bị từ chối", "Documents refused"),
    "unanswered": ("Văn bản không có trả lời", "Documents never answered"),
    "deliveries": ("Bản chuyển đã đến", "Deliveries received"),
    "ended": ("Bản chuyển kết thúc khác", "Deliveries failed, expired, withdrawn"),
    "statuses_sent": ("Trạng thái đã gửi", "Statuses sent"),
    "statuses_accepted": ("Trạng thái được nhận", "Statuses accepted"),
    "statuses_received": ("Trạng thái đã đến", "Statuses received"),
    "attempts": ("Lần gửi", "Attempts to send"),
    "injected": ("Lỗi được tạo ra", "Faults made on purpose"),
}
OPERATIONS: Mapping[str, tuple[str, str]] = {
    "send": ("gửi văn bản", "send"),
    "report": ("báo trạng thái", "report"),
    "list": ("xem hộp đến", "list"),
    "fetch": ("lấy gói tin", "fetch"),
    "done": ("xác nhận", "done"),
    "told": ("xem hộp đi", "told"),
}
STATES: Mapping[str, tuple[str, str]] = {
    "sent": ("đã gửi", "sent"),
    "delivered": ("đã đến", "delivered"),
    "done": ("đã xác nhận", "done"),
    "statuses": ("trạng thái về", "statuses back"),
}
_FACTS: Mapping[str, tuple[str, str]] = {
    "title": ("Kịch bản", "Scenario"),
    "scenario": ("Tên", "Name"),
    "scale": ("Tỷ lệ", "Scale"),
    "seed": ("Hạt giống", "Seed"),
    "start": ("Bắt đầu (kịch bản)", "Start (scenario)"),
    "anonymised": ("Đã ẩn danh", "Anonymised"),
    "left_out": ("Không phát lại", "Not played again"),
    "planned_documents": ("Văn bản theo kế hoạch", "Documents planned"),
    "planned_deliveries": ("Bản chuyển theo kế hoạch", "Deliveries planned"),
    "old_axis": ("Lỗi của trục cũ", "Failures of the old axis"),
    "speed": ("Tốc độ", "Speed"),
    "hub": ("Trục", "Hub"),
    "machine": ("Máy", "Machine"),
    "program": ("Phiên bản", "Program"),
    "begun": ("Chạy lúc", "Run at"),
    "seconds": ("Thời gian chạy", "Run for"),
    "deaths": ("Số lần trục chết", "Deaths of the hub"),
    "answer_within": ("Trả lời trong", "Answer within"),
    "deliver_within": ("Chuyển trong", "Deliver within"),
}


def facts(verdict: Verdict) -> list[tuple[str, str, str]]:
    """(Vietnamese, English, value) of what is known of the run, what has no name here by its key."""
    known = dict(verdict.facts)
    begun, ended = known.get("begun"), known.pop("ended", None)
    for told_otherwise in ("stopped", "expired"):
        known.pop(told_otherwise, None)
    if known.get("hub") == "own":
        known["hub"] = "tạm thời, của chương trình này · temporary, this program's own"
    if "start" in known:
        known["start"] = _day(datetime.fromisoformat(str(known["start"])))
    if isinstance(begun, int | float):
        known["begun"] = _day(datetime.fromtimestamp(begun, VIETNAM))
        if isinstance(ended, int | float):
            known["seconds"] = span(ended - begun)
    for key in ("answer_within", "deliver_within"):
        value = known.get(key)
        known[key] = span(value) if isinstance(value, int | float) and value else None
    order = [*(key for key in _FACTS if key in known), *(key for key in known if key not in _FACTS)]
    return [(*_FACTS.get(key, (key, key)), str(known[key])) for key in order if known[key] not in (None, "")]


def _day(moment: datetime) -> str:
    return f"{moment:%d/%m/%Y %H:%M}"


def outcome(verdict: Verdict) -> tuple[str, str]:
    """The verdict in a word or two."""
    if not verdict.passed:
        return ("Không đạt", "Failed")
    return ("Đạt, dừng giữa chừng", "Passed, stopped early") if verdict.stopped else ("Đạt", "Passed")


def number(value: float) -> str:
    """With a comma for thousands; three figures below ten."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:,.2f}"


def unit_of(seconds: float) -> tuple[float, str]:
    """The unit that suits a span of time: how many seconds it has, and its sign."""
    for length, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * length:
            return length, unit
    return (1.0, "s") if seconds >= 1 or seconds == 0 else (0.001, "ms")


def span(seconds: float) -> str:
    """A span of time in the unit that suits it."""
    length, unit = unit_of(seconds)
    value = seconds / length
    return f"{value:.0f} {unit}" if value >= 10 or value == int(value) else f"{value:.1f} {unit}"


def plain(text: str) -> str:
    """What a hub said, without what commands a terminal or what XML has not (1.0 §2.2)."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
