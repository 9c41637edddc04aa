"""PDF examinations per second, one after the other as one process takes them; and what they cost whoever sends.

Packets come at a fixed rate, by turns without a PDF file, with one that is only named so, and with one signed twice:
files are examined after acceptance, so the times of acceptance should be the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO

from asn1crypto import keys, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fpdf import FPDF
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchmarks import load
from benchmarks.load import Answers
from benchmarks.packets import Office, with_file
from benchmarks.report import Measure, Run
from benchmarks.servers import Running
from benchmarks.stage import Stage, government_office, stage, units
from hub.authority import DAY, Holder, crl, issue, two_levels
from hub.domain import edxml
from hub.domain.document import Organization
from hub.domain.trust import Material, Verdict
from hub.pdf import Asked, Examiner, Opened

_RATE = 40  # packets a second, which two processors can examine beside the load
_ROUNDS = 4  # of each kind
_LINES = 16  # connections
_DRAINED = 120.0  # seconds in which all must be examined
_SIZE = 268_000  # bytes, as of a page or two of a scan
_AGENCY = "Văn phòng Chính phủ"
_LEADER = "Nguyễn Văn An"


def examinations(run: Run, *, seconds: int) -> None:
    """Of files with one signature (the leader's) and with two (the agency's over it)."""
    now = datetime.now(UTC).replace(microsecond=0)
    root, above = two_levels(now)
    leader, agency = (issue(name, now - DAY, now + DAY, above, organization=_AGENCY) for name in (_LEADER, _AGENCY))
    received = now + timedelta(minutes=10)
    asked = Asked(
        received=received,
        anchors=(root.certificate.public_bytes(Encoding.DER),),
        intermediates=(above.certificate.public_bytes(Encoding.DER),),
        revocation=tuple(Material("crl", crl(one, received), received) for one in (root, above)),
        names=(_AGENCY,),
    )
    one = _signed(_scan(), leader, "leader")
    for name, pdf, verdict in (
        ("1 signature", one, Verdict.MISSING_AGENCY),
        ("2 signatures", _signed(one, agency, "agency"), Verdict.VALID_NO_TIMESTAMP),
    ):
        answers, cpu = _examined(pdf, asked, verdict, seconds)
        share = f"{cpu / answers.seconds:.0%} of one processor"
        run.add(Measure.of(f"PDF, {name}, {len(pdf) / 1000:.0f} KB", answers, cpu, share))


def _examined(pdf: bytes, asked: Asked, verdict: Verdict, seconds: int) -> tuple[Answers, float]:
    answers, here = Answers(), Running("", os.getpid())
    (packet,) = with_file(government_office(), units(1), pdf, "pdf", range(1, 2))
    with Examiner() as examiner:
        examiner.know(asked)
        examiner.open(packet, edxml.DEFAULT_LIMITS)  # which starts the process
        before, began = here.cpu(), time.perf_counter()
        while (asked_at := time.perf_counter()) < began + seconds:
            opened = examiner.open(packet, edxml.DEFAULT_LIMITS)
            found = examiner.examine(1, asked.received, asked.agency, asked.names)
            if not isinstance(opened, Opened) or found.verdict != verdict:
                raise RuntimeError(f"not examined as meant: {found}")
            answers.latencies.append(time.perf_counter() - asked_at)
        answers.seconds = time.perf_counter() - began
        return answers, here.cpu() - before


def beside(run: Run, database: str, *, seconds: int) -> None:
    """Times of acceptance while files are examined, and while there are none; the processor time of the serving process
    alone, and of all."""
    now = datetime.now(UTC).replace(microsecond=0)
    _, above = two_levels(now)
    leader, agency = (issue(name, now - DAY, now + DAY, above, organization=_AGENCY) for name in (_LEADER, _AGENCY))
    both = _signed(_signed(_scan(10_000), leader, "leader"), agency, "agency")
    noise = random.Random(7).randbytes(len(both))
    kinds = {"no PDF": (noise, "bin"), "named PDF": (noise, "pdf"), "signed PDF": (both, "pdf")}
    answers = {kind: Answers() for kind in kinds}
    own, everything, number = dict.fromkeys(kinds, 0.0), dict.fromkeys(kinds, 0.0), 1
    office, to = government_office(), units(3)
    with stage(database, [office], to) as hub:
        for turn in range(_ROUNDS + 1):  # the first is not counted: processes start
            for kind, (file, suffix) in kinds.items():
                numbers = range(number, number + max(1, seconds * _RATE // _ROUNDS))
                number = numbers.stop
                packets = _requests(hub, office, to, file, suffix, numbers)
                before = hub.hub.own_cpu(), hub.hub.cpu()
                found, last = asyncio.run(_paced(hub.hub.url, packets))
                _drained(hub, office, last)
                if turn:
                    answers[kind] += found.all_are(201)
                    own[kind] += hub.hub.own_cpu() - before[0]
                    everything[kind] += hub.hub.cpu() - before[1]
    for kind, found in answers.items():
        each = own[kind] / len(found.latencies) * 1000
        note = f"of the serving process {each:.2f} ms each"
        name = f"accepted at {_RATE}/s, {kind}, {len(both) / 1000:.0f} KB, {database}"
        run.add(Measure.of(name, found, everything[kind], note))


def _requests(
    hub: Stage, office: Office, to: list[Organization], file: bytes, suffix: str, numbers: range
) -> list[bytes]:
    token = hub.systems[office.code].token
    return [load.request("/v1/documents", token, each) for each in with_file(office, to, file, suffix, numbers)]


async def _paced(url: str, packets: list[bytes]) -> tuple[Answers, str]:
    """Each at its moment, whatever the others take; its time counts from then. Gives the last document's id too."""
    answers, free, last = Answers(), asyncio.Queue[load.Line](), ""
    lines = [await load.connected(url) for _ in range(_LINES)]
    for line in lines:
        free.put_nowait(line)
    began, cpu = time.perf_counter(), time.process_time()

    async def send(packet: bytes, due: float) -> None:
        nonlocal last
        await asyncio.sleep(due - time.perf_counter())
        line = await free.get()
        answer = await line.ask(packet)
        answers.latencies.append(time.perf_counter() - due)
        answers.statuses[int(answer[9:12])] += 1
        last = str(json.loads(answer.partition(b"\r\n\r\n")[2]).get("id", ""))
        free.put_nowait(line)

    await asyncio.gather(*(send(packet, began + place / _RATE) for place, packet in enumerate(packets)))
    answers.seconds, answers.cpu = time.perf_counter() - began, time.process_time() - cpu
    for line in lines:
        line.close()
    return answers, last


def _drained(hub: Stage, office: Office, document_id: str) -> None:
    """Returns once a document is examined, and so all before it."""
    path = f"/v1/documents/{document_id}/examinations"
    question = load.question(path, hub.systems[office.code].token)
    until = time.monotonic() + _DRAINED

    async def is_pending() -> bool:
        line = await load.connected(hub.hub.url)
        answer = await line.ask(question)
        line.close()
        return bool(json.loads(answer.partition(b"\r\n\r\n")[2])["pending"])

    while asyncio.run(is_pending()):
        if time.monotonic() > until:
            raise RuntimeError("the examinations do not keep up")
        time.sleep(0.2)


def _scan(size: int = _SIZE) -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica")
    pdf.cell(text="Cong van")
    pdf.embed_file(bytes=random.Random(7).randbytes(size), basename="scan.bin")
    return bytes(pdf.output())


def _signed(pdf: bytes, by: Holder, field: str) -> bytes:
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(by.certificate.public_bytes(Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(by.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # the library left it out
    )
    about = signers.PdfSignatureMetadata(
        field_name=field, subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    place = fields.SigFieldSpec(field, box=(10, 10, 60, 40))
    maker = signers.PdfSigner(about, signer=signer, new_field_spec=place)
    return bytes(maker.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf))).getvalue())
