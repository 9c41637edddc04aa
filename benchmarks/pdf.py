"""PDF examinations per second, one after the other as the one process takes them, and what processor they take."""

from __future__ import annotations

import asyncio
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

from benchmarks.load import Answers
from benchmarks.report import Measure, Run
from benchmarks.servers import Running
from hub.authority import DAY, Holder, crl, issue, two_levels
from hub.domain.trust import Material, Verdict
from hub.pdf import Asked, Examination, Examiner

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
        answers, cpu = asyncio.run(_examined(pdf, asked, verdict, seconds))
        share = f"{cpu / answers.seconds:.0%} of one processor"
        run.add(Measure.of(f"PDF, {name}, {len(pdf) / 1000:.0f} KB", answers, cpu, share))


async def _examined(pdf: bytes, asked: Asked, verdict: Verdict, seconds: int) -> tuple[Answers, float]:
    answers, here = Answers(), Running("", os.getpid())
    async with Examiner() as examiner:
        await examiner.examine(pdf, asked)  # which starts the process
        before, began = here.cpu(), time.perf_counter()
        while (asked_at := time.perf_counter()) < began + seconds:
            found = await examiner.examine(pdf, asked)
            if not isinstance(found, Examination) or found.verdict is not verdict:
                raise RuntimeError(f"not examined as meant: {found}")
            answers.latencies.append(time.perf_counter() - asked_at)
        answers.seconds = time.perf_counter() - began
        return answers, here.cpu() - before


def _scan() -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica")
    pdf.cell(text="Cong van")
    pdf.embed_file(bytes=random.Random(7).randbytes(_SIZE), basename="scan.bin")
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
