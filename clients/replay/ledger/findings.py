"""What a verdict says: findings by kind, each with what it means, and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EXAMPLES = 20  # of each kind


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A way in which a hub can be wrong; ``fails`` unless it is only something to know."""

    code: str
    vi: str
    en: str
    fails: bool = True


KINDS = (
    FindingKind(
        "lost",
        "Trục đã nhận văn bản, nhưng nơi nhận không có, và nơi gửi không được báo thất bại, hết hạn hay đã rút",
        "Acknowledged, yet the recipient never got it, and its sender was not told of a failure, expiry or withdrawal",
    ),
    FindingKind(
        "doubled",
        "Một văn bản đến cùng một nơi nhận hai lần, hoặc được đưa lại sau khi đã xác nhận",
        "One document came to one recipient twice, or was handed out again after it had been confirmed",
    ),
    FindingKind(
        "unacknowledged-twice",
        "Văn bản chưa từng được trả lời là đã nhận, nhưng đến cùng một nơi nhận hai lần",
        "A document that was never acknowledged came to one recipient twice",
    ),
    FindingKind(
        "misrouted",
        "Gói tin đến nơi không được gửi tới: sai hệ thống, sai nơi nhận, hoặc không ai gửi",
        "A packet came where it was not sent: to another system, to an agency not addressed, or nobody had sent it",
    ),
    FindingKind(
        "corrupt",
        "Nội dung nhận được không phải nội dung đã gửi, hoặc khác SHA-256 trong danh sách",
        "What came is not what was sent, or not what the listing's SHA-256 says",
    ),
    FindingKind(
        "status-lost",
        "Trục đã nhận gói trạng thái, nhưng bên kia không có",
        "A status was acknowledged, and never came to the other party",
    ),
    FindingKind(
        "status-doubled",
        "Một gói trạng thái đến hai lần, hoặc được đưa lại sau khi đã xác nhận",
        "One status came twice, or was handed out again after it had been confirmed",
    ),
    FindingKind(
        "disorder",
        "Các trạng thái của một văn bản ở một nơi nhận đến không theo thứ tự trục đã nhận",
        "Statuses of one document at one recipient came in another order than they were acknowledged",
    ),
    FindingKind(
        "mislabelled",
        "Danh sách ghi nơi gửi hoặc mã trạng thái khác với gói tin",
        "The listing named another sender, or another status code, than the packet",
    ),
    FindingKind(
        "never-taken",
        "Gói tin đúng, gửi mãi mà trục không nhận cũng không từ chối, không do lỗi được tạo ra",
        "A right packet was neither taken nor refused however often it was sent, and no fault on purpose explains it",
    ),
    FindingKind("wrongly-refused", "Gói tin đúng bị từ chối", "A packet that is right was refused"),
    FindingKind(
        "wrongly-accepted", "Gói tin sai được nhận hoặc được chuyển", "A wrong packet was accepted or delivered"
    ),
    FindingKind(
        "wrong-code", "Gói tin sai bị từ chối với mã khác mã đúng", "A wrong packet was refused with another code"
    ),
    FindingKind(
        "late",
        "Trả lời hoặc chuyển đến muộn hơn giới hạn, không do lỗi được tạo ra",
        "An answer or a delivery came later than the limit, and no fault made on purpose explains it",
    ),
    FindingKind(
        "contradiction",
        "Điều báo cho nơi gửi trái với điều đã xảy ra, hoặc hai trả lời cho một gói tin khác nhau",
        "What the sender was told is not what happened, or two answers to one packet differ",
    ),
    FindingKind(
        "open",
        "Còn dở dang khi dừng, hoặc chờ nơi nhận không bao giờ xem hộp đến",
        "Under way when the run was stopped, or waiting for somebody who never looks",
        fails=False,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """One case. ``n``: the post it is about, 0 when none is known; ``marks`` of the attempts to send it."""

    n: int
    document_id: str
    recipient: str
    delivery: str
    detail: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    kind: FindingKind
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """How requests of one sort went. Times in seconds, of those that were answered; ``rate`` per second."""

    name: str
    ok: int
    failed: int
    rate: float
    p50: float
    p95: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time: ``lines`` by name, one value per entry of ``times``; None where nothing was measured."""

    times: tuple[float, ...]
    lines: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class Figures:
    """``counts`` by name; ``refused`` by code; ``injected`` by place and fault.

    ``latency`` and ``throughput`` over real seconds, ``states`` over seconds of scenario time; ``samples`` over real
    seconds.
    """

    counts: Mapping[str, int]
    refused: Mapping[str, int]
    injected: Mapping[tuple[str, str], int]
    operations: tuple[Operation, ...]
    latency: Series
    throughput: Series
    states: Series
    samples: Series


@dataclass(frozen=True, slots=True)
class Verdict:
    """``facts`` of the run as its book has them; a finding for each of ``KINDS``, in their order."""

    facts: Mapping[str, object]
    findings: tuple[Finding, ...]
    figures: Figures

    @property
    def passed(self) -> bool:
        return not any(finding.count for finding in self.findings if finding.kind.fails)

    @property
    def stopped(self) -> bool:
        """Ended before its time, by hand or by a crash of the harness: what is under way is no fault."""
        return bool(self.facts.get("stopped")) or "ended" not in self.facts
