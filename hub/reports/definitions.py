"""The reports: their columns, and how each is found from the figures of a group. ``docs/reports.md`` defines them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.domain.tally import BOUNDS, SIGNINGS, WAITS, Measure, quantile


class By(StrEnum):
    """What a row of a report is."""

    AGENCY = "agency"
    LEVEL = "level"
    PROVINCE = "province"
    MONTH = "month"


class Form(StrEnum):
    """How a value is written."""

    COUNT = "count"
    SHARE = "share"  # of one
    RATIO = "ratio"
    WAIT = "wait"  # seconds


Value = int | float | None  # None: of nothing there is no share, no ratio, no wait


class Sums(dict[str, int]):
    """The figures of one group: by measure, and ``measure/key`` where a report needs it apart; 0 where none is."""

    def __missing__(self, name: str) -> int:
        return 0

    def add(self, others: Mapping[str, int]) -> None:
        if not self:
            self.update(others)
            return
        for name, n in others.items():
            self[name] = self.get(name, 0) + n


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` for programs; ``vi`` and ``en`` for people. ``charted``: the chart shows it."""

    name: str
    vi: str
    en: str
    form: Form
    of: Callable[[Sums], Value]
    charted: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A report. ``notes`` are what a reader must know, in both languages."""

    name: str
    vi: str
    en: str
    by: By
    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    notes: tuple[tuple[str, str], ...]


def _count(name: str, vi: str, en: str, *measures: str, less: tuple[str, ...] = (), charted: bool = False) -> Column:
    def of(sums: Sums) -> Value:
        return sum([sums[m] for m in measures]) - sum([sums[m] for m in less])

    return Column(name, vi, en, Form.COUNT, of, charted)


def _part(
    name: str, vi: str, en: str, some: tuple[str, ...], whole: tuple[str, ...], form: Form = Form.SHARE
) -> Column:
    def of(sums: Sums) -> Value:
        total = sum(sums[m] for m in whole)
        return sum(sums[m] for m in some) / total if total else None

    return Column(name, vi, en, form, of)


_BUCKETS = {measure: {f"{measure}/{n}": n for n in range(len(BOUNDS) + 1)} for measure in WAITS}


def _wait(name: str, vi: str, en: str, measure: Measure, share: float) -> Column:
    buckets = _BUCKETS[measure]

    def of(sums: Sums) -> Value:
        return quantile({buckets[name]: sums[name] for name in buckets.keys() & sums.keys()}, share)

    return Column(name, vi, en, Form.WAIT, of)


M = Measure
LATE_SENT = (NEXT_MORNING, SENT_LATE) = ("sent.next-morning", "sent.late")  # of SENT_LATER, by the calendar
OVERDUE = tuple(f"{measure}/<" for measure in (M.TASKS, M.TASK_IN_TIME, M.TASK_LATE, M.TASK_ENDED, M.TASK_UNDELIVERED))
_TASKS_OVER = (M.TASK_IN_TIME, M.TASK_LATE, M.TASK_ENDED, M.TASK_UNDELIVERED)
REQUESTS = ("agreed", "refused", "moot", "open")
_SIGNATURE_RULES = (
    "signatures-wrong", "signature-misplaced", "signature-form", "signature-algorithm", "signature-digest",
    "signature-value", "signature-comment", "signature-attachment-mismatch", "attachment-signature",
    "certificate-unknown", "certificate-other-agency", "certificate-ended",
)  # fmt: skip
_DUPLICATE_RULES = ("document-conflict", "number-taken")

_DAY = (
    "Văn bản tính vào ngày trục nhận, bản chuyển tính vào ngày phát sinh, theo giờ Hà Nội; thay đổi đến muộn vẫn tính "
    "vào ngày ấy.",
    "Documents count on the day the hub accepted them, deliveries on the day they were made, in Hà Nội; what changes "
    "later still counts on that day.",
)
_WAITS_NOTE = (
    "Thời gian chờ lấy từ các tháng mà kỳ báo cáo chạm tới, tính từ lúc phần mềm bên nhận lấy văn bản; sai số không "
    "quá 10 %.",
    "Waits are of all months that the period touches, from when the recipient's software fetched the document; they "
    "are exact to 10 %.",
)

SENT_RECEIVED = Kind(
    "sent-received", "Gửi và nhận", "Sent and received", By.AGENCY,
    (
        _count("documents", "Văn bản gửi", "Documents sent", M.DOCUMENTS, charted=True),
        _count("deliveries_out", "Bản chuyển đi", "Deliveries sent", M.OUT),
        _part("fan_out", "Nơi nhận mỗi văn bản", "Recipients per document", (M.OUT,), (M.DOCUMENTS,), Form.RATIO),
        _count("deliveries_in", "Bản chuyển đến", "Deliveries addressed here", M.IN, charted=True),
        _count("received", "Đã nhận", "Received", M.DELIVERED),
        _count(
            "on_the_way", "Đang chờ nhận", "On the way", M.IN,
            less=(M.DELIVERED, M.FAILED, M.EXPIRED, M.WITHDRAWN),
        ),
        _count("undelivered", "Không giao được", "Undelivered", M.FAILED, M.EXPIRED),
        _count("withdrawn", "Đã rút lại trước khi nhận", "Withdrawn before receipt", M.WITHDRAWN),
        _count("updates", "Cập nhật", "Updates", M.UPDATES),
        _count("replacements", "Thay thế", "Replacements", M.REPLACEMENTS),
        _count("urgent", "Khẩn", "Urgent", M.URGENT),
    ),
    (M.DOCUMENTS, M.OUT, M.IN, M.DELIVERED, M.FAILED, M.EXPIRED, M.WITHDRAWN, M.UPDATES, M.REPLACEMENTS, M.URGENT),
    (_DAY,),
)  # fmt: skip

LEVELS = Kind(
    "levels", "Tiếp nhận và ký số", "Acceptance and signatures", By.LEVEL,
    (
        _count("received", "Đã nhận", "Received", M.DELIVERED),
        _count("reached_03", "Đến bước 03 trở lên", "Reached 03 or further", M.REACHED_03, charted=True),
        _part("reached_03_share", "Tỷ lệ 03 trở lên", "Share 03 or further", (M.REACHED_03,), (M.DELIVERED,)),
        _count("documents", "Văn bản gửi", "Documents sent", M.DOCUMENTS),
        _count("signed_both", "Ký: lãnh đạo và cơ quan", "Signed by leader and agency", M.SIGNED_BOTH, charted=True),
        _count("signed_agency", "Ký: chỉ cơ quan", "By the agency alone", M.SIGNED_AGENCY),
        _count("signed_leader", "Ký: chỉ lãnh đạo", "By a leader alone", M.SIGNED_LEADER),
        _count("signed_none", "Không ký", "By neither", M.SIGNED_NONE),
        _count(
            "agency_leader_unknown", "Cơ quan ký, lãnh đạo không rõ", "Agency signed, leader unknown",
            M.AGENCY_ELSE_UNKNOWN,
        ),
        _count("signed_unknown", "Không rõ", "Unknown", M.UNKNOWN),
        _count("unexamined", "Chưa xem xét", "Not examined yet", M.DOCUMENTS, less=SIGNINGS),
        _part(
            "signed_both_share", "Tỷ lệ đủ hai chữ ký trên số biết rõ", "Share with both, of those known",
            (M.SIGNED_BOTH,), (M.SIGNED_BOTH, M.SIGNED_AGENCY, M.SIGNED_LEADER, M.SIGNED_NONE),
        ),
    ),
    (M.DELIVERED, M.REACHED_03, M.DOCUMENTS, *SIGNINGS),
    (
        _DAY,
        (
            "«03 trở lên»: bên nhận đã từng báo 03, 04, 05 hoặc 06; nhiều nơi xử lý xong mà không báo 06.",
            "\"03 or further\": the recipient has reported 03, 04, 05 or 06 at some time; many finish and never report "
            "06.",
        ),
        (
            "Chữ ký của lãnh đạo chỉ thấy được trong tệp PDF: không có tệp PDF nào xem được thì là «không rõ».",
            "A leader's signature shows in PDF files alone: where none could be examined, it is unknown.",
        ),
    ),
)  # fmt: skip

TIMELINESS = Kind(
    "timeliness", "Đúng hạn", "Timeliness", By.AGENCY,
    (
        _count("documents", "Văn bản gửi", "Documents sent", M.DOCUMENTS),
        _count("same_day", "Gửi trong ngày ký", "Sent on the day of signing", M.SENT_SAME_DAY),
        _count("next_morning", "Gửi sáng ngày làm việc kế tiếp", "Sent next working morning", NEXT_MORNING),
        _count("late", "Gửi muộn", "Sent late", SENT_LATE, charted=True),
        _part(
            "in_time_share", "Tỷ lệ gửi đúng hạn", "Share sent in time", (M.SENT_SAME_DAY, NEXT_MORNING),
            (M.SENT_SAME_DAY, NEXT_MORNING, SENT_LATE),
        ),
        _count("received", "Đã nhận", "Received", M.DELIVERED),
        _count(
            "no_status", "Không báo trạng thái nào", "No status at all", M.DELIVERED, less=(M.ANSWERED,), charted=True
        ),
        _count("told_same_day", "Báo đã đến trong ngày", "Told of arrival the same day", M.TOLD_SAME_DAY),
        _wait("to_01_median", "Đến 01: trung vị", "To 01: median", M.WAIT_01, 0.5),
        _wait("to_01_p90", "Đến 01: 90 %", "To 01: p90", M.WAIT_01, 0.9),
        _wait("to_03_median", "Đến 03: trung vị", "To 03: median", M.WAIT_03, 0.5),
        _wait("to_03_p90", "Đến 03: 90 %", "To 03: p90", M.WAIT_03, 0.9),
        _wait("to_06_median", "Đến 06: trung vị", "To 06: median", M.WAIT_06, 0.5),
        _wait("to_06_p90", "Đến 06: 90 %", "To 06: p90", M.WAIT_06, 0.9),
    ),
    (M.DOCUMENTS, M.SENT_SAME_DAY, M.SENT_LATER, M.DELIVERED, M.ANSWERED, M.TOLD_SAME_DAY, *WAITS),
    (
        _DAY,
        (
            "Hạn gửi theo Quyết định 28/2018/QĐ-TTg Điều 6 khoản 2, tính từ ngày ban hành ghi trên văn bản, vì gói tin "
            "không có giờ ký; văn bản khẩn phải gửi trong ngày.",
            "Due to be sent by QĐ 28/2018 Đ.6 k.2, from the date of promulgation, since packets have no time of "
            "signing; urgent ones the same day.",
        ),
        _WAITS_NOTE,
    ),
)  # fmt: skip

TASKS = Kind(
    "tasks", "Nhiệm vụ có thời hạn", "Tasks", By.AGENCY,
    (
        _count("assigned", "Được giao", "Assigned", M.TASKS, charted=True),
        _count("done_in_time", "Xong đúng hạn", "Done in time", M.TASK_IN_TIME),
        _count("done_late", "Xong quá hạn", "Done late", M.TASK_LATE),
        _count(
            "open_in_time", "Đang làm, trong hạn", "Open, in time", M.TASKS, *OVERDUE[1:],
            less=(*_TASKS_OVER, OVERDUE[0]),
        ),
        _count("open_late", "Đang làm, quá hạn", "Open, late", OVERDUE[0], less=OVERDUE[1:], charted=True),
        _count("ended", "Kết thúc cách khác", "Ended otherwise", M.TASK_ENDED),
        _count("undelivered", "Không giao được", "Undelivered", M.TASK_UNDELIVERED),
        _part(
            "in_time_share", "Tỷ lệ xong đúng hạn trên số đã xong", "Share in time, of those done", (M.TASK_IN_TIME,),
            (M.TASK_IN_TIME, M.TASK_LATE),
        ),
    ),
    (M.TASKS, *_TASKS_OVER),
    (
        (
            "Nhiệm vụ là văn bản mới hoặc văn bản thay thế có thời hạn trả lời; giao cho ba cơ quan thì tính ba lần. "
            "Xong là bên nhận đã báo 06.",
            "A task is a new or replacing document with a DueDate; one given to three agencies counts three times. "
            "Done means that the recipient reported 06.",
        ),
        _DAY,
    ),
)  # fmt: skip

QUALITY = Kind(
    "quality", "Chất lượng", "Quality", By.AGENCY,
    (
        _count("refused", "Gói tin bị trục từ chối", "Packets the hub refused", M.REFUSED, charted=True),
        _count("no_attachment", "Thiếu tệp đính kèm", "Without attachment", f"{M.RULES}/attachment-missing"),
        _count(
            "bad_signature", "Chữ ký không hợp lệ, bị từ chối", "Invalid signature, refused",
            *(f"{M.RULES}/{rule}" for rule in _SIGNATURE_RULES),
        ),
        _count(
            "duplicates_refused", "Trùng, bị từ chối", "Duplicates refused",
            *(f"{M.RULES}/{rule}" for rule in _DUPLICATE_RULES),
        ),
        _count("documents", "Văn bản đã nhận vào trục", "Documents accepted", M.DOCUMENTS),
        _count("duplicates", "Nghi trùng, vẫn nhận", "Duplicates suspected", M.DUPLICATE),
        _count("other_issuer", "Nơi gửi khác nơi ban hành", "Sender is not the issuer", M.OTHER_ISSUER),
        _count("invalid_signature", "Có chữ ký không đạt, vẫn nhận", "Accepted with a bad signature", M.INVALID),
        _count("undelivered", "Bản chuyển không giao được", "Undelivered", M.OUT_FAILED, M.OUT_EXPIRED, charted=True),
        _part(
            "undelivered_share", "Tỷ lệ không giao được", "Share undelivered", (M.OUT_FAILED, M.OUT_EXPIRED), (M.OUT,)
        ),
        _count("refused_by_recipient", "Bên nhận từ chối (02)", "Refused by recipients (02)", M.REFUSED_BY_RECIPIENT),
    ),
    (
        M.REFUSED, M.RULES, M.DOCUMENTS, M.DUPLICATE, M.OTHER_ISSUER, M.INVALID, M.OUT_FAILED, M.OUT_EXPIRED, M.OUT,
        M.REFUSED_BY_RECIPIENT,
    ),
    (
        _DAY,
        (
            "Một gói tin phạm nhiều quy tắc tính một lần ở mỗi quy tắc, một lần ở tổng số gói tin. «Bên nhận từ chối» "
            "tính cho bên nhận; các cột khác cho bên gửi.",
            "A packet that breaks several rules counts once with each of them, and once as a packet. Refusals by "
            "recipients count for the recipient, all others for the sender.",
        ),
    ),
)  # fmt: skip

WITHDRAWALS = Kind(
    "withdrawals", "Rút lại và thu hồi", "Withdrawals", By.AGENCY,
    (
        _count("take_backs", "Yêu cầu lấy lại (13)", "Take-backs (13)", M.TAKE_BACKS, charted=True),
        _count("revocations", "Văn bản thu hồi", "Revocations", M.REVOCATIONS, charted=True),
        _count("withdrawn", "Lượt rút trước khi nhận", "Withdrawn before receipt", M.OUT_WITHDRAWN),
        _count("asked", "Lượt hỏi bên nhận", "Recipients asked", *(f"request/{one}" for one in REQUESTS)),
        _count("agreed", "Đồng ý (15)", "Agreed (15)", "request/agreed"),
        _count("refused", "Không đồng ý (16)", "Refused (16)", "request/refused"),
        _count("moot", "Hết ý nghĩa", "Moot", "request/moot"),
        _count("unanswered", "Chưa trả lời", "Unanswered", "request/open"),
    ),
    (M.TAKE_BACKS, M.REVOCATIONS, M.OUT_WITHDRAWN),
    (
        (
            "Yêu cầu tính vào ngày hỏi, mỗi bên nhận một lần; lượt rút tính vào ngày của bản chuyển. Tất cả tính cho "
            "bên gửi.",
            "Requests count on the day they were made, once per recipient; what was withdrawn counts on the day of the "
            "delivery. All count for the sender.",
        ),
    ),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (SENT_RECEIVED, LEVELS, TIMELINESS, TASKS, QUALITY, WITHDRAWALS)
}
