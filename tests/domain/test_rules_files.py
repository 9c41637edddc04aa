"""Rules about attachments: bytes, names, and what the manifest declares (exchange rules 7)."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from builders.documents import ERROR, WARNING, a_file, acceptable, found
from builders.packets import PDF, declared

from hub.domain.document import Business, ManifestEntry, Replaced
from hub.errors import Severity

NAME = "AttachmentEncoded/Attachment[1]/AttachmentName"
TYPE = "AttachmentEncoded/Attachment[1]/ContentType"
BYTES = "AttachmentEncoded/Attachment[1]/ContentTransferEncoded"


@pytest.mark.parametrize("kind", ["", "0", "2", "3"])
def test_a_document_without_attachment_is_refused(kind: str) -> None:
    business = Business(type=kind, reason="Lý do", replaced=(Replaced("G22,2025/09/01,7000/VPCP-TTĐT"),))
    document = acceptable(attachments=(), business=business)
    repair = "Đính kèm tệp văn bản / attach the document's file"
    assert found(document) == [("attachment-missing", ERROR, "AttachmentEncoded/Attachment", repair)]


def test_a_revocation_needs_no_attachment() -> None:
    assert found(acceptable(attachments=(), business=Business(type="1", reason="Gửi nhầm"))) == []


def test_more_attachments_than_the_limit_are_refused() -> None:
    files = [a_file(f"Phụ lục {n}.pdf", content_id=f"tep-{n}") for n in range(6)]
    assert found(acceptable(*files[:5])) == []
    assert found(acceptable(*files)) == [("attachments-too-many", ERROR, "AttachmentEncoded/Attachment", "≤ 5")]


def test_a_file_over_the_limit_is_refused_wrapped_or_not() -> None:
    fits, large = PDF.ljust(1_000), PDF.ljust(1_001)
    expected = [("attachment-too-large", ERROR, BYTES, "≤ 1000")]
    assert found(acceptable(a_file(content=fits))) == []
    assert found(acceptable(a_file(content=large))) == expected
    wrapped = a_file(content=large, octets=b"PK\x03\x04", wrapped=True, content_type="application/zip")
    assert found(acceptable(wrapped)) == expected


@pytest.mark.parametrize(
    ("defect", "repair"),
    [
        ("attachment-base64", "Mã hóa lại toàn bộ tệp / encode the whole file again"),
        ("attachment-zip", "Đính kèm tệp gốc không nén / attach the plain file"),
        ("attachment-zip-bomb", "Đính kèm tệp gốc không nén / attach the plain file"),
        ("attachment-zip-path", "Nén lại, tên mục không có đường dẫn / zip again, entry names without a path"),
        ("attachment-empty", "Đính kèm lại tệp / attach the file again"),
    ],
)
def test_bytes_that_cannot_be_read_are_refused_once(defect: str, repair: str) -> None:
    file = a_file(content=b"", content_type="application/zip", defect=defect)
    assert found(acceptable(file)) == [(defect, ERROR, BYTES, repair)]


@pytest.mark.parametrize(
    ("name", "rule", "severity", "repair"),
    [
        ("", "name-empty", ERROR, "tệp"),
        ("ế" * 84 + ".pdf", "name-too-long", ERROR, "ế" * 83 + ".pdf"),
        ("a/b.pdf", "name-separator", ERROR, "a-b.pdf"),
        ("a:b.pdf", "name-character", ERROR, "a-b.pdf"),
        ("a\x07b.pdf", "name-control", ERROR, "ab.pdf"),
        ("a\u202eb.pdf", "name-invisible", ERROR, "ab.pdf"),
        ("AUX.pdf", "name-reserved", ERROR, "_AUX.pdf"),
        (unicodedata.normalize("NFD", "Quyết định.pdf"), "name-nfd", WARNING, "Quyết định.pdf"),
        ("Quyết định", "name-no-extension", WARNING, "Quyết định.pdf"),
        ("Quyết định.docx", "name-extension-content", WARNING, "Quyết định.pdf"),
    ],
)
def test_a_bad_file_name_is_answered_with_the_name_to_use(
    name: str, rule: str, severity: Severity, repair: str
) -> None:
    assert found(acceptable(a_file(name))) == [(rule, severity, NAME, repair)]


@pytest.mark.parametrize(("content", "repair"), [(b"\x89PNG\r\n\x1a\n", "Quyết định.png"), (b"?", "Quyết định.pdf")])
def test_a_missing_extension_is_the_contents_or_else_pdf(content: bytes, repair: str) -> None:
    assert found(acceptable(a_file("Quyết định", content))) == [("name-no-extension", WARNING, NAME, repair)]


def test_a_trailing_dot_is_an_error_and_leaves_no_extension() -> None:
    assert found(acceptable(a_file("a.pdf."))) == [
        ("name-trailing", ERROR, NAME, "a.pdf"),
        ("name-no-extension", WARNING, NAME, "a.pdf"),
    ]


def test_two_files_of_one_name_are_refused_at_the_second() -> None:
    document = acceptable(a_file("Phụ lục.pdf"), a_file("PHỤ LỤC.pdf", content_id="hai"))
    place = "AttachmentEncoded/Attachment[2]/AttachmentName"
    assert found(document) == [("name-duplicate", ERROR, place, "PHỤ LỤC (2).pdf")]


def test_ids_of_manifest_and_attachments_must_pair() -> None:
    file = a_file(content_id="a")
    document = acceptable(file, manifest=(replace(declared(file), content_id="b"),))
    assert found(document) == [
        ("manifest-unpaired", ERROR, "edXMLManifest/Reference[1]/ContentId", "cid:a"),
        ("attachment-unpaired", ERROR, "AttachmentEncoded/Attachment[1]/ContentId", "cid:b"),
    ]


def test_an_attachment_without_a_manifest_is_refused() -> None:
    both = "Khai tệp ở cả hai nơi / name the file in both places"
    expected = [("attachment-unpaired", ERROR, "AttachmentEncoded/Attachment[1]/ContentId", both)]
    assert found(acceptable(manifest=())) == expected


def test_an_attachment_without_id_pairs_with_nothing() -> None:
    file = a_file()
    both = "Khai tệp ở cả hai nơi / name the file in both places"
    assert found(acceptable(replace(file, content_id=""), manifest=(declared(file),))) == [
        ("manifest-unpaired", ERROR, "edXMLManifest/Reference[1]/ContentId", both),
        ("content-id-missing", ERROR, "AttachmentEncoded/Attachment[1]/ContentId", "cid:1"),
    ]


def test_an_id_must_be_there_and_be_the_files_own() -> None:
    first, second, third = a_file("1.pdf"), a_file("2.pdf"), a_file("3.pdf", content_id="")
    assert found(acceptable(first, second, third)) == [
        ("content-id-twice", ERROR, "edXMLManifest/Reference[2]/ContentId", "cid:van-ban-2"),
        ("content-id-missing", ERROR, "edXMLManifest/Reference[3]/ContentId", "cid:3"),
        ("content-id-twice", ERROR, "AttachmentEncoded/Attachment[2]/ContentId", "cid:van-ban-2"),
        ("attachment-name-differs", ERROR, "AttachmentEncoded/Attachment[2]/AttachmentName", "1.pdf"),
        ("content-id-missing", ERROR, "AttachmentEncoded/Attachment[3]/ContentId", "cid:3"),
    ]


def test_another_name_in_the_manifest_is_an_error_and_other_descriptions_are_warnings() -> None:
    file = a_file("Thật.pdf", description="Bản chính")
    entry = ManifestEntry("van-ban", "application/zip", "Khai.pdf", "Bản khai")
    assert found(acceptable(file, manifest=(entry,))) == [
        ("attachment-name-differs", ERROR, NAME, "Khai.pdf"),
        ("attachment-description", WARNING, "AttachmentEncoded/Attachment[1]/Description", "Bản khai"),
        ("attachment-content-type", WARNING, TYPE, "application/zip"),
    ]


def test_what_the_manifest_or_the_attachment_leaves_out_is_not_at_odds() -> None:
    assert found(acceptable(a_file(description="Bản chính"), manifest=(ManifestEntry("van-ban"),))) == []
    full = ManifestEntry("van-ban", "application/zip", "Công văn 7816.pdf", "Bản khai")
    assert found(acceptable(a_file(content_type="", wrapped=True), manifest=(full,))) == []


def test_a_name_in_two_unicode_forms_is_one_name() -> None:
    file = a_file("Quyết định.pdf")
    decomposed = unicodedata.normalize("NFD", file.name)
    assert found(acceptable(file, manifest=(replace(declared(file), name=decomposed),))) == []


@pytest.mark.parametrize(
    ("name", "content_type", "wrapped", "repair"),
    [
        ("a.pdf", "application/zip", False, "application/octet-stream"),
        ("a.pdf", "", False, "application/octet-stream"),
        ("a.pdf", "application/pdf", True, "application/zip"),
        ("a.pdf", "APPLICATION/ZIP", True, "application/zip"),
    ],
)
def test_a_content_type_that_hides_the_wrapping_is_told(
    name: str, content_type: str, wrapped: bool, repair: str
) -> None:
    file = a_file(name, content_type=content_type, wrapped=wrapped)
    assert found(acceptable(file)) == [("attachment-wrapping", WARNING, TYPE, repair)]


@pytest.mark.parametrize(
    ("name", "content", "content_type", "wrapped"),
    [
        ("a.pdf", PDF, "application/zip", True),
        ("a.pdf", PDF, "", True),
        ("a.pdf", PDF, "application/pdf", False),
        ("a.zip", b"PK\x03\x04", "application/zip", False),
    ],
)
def test_a_content_type_that_tells_the_wrapping_is_accepted(
    name: str, content: bytes, content_type: str, wrapped: bool
) -> None:
    assert found(acceptable(a_file(name, content, content_type=content_type, wrapped=wrapped))) == []
