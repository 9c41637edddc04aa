"""The story the demo plays: good documents of every kind, states that come back, take-backs, and bad packets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from clients.hub_client import Refused
from hub.demo.books import Books
from hub.demo.paper import pdf
from hub.demo.peers import Peer, Sent
from hub.domain import edxml
from hub.domain.document import Business, Document, DocumentRef, Organization, Replaced
from hub.domain.filenames import safe_name
from hub.domain.signature import sign

_PATIENCE = 60.0  # seconds in which everything must have arrived
_TOPICS = (
    "chế độ báo cáo định kỳ qua hệ thống điện tử",
    "rà soát thủ tục hành chính cấp xã",
    "kết quả thực hiện cải cách tiền lương",
    "triển khai chữ ký số cá nhân của lãnh đạo",
    "phòng, chống thiên tai và tìm kiếm cứu nạn",
    "phân bổ dự toán ngân sách đợt 2",
    "xử lý văn bản điện tử không chờ bản giấy",
)


class ListenerEndedError(Exception):
    """An agency no longer receives; the text says which, the cause why."""


@dataclass
class Told:
    """A refusal as the sender got it."""

    sort: str
    expected: str
    refusal: Refused


@dataclass
class Story:
    """The play: peers by code, their books, and what is shown at the end."""

    peers: dict[str, Peer]
    books: Books
    step: Callable[[str], None]
    sent: dict[str, tuple[Peer, Sent, Document]] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def play(self) -> None:
        """Everything, in order. Raises :class:`ListenerEndedError` where going on would be in vain; what else the books
        can hold, they hold."""
        try:
            await self._scenes()
        finally:
            self.stop.set()
            for task in self.tasks:
                task.cancel()
            for outcome in await asyncio.gather(*self.tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    self.books.faults.append(repr(outcome))
        self._bytes_are_equal()

    async def _scenes(self) -> None:
        asleep = self.peers["H38"]  # starts to poll late, so that one document can be taken back unseen
        for peer in self.peers.values():
            if peer is not asleep:
                self.listen(peer)
        await self._ordinary()
        await self._broadcast()
        await self._same_number_in_two_years()
        await self._acts_on_earlier_documents()
        await self._taken_back(asleep)
        await self._bad_packets()
        self.listen(asleep)
        await self._until_all_arrived()

    def listen(self, peer: Peer) -> None:
        """From now on the agency receives."""
        self.tasks.append(asyncio.create_task(peer.listen(self.stop), name=peer.code))

    def _check_listeners(self) -> None:
        """Without one of them nothing more arrives there, and waiting would only hide why."""
        for task in self.tasks:
            if task.done():
                raise ListenerEndedError(f"{task.get_name()} no longer receives") from task.exception()

    async def _send(self, sender: Peer, document: Document) -> Sent:
        accepted = await sender.send(document)
        self.sent[accepted.id] = (sender, accepted, document)
        self.step(f"{document.number}/{document.symbol}")
        return accepted

    def _paper(self, sender: Peer, code: str, subject: str) -> tuple[str, bytes]:
        content = pdf(
            agency=sender.name,
            code=code,
            place_and_date="Hà Nội, ngày ký điện tử",
            subject=subject,
            lines=(
                "Kính gửi: các cơ quan, đơn vị theo danh sách.",
                f"Thực hiện Quyết định số 28/2018/QĐ-TTg về gửi, nhận văn bản điện tử, {sender.name} gửi nội dung: "
                f"{subject}. Đề nghị cơ quan nhận xử lý ngay, không chờ bản giấy, và phản hồi trạng thái.",
            ),
            signer="Nguyễn Thị Ví Dụ",
        )
        return safe_name(f"{code} {subject[:60].rstrip(' ,')}.pdf"), content

    async def _document(
        self, sender: Peer, to: list[str], subject: str, *, symbol: str = "VP", number: str = "", **more: object
    ) -> Document:
        named = [(code, self._name(code)) for code in to]
        paper = await asyncio.to_thread(self._paper, sender, f"{number or '…'}-{symbol}", subject)
        return sender.draft(named, (paper,), subject, symbol=symbol, number=number, **more)  # type: ignore[arg-type]  # draft's own

    def _name(self, code: str) -> str:
        return self.peers[code].name if code in self.peers else ""

    async def _ordinary(self) -> None:
        """All four levels, a platform that stands for a province, an issuer beside the sender, a report that answers
        the letter before it, one refusal (02)."""
        routes = [
            ("G22", ["H41", "H36", "G12"], "VPCP-TH", "Công văn"),
            ("G22", ["G12", "G09"], "QĐ-TTg", "Quyết định"),
            ("G22", ["H41"], "NQ-CP", "Nghị quyết"),
            ("G12", ["H41", "H17", "H36"], "BTC-NSNN", "Công văn"),
            ("H41", ["H41.05", "H41.05.12"], "UBND-NC", "Công văn"),
            ("H41.05", ["H41.05.12", "H41"], "UBND-VP", "Công văn"),
            ("H41.05.12", ["H41.05"], "BC-UBND", "Báo cáo"),
            ("H17", ["G22", "H41"], "UBND-TH", "Công văn"),
            ("G09", ["H17.07", "H17.12.05", "H41"], "BNV-TL", "Công văn"),
            ("H36", ["G12"], "TTr-UBND", "Tờ trình"),
        ]
        before: tuple[DocumentRef, ...] = ()
        scripts = (("03", "04", "05", "06"), ("03",), ("03", "05"), (), ("03", "04"))
        for n in range(20):
            code, to, symbol, type_name = routes[n % len(routes)]
            sender = self.peers[code]
            subject = f"V/v {_TOPICS[n % len(_TOPICS)]}"
            document = await self._document(
                sender, to, subject, symbol=symbol, type_name=type_name,
                response_for=before if type_name == "Báo cáo" else (),
            )  # fmt: skip
            named = f"{document.number}/{symbol}", document.document_id, document.promulgation_date
            before = (DocumentRef(code, *named),)
            for m, recipient in enumerate(to):
                self._receiver(recipient).script[document.document_id] = scripts[(n + m) % len(scripts)]
            await self._send(sender, document)
        wrong = await self._document(self.peers["G12"], ["G09"], "V/v văn bản gửi nhầm nơi nhận", symbol="BTC-VP")
        self.peers["G09"].script[wrong.document_id] = ("02",)
        await self._send(self.peers["G12"], wrong)

    def _receiver(self, code: str) -> Peer:
        """The system that receives for a code."""
        while code not in self.peers:
            code = code.rpartition(".")[0]
        return self.peers[code]

    async def _broadcast(self) -> None:
        """One document to every other agency at level 1, urgent; then the very same packet again."""
        sender = self.peers["G22"]
        to = [code for code in self.peers if code != "G22" and "." not in code]
        document = await self._document(
            sender, to, "Công điện về ứng phó bão số 10", symbol="CĐ-TTg", type_name="Công điện"
        )
        first = await self._send(sender, replace(document, priority="3"))
        again = await sender.client.send(first.packet)
        self.step("gửi lại nguyên vẹn / exact resend")
        same = (again.id, {d["id"] for d in again.deliveries}) == (first.id, {d["id"] for d in first.deliveries})
        self.books.expect(same and not again.new, "an exact resend got another answer than the first")

    async def _same_number_in_two_years(self) -> None:
        sender = self.peers["G22"]
        for year in (2024, 2025):
            day = date(year, 3, 3)
            subject = f"V/v báo cáo quý I năm {year}"
            await self._send(
                sender, await self._document(sender, ["G12"], subject, symbol="VPCP-KTTH", number="15", day=day)
            )

    async def _acts_on_earlier_documents(self) -> None:
        """Update, replacement and revocation of documents their recipients have; each is agreed to (15)."""
        sender = self.peers["G12"]
        for kind, word in ((2, "cập nhật"), (3, "thay thế"), (1, "thu hồi")):
            original = await self._document(sender, ["H41", "H36"], f"V/v văn bản sẽ được {word}", symbol="BTC-QLG")
            accepted = await self._send(sender, original)
            await self.until_received({d["id"] for d in accepted.deliveries})
            named = original.document_id
            business = Business(
                str(kind),
                f"Văn bản {word}",
                document_id=named if kind == 2 else "",
                replaced=(Replaced(named),) if kind == 3 else (),
            )
            response_for = (DocumentRef("H41", document_id=named, promulgation_date=original.promulgation_date),)
            act = await self._document(
                sender, ["H41", "H36"], f"V/v {word} văn bản {original.number}/{original.symbol}", symbol="BTC-QLG",
                business=business, response_for=response_for if kind == 1 else (),
            )  # fmt: skip
            for code in ("H41", "H36"):
                self.peers[code].answers[act.document_id] = "15"
            await self._send(sender, act)

    async def _taken_back(self, asleep: Peer) -> None:
        """13 three times: agreed (15), refused (16), and withdrawn unseen where nobody has fetched yet."""
        sender = self.peers["G12"]
        for code, answer in (("H41", "15"), ("H36", "16"), (asleep.code, "")):
            document = await self._document(sender, [code], "V/v văn bản sẽ xin lấy lại", symbol="BTC-TCT")
            accepted = await self._send(sender, document)
            if answer:
                await self.until_received({d["id"] for d in accepted.deliveries})
                self.peers[code].answers[document.document_id] = answer
            await sender.report("13", DocumentRef(code, document_id=document.document_id))

    async def until_received(self, deliveries: set[str]) -> None:
        """Raises :class:`ListenerEndedError` as soon as an agency has stopped to receive."""
        async with asyncio.timeout(_PATIENCE):
            while not deliveries <= set(self.books.received):
                self._check_listeners()
                await asyncio.sleep(0.02)

    async def _until_all_arrived(self) -> None:
        """Until every acknowledged delivery and status has come to its end, or patience is over."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while self.books.lost:
                    self._check_listeners()
                    for code in {sender.code for sender, _accepted, _document in self.sent.values()}:
                        await self.peers[code].read_outbox()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self.books.faults.append("not everything arrived in time")

    def _bytes_are_equal(self) -> None:
        """What recipients kept is what senders sent, byte for byte."""
        for _sender, accepted, _document in self.sent.values():
            for delivery in accepted.deliveries:
                kept = self._receiver(delivery["to"]).kept.get(delivery["id"])
                self.books.expect(kept is None or kept.packet == accepted.packet, f"{delivery['id']}: other bytes")

    async def _bad_packets(self) -> None:
        """Each is refused at once, with the rule it breaks and how to repair it; nothing of them arrives."""
        sender, other = self.peers["G12"], self.peers["H36"]
        good = await self._document(sender, ["H41"], "V/v gói tin lỗi", symbol="BTC-LOI")
        (file,) = good.attachments
        signed = sign(edxml.write_document(good), sender.key, sender.certificate)
        taken = next(d for s, _a, d in self.sent.values() if s is sender)

        def changed(**changes: object) -> bytes:
            document = replace(good, **changes)  # type: ignore[arg-type]  # names of the dataclass's own fields
            return sign(edxml.write_document(document), sender.key, sender.certificate)

        named = replace(file, name="Báo cáo: quý I?.pdf")
        bad = [
            ("byte thừa trước khai báo XML", "xml-junk-before-declaration", b"1212" + signed),
            ("có DOCTYPE", "xml-doctype", signed.replace(b"?>", b"?><!DOCTYPE edXML SYSTEM 'x'>", 1)),
            ("chưa ký số", "signature-required", edxml.write_document(good)),
            ("sửa nội dung sau khi ký", "signature-digest", signed.replace("gói tin".encode(), "gói tím".encode(), 1)),
            ("ký bằng chứng thư của cơ quan khác", "certificate-other-agency",
             sign(edxml.write_document(good), other.key, other.certificate)),
            ("tên tệp có ký tự cấm", "packet-refused",
             changed(attachments=(named,), manifest=(replace(good.manifest[0], name=named.name),))),
            ("trích yếu quá 500 ký tự", "packet-refused", changed(subject="V/v " + "tiền lương " * 60)),
            ("ngày sai dạng", "packet-refused", changed(promulgation_date="2025-03-03")),
            ("nơi nhận đã đóng mã", "packet-refused", changed(recipients=(Organization("G04", "", "Bộ GTVT"),))),
            ("không có tệp đính kèm", "packet-refused", changed(attachments=(), manifest=())),
            ("gửi thay cơ quan khác", "not-your-agency", changed(sender=Organization("H36", "", other.name))),
            ("trùng số, ký hiệu trong năm", "number-taken",
             changed(number=taken.number, symbol=taken.symbol, promulgation_date=taken.promulgation_date)),
            ("cùng mã, khác nội dung", "document-conflict",
             sign(edxml.write_document(replace(taken, subject="V/v nội dung khác")), sender.key, sender.certificate)),
        ]  # fmt: skip
        for sort, expected, packet in bad:
            try:
                await sender.send(packet)
                self.books.faults.append(f"{sort}: accepted")
            except Refused as refusal:
                self.books.expect(refusal.code == expected, f"{sort}: {refusal.code}, not {expected}")
                self.told.append(Told(sort, expected, refusal))
            self.step(sort)
