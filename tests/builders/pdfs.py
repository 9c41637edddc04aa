"""PDF files as agencies send them: small, with real signatures, and everything that can be done to them afterwards.

Signatures are pyHanko's, by the keys of ``builders.authority``. All moments are passed in.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from builders.authority import AGENCY, Authority
from builders.judged import AT, NOW, the_authority
from builders.packets import a_document
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from fpdf import FPDF
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from hub.authority import DAY, YEAR, Holder, issue
from hub.domain import edxml
from hub.domain.document import Attachment, ManifestEntry
from hub.domain.trust import Material
from hub.pdf import Asked, Examiner, Report, Unexamined, unexamined

CODE = "000.00.00.G22"
_BOXES = {"leader": (300, 100, 500, 160), "agency": (230, 90, 360, 190)}  # the seal over a third of the signature


def written(text: str = "Gia han den ngay 01/4/2026", *, size: int = 0) -> bytes:
    """One page, PDF 1.7 by hand, and a form with one text field. ``size``: about so many bytes, as of a scan."""
    image = (bytes(range(256)) * (size // 256 + 1))[: max(1, size)]
    shown = f"BT /F1 14 Tf 72 720 Td ({text}) Tj ET".encode()
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /DR << /Font << /F1 5 0 R >> >> >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [6 0 R]"
        b" /Resources << /Font << /F1 5 0 R >> /XObject << /Im1 7 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (Ghi chu) /V (cu) /DA (/F1 9 Tf) /Rect [72 600 200 620] /F 4"
        b" /P 3 0 R >>",
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Length %d"
        b" >>\nstream\n%b\nendstream" % (len(image), len(image), image),
    ]  # fmt: skip
    return assembled(bodies)


def assembled(bodies: Sequence[bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A file of the objects 1, 2, … with its cross-reference table."""
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(bodies) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d %b >>\n" % (count, table, count, trailer)
    return bytes(out) + head + b"startxref\n%d\n%%%%EOF\n" % len(out)


def carelessly_written() -> bytes:
    """With a reference to nothing, which readers let pass."""
    first, *others = _bodies(written())
    return assembled([first.replace(b"/Pages", b"/Outlines 99 0 R /Pages"), *others])


def typeset(text: str = "Cong van", *, password: str = "") -> bytes:
    """By a library, compressed."""
    pdf = FPDF()
    if password:
        pdf.set_encryption(owner_password="owner", user_password=password)
    pdf.set_creation_date(AT)
    pdf.add_page()
    pdf.set_font("helvetica")
    pdf.cell(text=text)
    return bytes(pdf.output())


def asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _key(holder: Holder) -> asn1_keys.PrivateKeyInfo:
    return asn1_keys.PrivateKeyInfo.load(holder.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@cache
def stamping() -> Holder:
    """A timestamping authority below the same root."""
    return stamping_authority()


def stamping_authority(*, may: bool = True, issuer: Holder | None = None) -> Holder:
    usage = ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),) if may else ()
    return issue(
        "TSA thử nghiệm", AT - YEAR, AT + 5 * YEAR, issuer or the_authority().intermediate, key="RSA-2048",
        extensions=usage,
    )  # fmt: skip


class _Stray(DummyTimeStamper):
    """Stamps something else than what it was asked for."""

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        return await super().async_timestamp(message_digest[::-1], md_algorithm)


def stamper(at: datetime, by: Holder | None = None, *, stray: bool = False) -> DummyTimeStamper:
    holder = by or stamping()
    certificates = SimpleCertificateStore()
    certificates.register(asn1(the_authority().intermediate.certificate))
    maker = _Stray if stray else DummyTimeStamper
    return maker(asn1(holder.certificate), _key(holder), certs_to_embed=certificates, fixed_dt=at)


def signed(
    pdf: bytes,
    by: Holder,
    at: datetime = AT,
    *,
    field: str = "leader",
    stamp: DummyTimeStamper | None = None,
    digest: str = "sha256",
    permitted: fields.MDPPerm | None = None,
    pss: bool = False,
) -> bytes:
    """Signed once more, with a visible field; ``permitted`` makes it a certification."""
    certificates = SimpleCertificateStore()
    certificates.register(asn1(the_authority().intermediate.certificate))
    signer = signers.SimpleSigner(
        signing_cert=asn1(by.certificate), signing_key=_key(by), cert_registry=certificates, prefer_pss=pss
    )
    about = signers.PdfSignatureMetadata(
        field_name=field, subfilter=fields.SigSeedSubFilter.PADES, md_algorithm=digest,
        certify=permitted is not None, docmdp_permissions=permitted or fields.MDPPerm.FILL_FORMS,
    )  # fmt: skip
    box = _BOXES.get(field, (10, 10, 60, 40))
    maker = _Signer(about, signer=signer, timestamper=stamp, new_field_spec=fields.SigFieldSpec(field, box=box))
    return asyncio.run(_made(maker, _writer(pdf), at))


class _Signer(signers.PdfSigner):
    """One that does not ask what an earlier signature permits."""

    def _enforce_certification_constraints(self, reader: object) -> None:
        pass


async def _made(maker: signers.PdfSigner, writer: IncrementalPdfFileWriter, at: datetime) -> bytes:
    """What ``maker.sign_pdf`` does, at another moment than the present."""
    session = maker.init_signing_session(writer)
    session.system_time = at
    ready = session.prepare_tbs_document(await session.perform_presign_validation(writer), bytes_reserved=16_384)
    prepared, out = ready.digest_tbs_document()
    attributes = PdfCMSSignedAttributes(signing_time=at)
    done = await ready.perform_signature(prepared.document_digest, attributes)
    await done.post_signature_processing(out)
    return bytes(out.getvalue())


def _writer(pdf: bytes) -> IncrementalPdfFileWriter:
    return IncrementalPdfFileWriter(BytesIO(pdf), strict=False)


def by_both(pdf: bytes | None = None, at: datetime = AT, **options: Any) -> bytes:
    """As NĐ 30 wants it: the leader first, the agency an hour later over it."""
    authority = the_authority()
    first = signed(pdf or written(), authority.leader, at, **options)
    return signed(first, authority.agency, at + timedelta(hours=1), field="agency", **options)


def by_the_agency_first() -> bytes:
    authority = the_authority()
    first = signed(written(), authority.agency, field="agency")
    return signed(first, authority.leader, AT + timedelta(hours=1), field="leader")


def with_validation_data(pdf: bytes, crls: Sequence[bytes], certificates: Sequence[x509.Certificate] = ()) -> bytes:
    """B-LT: revocation data and certificates in the file's DSS."""
    from asn1crypto import crl as asn1_crl

    writer = _writer(pdf)
    store = DocumentSecurityStore(writer)
    store.register_vri(
        None, certs=[asn1(one) for one in certificates], crls=[asn1_crl.CertificateList.load(one) for one in crls]
    )
    writer.root["/DSS"] = writer.add_object(store.as_pdf_object())
    writer.update_root()
    return _appended(writer)


def with_document_timestamp(pdf: bytes, at: datetime, by: Holder | None = None, *, field: str | None = None) -> bytes:
    """B-LTA, or B-T by the document's own timestamp; in a new field that does not show, or in an empty one."""
    return bytes(
        signers.PdfTimeStamper(stamper(at, by), field_name=field).timestamp_pdf(_writer(pdf), "sha256").getvalue()
    )


def _appended(writer: IncrementalPdfFileWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _page(writer: IncrementalPdfFileWriter) -> Any:
    return writer.root["/Pages"]["/Kids"][0]


def text_changed(pdf: bytes) -> bytes:
    """An update that writes another text over the page."""
    writer = _writer(pdf)
    page = _page(writer)
    stream = generic.StreamObject(stream_data=b"BT /F1 14 Tf 72 720 Td (Gia han den ngay 31/12/2029) Tj ET")
    page["/Contents"] = writer.add_object(stream)
    writer.update_container(page)
    return _appended(writer)


def annotation_added(pdf: bytes) -> bytes:
    writer = _writer(pdf)
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (72, 700, 300, 740))),
            pdf_name("/Contents"): generic.pdf_string("31/12/2029"),
        }
    )
    page = _page(writer)
    page["/Annots"] = generic.ArrayObject([*page["/Annots"], writer.add_object(note)])
    writer.update_container(page)
    return _appended(writer)


def field_filled(pdf: bytes) -> bytes:
    writer = _writer(pdf)
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/V"] = generic.pdf_string("mới")
    writer.update_container(field)
    return _appended(writer)


def empty_field_added(pdf: bytes) -> bytes:
    """A signature field that nobody signed, with an appearance that hides the text."""
    writer = _writer(pdf)
    fields.append_signature_field(writer, fields.SigFieldSpec("che", box=(60, 700, 500, 760)))
    return _appended(writer)


def hidden_content_shown(pdf_of: Callable[[bytes], bytes]) -> bytes:
    """Shadow attack «hide»: an image over the text is taken away after signing."""
    plain = written("Chi 1 ty dong")
    first = plain.replace(b"/Contents 4 0 R", b"/Contents [4 0 R 8 0 R]".ljust(23))
    over = b"1 1 1 rg 60 700 400 60 re f"
    covered = assembled([*_bodies(first), b"<< /Length %d >>\nstream\n%b\nendstream" % (len(over), over)])
    writer = _writer(pdf_of(covered))
    page = _page(writer)
    page["/Contents"] = page.raw_get("/Contents")[0]
    writer.update_container(page)
    return _appended(writer)


def font_replaced(pdf: bytes) -> bytes:
    """Shadow attack «replace»: the letters keep their codes, and get other shapes."""
    writer = _writer(pdf)
    font = _page(writer)["/Resources"]["/Font"]["/F1"]
    font["/BaseFont"] = pdf_name("/Symbol")
    writer.update_container(font)
    return _appended(writer)


def hidden_and_replaced(pdf_of: Callable[[bytes], bytes]) -> bytes:
    """Shadow attack «hide and replace»: a second document waits in the signed bytes, and an update leads to it."""
    bodies = _bodies(written("Dong y"))
    other = b"BT /F1 14 Tf 72 720 Td (Khong dong y) Tj ET"
    bodies += [
        b"<< /Type /Pages /Kids [9 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 8 0 R /MediaBox [0 0 595 842] /Contents 10 0 R /Resources << /Font << /F1 5 0 R >> >>"
        b" >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(other), other),
    ]
    writer = _writer(pdf_of(assembled(bodies)))
    writer.root["/Pages"] = generic.IndirectObject(8, 0, writer)
    writer.update_root()
    return _appended(writer)


def awaited_content_added(pdf_of: Callable[[bytes], bytes]) -> bytes:
    """The signed page refers to an object that does not exist, and an update of nothing else brings it."""
    first = written().replace(b"/Contents 4 0 R", b"/Contents [4 0 R 99 0 R]")
    pdf = pdf_of(assembled(_bodies(first)))
    over = b"1 1 1 rg 60 700 400 60 re f"
    body = b"99 0 obj\n<< /Length %d >>\nstream\n%b\nendstream\nendobj\n" % (len(over), over)
    root = re.findall(rb"/Root (\d+ 0 R)", pdf)[-1]
    earlier = re.findall(rb"startxref\n(\d+)", pdf)[-1]
    table = b"xref\n99 1\n%010d 00000 n \ntrailer\n<< /Size 100 /Root %b /Prev %b >>\n" % (len(pdf), root, earlier)
    return pdf + body + table + b"startxref\n%d\n%%%%EOF\n" % (len(pdf) + len(body))


def _bodies(pdf: bytes) -> list[bytes]:
    return re.findall(rb"\d+ 0 obj\n(.*?)\nendobj\n", pdf, re.DOTALL)


def value_shortened(pdf: bytes) -> bytes:
    """Signature wrapping: something of the attacker's in the room that the signature's value left over."""
    *_, found = re.finditer(rb"/Contents <([0-9A-F]+?)(0{80,})>", pdf)
    evil = b"> /Reason (31/12/2029) "
    put = (found.group(1) + b"0" * (len(found.group(1)) % 2) + evil).ljust(len(found.group(1) + found.group(2)) + 1)
    return pdf[: found.start(1)] + put + pdf[found.end(2) + 1 :]


def hybrid(pdf: bytes) -> bytes:
    """A hand-written file with a cross-reference stream beside its table, as word processors make them."""
    at = pdf.rindex(b"xref\n0 ", 0, pdf.rindex(b"startxref"))
    count = len(_bodies(pdf)) + 1
    entry = zlib.compress(b"\x01" + at.to_bytes(3, "big") + b"\0")
    about = b"/W [1 3 1] /Index [%d 1] /Size %d /Filter /FlateDecode" % (count, count + 1)
    stream = b"<< /Type /XRef %b /Length %d >>\nstream\n%b\nendstream" % (about, len(entry), entry)
    body = b"%d 0 obj\n%b\nendobj\n" % (count, stream)
    trailer = b"/Size %d /Root 1 0 R /XRefStm %d" % (count + 1, at)
    table = pdf[at:].partition(b"startxref")[0].replace(b"/Size %d /Root 1 0 R" % count, trailer)
    return pdf[:at] + body + table + b"startxref\n%d\n%%%%EOF\n" % (at + len(body))


def bomb() -> bytes:
    """300 bytes that ask at once for more memory than there is: a predictor of two thousand million columns."""
    body = (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
    )
    nothing = zlib.compress(b"")
    table = b"<</Type/XRef/Size 4/W[1 2 1]/Root 1 0 R/Filter/FlateDecode/DecodeParms%s/Length %d>>"
    row = table % (b"<</Predictor 12/Columns 2000000000>>", len(nothing))
    return body + b"3 0 obj\n%s\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (row, nothing, len(body))


def endless() -> bytes:
    """A cross-reference stream of a few kilobytes that stands for millions of entries."""
    entries = 20_000_000
    packed = zlib.compress(bytes(3 * entries), 9)
    head = b"%PDF-1.7\n"
    about = b"/Type /XRef /W [1 1 1] /Index [0 %d] /Size %d /Filter /FlateDecode" % (entries, entries)
    body = b"1 0 obj\n<< %b /Length %d >>\nstream\n%b" % (about, len(packed), packed)
    return head + body + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


_LIMITS = edxml.Limits(packet=1 << 30, attachment=1 << 30)


def examined_by(examiner: Examiner, pdf: bytes, given: Asked) -> Report:
    """What the process says of a file that came in a packet."""
    file = Attachment("tep-1", "cong-van.pdf", pdf, pdf, "application/pdf", "Công văn")
    entry = ManifestEntry("tep-1", "application/pdf", "cong-van.pdf", "Công văn")
    examiner.know(given)
    opened = examiner.open(edxml.write_document(a_document(manifest=(entry,), attachments=(file,))), _LIMITS)
    if isinstance(opened, Unexamined):
        return opened.report
    (found,) = opened.files
    if not found.is_pdf:
        return unexamined("not a PDF").report
    return examiner.examine(found.part, given.received, given.agency, given.names)


def asked(authority: Authority | None = None, **changes: Any) -> Asked:
    """Everything known that should be."""
    made = authority or the_authority()
    usual = Asked(
        received=NOW,
        anchors=(made.root.certificate.public_bytes(Encoding.DER),),
        intermediates=(made.intermediate.certificate.public_bytes(Encoding.DER),),
        revocation=tuple(Material("crl", one, NOW) for one in made.crls(made=AT + 2 * DAY)),
        agency=CODE,
        names=(AGENCY,),
    )
    return replace(usual, **changes)
