"""The examination of one PDF file: a pure function, but for the processor time and memory a hostile file takes.

Hybrid-reference files are read as every present reader does, by their cross-reference streams: common word processors
write them. A file that breaks the standard's form is read leniently, and then nothing at all may stand behind its last
signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from hub.domain.trust import Material, Result, Step, Verdict
from hub.domain.trust.certificates import UNREADABLE
from hub.pdf.findings import Asked, Examination, Kind, Signature, Unexamined, unexamined, worst
from hub.pdf.revisions import end_of, held, is_stamp, opened
from hub.pdf.signatures import Given, document_stamp, judged, unread

HEADER_WITHIN = 1024  # bytes: where readers look for %PDF-
_MOST_ITEMS = 200  # certificates, CRLs and answers taken from a file
_BOTH = "NĐ 30/2020/NĐ-CP Đ.5"
_ORDER = "NĐ 30/2020/NĐ-CP Đ.5, Phụ lục I"


def examine(pdf: bytes, asked: Asked) -> Examination | Unexamined:
    """What the signatures of a file are worth.

    The verdict is the worst of its signatures' and of what is missing: MISSING_LEADER without a person's signature,
    and so for a file without any, MISSING_AGENCY without the agency's. ``missing`` names both where both are. What is
    wrong with a signature that is there comes before what is missing, so that it is not hidden. The agency before the
    leader is a step that fails and no verdict: both signatures hold, the rule of form is broken.

    Raises MemoryError where the process has a limit.
    """
    if b"%PDF-" not in pdf[:HEADER_WITHIN]:
        return unexamined("not a PDF")
    try:
        return _examined(pdf, asked, strict=True)
    except PdfReadError:
        pass
    except MemoryError:
        raise
    except Exception:  # the library meets hostile structures with every error there is, RecursionError too
        return unexamined("unreadable")
    try:
        return _examined(pdf, asked, strict=False)
    except MemoryError:
        raise
    except Exception:  # as above
        return unexamined("unreadable")


def _examined(pdf: bytes, asked: Asked, *, strict: bool) -> Examination | Unexamined:
    reader = opened(pdf, strict=strict)
    if reader.encrypted:
        return unexamined("encrypted")
    read, broken = _signatures(reader)
    certificates, material = _brought(reader, asked)
    given = Given(
        asked=asked,
        pdf=pdf,
        signatures=read,
        anchors=_certificates(asked.anchors),
        stampers=_certificates(asked.stampers),
        intermediates=[*_certificates(asked.intermediates), *certificates],
        revocation=[*asked.revocation, *material],
    )
    of_document = [one for one in read if is_stamp(one)]
    stamps = [(end_of(one), document_stamp(given, one)) for one in of_document]
    found = [
        judged(given, one, [stamp for end, stamp in stamps if end > end_of(one)]) for one in read if not is_stamp(one)
    ]
    signatures = _by_place([*found, *broken])
    steps, missing = _both(signatures)
    verdicts = [one.verdict for one in signatures]
    if "leader" in missing:
        verdicts.append(Verdict.MISSING_LEADER)
    if "agency" in missing:
        verdicts.append(Verdict.MISSING_AGENCY)
    stamps_told = tuple(stamp for _, stamp in stamps)
    return Examination(worst(*verdicts), steps, tuple(signatures), missing, stamps_told, not strict)


def _signatures(reader: PdfFileReader) -> tuple[list[EmbeddedPdfSignature], list[Signature]]:
    """Those that can be read, in the order of what they cover, and those that cannot."""
    read: list[EmbeddedPdfSignature] = []
    broken: list[Signature] = []
    for name, value, reference in enumerate_sig_fields(reader, filled_status=True):
        try:
            found = EmbeddedPdfSignature(reader, reference.get_object(), name)
            _ = end_of(found), found.sig_object_type, found.md_algorithm
            read.append(found)
        except MemoryError:
            raise
        except Exception as fault:  # asn1crypto stumbles over hostile octets in many ways
            signature = value.get_object() if value is not None else None
            form = str(held(signature, "/SubFilter")) if isinstance(signature, generic.DictionaryObject) else ""
            broken.append(unread(str(name), f"{type(fault).__name__}: {fault}"[:300], form))
    return sorted(read, key=end_of), broken


def _brought(reader: PdfFileReader, asked: Asked) -> tuple[list[x509.Certificate], list[Material]]:
    """What the file brings along to be validated with (DSS, ISO 32000-2 §12.8.4.3): it was had when the file was."""
    dss = held(reader.root, "/DSS")
    if not isinstance(dss, generic.DictionaryObject):
        return [], []
    material = [
        *(Material("crl", octets, asked.received) for octets in _streams(dss, "/CRLs", DecodePurpose.CRL)),
        *(Material("ocsp", octets, asked.received) for octets in _streams(dss, "/OCSPs", DecodePurpose.OCSP_RESPONSE)),
    ]
    return _certificates(_streams(dss, "/Certs", DecodePurpose.CERTIFICATE)), material


def _streams(dss: generic.DictionaryObject, key: str, purpose: DecodePurpose) -> Iterator[bytes]:
    found = held(dss, key)
    for item in islice(found, _MOST_ITEMS) if isinstance(found, generic.ArrayObject) else ():
        stream = item.get_object()
        if isinstance(stream, generic.StreamObject):
            yield stream.read_data(purpose)


def _certificates(found: Any) -> list[x509.Certificate]:
    read = []
    for octets in found:
        try:
            read.append(x509.load_der_x509_certificate(octets))
        except UNREADABLE:
            continue
    return read


def _by_place(signatures: list[Signature]) -> list[Signature]:
    """A signature whose certificate says nothing stands for a person when the agency's was set over it."""
    last = max((place for place, one in enumerate(signatures) if one.kind == "agency"), default=-1)
    return [
        replace(one, kind="leader", decided_by="place") if one.kind == "unknown" and one.path and place < last else one
        for place, one in enumerate(signatures)
    ]


def _both(signatures: list[Signature]) -> tuple[tuple[Step, ...], tuple[Kind, ...]]:
    leaders = [place for place, one in enumerate(signatures) if one.kind == "leader"]
    agencies = [place for place, one in enumerate(signatures) if one.kind == "agency"]
    missing: list[Kind] = []
    if leaders:
        first = Step(1, _BOTH, Result.PASSED, "Có chữ ký của người có thẩm quyền.", "A leader's signature is there.")
    else:
        first = Step(
            1, _BOTH, Result.FAILED, "Thiếu chữ ký của người có thẩm quyền.", "The leader's signature is missing."
        )
        missing.append("leader")
    if agencies:
        second = Step(2, _BOTH, Result.PASSED, "Có chữ ký của cơ quan.", "The agency's signature is there.")
    else:
        second = Step(2, _BOTH, Result.FAILED, "Thiếu chữ ký của cơ quan.", "The agency's signature is missing.")
        missing.append("agency")
    if missing:
        third = Step(3, _ORDER, Result.UNTOLD, "Chưa xem xét thứ tự ký.", "The order was not examined.")
    elif max(leaders) < max(agencies):
        third = Step(
            3, _ORDER, Result.PASSED, "Cơ quan ký sau người có thẩm quyền.", "The agency signed over the leader."
        )
    else:
        third = Step(
            3,
            _ORDER,
            Result.FAILED,
            "Cơ quan ký trước người có thẩm quyền; hãy ký lại: người có thẩm quyền trước, cơ quan sau.",
            "The agency signed before the leader; sign again, the leader first and the agency over it.",
        )
    return (first, second, third), tuple(missing)
