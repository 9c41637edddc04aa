"""Attachments: what is decoded, what is unwrapped, and what only looks like a file."""

from __future__ import annotations

import base64
import struct
import tracemalloc
import zipfile

import pytest
from builders.packets import PDF, a_zip, attachment_element, frame
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.document import Attachment
from hub.domain.edxml import Limits, attachment_parts, parse

MEBIBYTE = 1024 * 1024
TEXT = "Báo cáo số 15".encode()
WRAPPED = a_zip(("0f5c.txt", TEXT))
DIRECTORY = WRAPPED.index(b"PK\x01\x02")
NO_ENTRY = WRAPPED[:DIRECTORY] + a_zip()  # a file, and a directory that names none


def parts(*elements: str, limits: Limits | None = None) -> tuple[Attachment, ...]:
    return attachment_parts(parse(frame(attachments="".join(elements))), limits or Limits())


def one(content: bytes | str, name: str = "bao-cao.txt", *, limits: Limits | None = None) -> Attachment:
    (attachment,) = parts(attachment_element(content, name), limits=limits)
    return attachment


def patched(data: bytes, offset: int, replacement: bytes) -> bytes:
    return data[:offset] + replacement + data[offset + len(replacement) :]


# Which elements are attachments.


def test_the_last_attachment_encoded_below_the_root_counts() -> None:
    packet = frame(body="<AttachmentEncoded/>", attachments=attachment_element(b"mot"))
    packet = packet.replace(
        b"</edXML>",
        f"<x:AttachmentEncoded xmlns:x='urn:x'>{attachment_element(b'hai')}</x:AttachmentEncoded></edXML>".encode(),
    )
    assert [a.content for a in attachment_parts(parse(packet))] == [b"hai"]


def test_every_child_with_children_is_an_attachment_whatever_its_name() -> None:
    elements = (
        "<Tep><AttachmentName>a.pdf</AttachmentName></Tep>",
        "<Attachment>chữ</Attachment>",
        "<Attachment><!-- --></Attachment>",
    )
    assert [a.name for a in parts(*elements)] == ["a.pdf"]


def test_a_packet_without_attachments_has_none() -> None:
    assert parts() == ()
    assert attachment_parts(parse(frame().replace(b"AttachmentEncoded", b"Khac"))) == ()


@pytest.mark.parametrize("written", ["209", "cid:209", "cid:cid:209", " cid:cid:cid:209 "])
def test_any_number_of_cid_before_an_id_is_taken_off(written: str) -> None:
    (attachment,) = parts(f"<A><ContentId>{written}</ContentId></A>")
    assert attachment.content_id == "209"


# Base64.


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(PDF).decode(),
        base64.encodebytes(PDF).decode(),
        base64.encodebytes(PDF).decode().replace("\n", " \r\n\t"),
        base64.b64encode(PDF).decode()[:8] + "<!-- -->" + base64.b64encode(PDF).decode()[8:],
    ],
    ids=["one-line", "lines", "blanks", "comment"],
)
def test_base64_is_read_as_the_field_writes_it(written: str) -> None:
    attachment = one(written, "a.pdf")
    assert (attachment.octets, attachment.content, attachment.defect) == (PDF, PDF, "")


def test_the_url_safe_alphabet_is_read() -> None:
    octets = b"\xfb\xff\xfe"
    assert base64.b64encode(octets) == b"+//+"
    assert one("-__-").octets == octets


@pytest.mark.parametrize("written", ["QUJ", "QUJD=", "QQ==QUJD", "QU!D", "QUJĐ", "=", "Q"])
def test_foreign_characters_and_bad_padding_are_a_defect(written: str) -> None:
    attachment = one(written)
    assert (attachment.defect, attachment.octets) == ("attachment-base64", b"")


@pytest.mark.parametrize("written", ["", "  ", "null"])
def test_a_file_of_no_bytes_is_a_defect(written: str) -> None:
    assert one(written).defect == "attachment-empty"


def test_an_attachment_without_content_is_empty() -> None:
    assert parts("<A><AttachmentName>a.pdf</AttachmentName></A>")[0].defect == "attachment-empty"


# ZIP: what is unwrapped.


@pytest.mark.parametrize("content_type", ["application/zip", "", "text/plain", "application/pdf", "APPLICATION/ZIP"])
def test_a_zip_of_one_entry_is_unwrapped_by_its_bytes_whatever_is_declared(content_type: str) -> None:
    (attachment,) = parts(attachment_element(WRAPPED, content_type=content_type))
    assert (attachment.content, attachment.octets, attachment.wrapped) == (TEXT, WRAPPED, True)
    assert (attachment.content_type, attachment.defect) == (content_type, "")


def test_a_stored_entry_is_unwrapped() -> None:
    assert one(a_zip(("a", TEXT), method=zipfile.ZIP_STORED)).content == TEXT


def test_an_entry_with_an_extra_field_is_unwrapped() -> None:
    assert one(a_zip(("a", TEXT), extra=struct.pack("<HH4s", 0x9999, 4, b"abcd"))).content == TEXT


def test_an_entry_whose_sizes_follow_it_is_unwrapped() -> None:
    # As java.util.zip writes: bit 3 set, sizes 0 in the local header, a data descriptor behind the data.
    local = patched(patched(WRAPPED[:DIRECTORY], 6, b"\x08\x00"), 14, bytes(12))
    descriptor = b"PK\x07\x08" + WRAPPED[14:26]
    directory = patched(WRAPPED[DIRECTORY:], 8, b"\x08\x00")
    end = directory.index(b"PK\x05\x06")
    directory = patched(directory, end + 16, struct.pack("<L", len(local) + len(descriptor)))
    assert one(local + descriptor + directory).content == TEXT


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (WRAPPED, "ho-so.zip"),
        (WRAPPED, "HO-SO.ZIP"),
        (a_zip(("[Content_Types].xml", b"<Types/>")), "a.docx"),
        (a_zip(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")), "a.docx"),
        (a_zip(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"<a/>")), "a.odt"),
        (a_zip(), "rong.txt"),
        (NO_ENTRY, "rong.zip"),
        (b"%PDF-1.7 PK\x03\x04", "a.pdf"),
        (WRAPPED[:40], "hong.zip"),
    ],
    ids=[
        *("zip", "ZIP", "content-types", "office", "open-document", "nothing", "no-entry-but-named-zip"),
        *("not-at-the-start", "broken-but-named-zip"),
    ],
)
def test_a_file_that_is_itself_the_file_stays_as_it_is(octets: bytes, name: str) -> None:
    attachment = one(octets, name)
    assert (attachment.content, attachment.wrapped, attachment.defect) == (octets, False, "")


def test_bytes_that_are_no_zip_are_no_defect_under_the_type_of_a_zip() -> None:
    assert one(PDF, "a.pdf").defect == ""


def test_a_zip_inside_the_zip_is_not_opened() -> None:
    attachment = one(a_zip(("a.zip", WRAPPED)))
    assert attachment.content == WRAPPED


def test_a_wrapped_file_of_no_bytes_is_empty() -> None:
    assert one(a_zip(("a.txt", b""))).defect == "attachment-empty"


# ZIP: what is refused.


@pytest.mark.parametrize(
    "octets",
    [
        WRAPPED[:-1],
        WRAPPED[:40],
        NO_ENTRY,
        b"PK\x03\x04",
        patched(WRAPPED, 40, b"\xff\xff\xff"),
        patched(WRAPPED, DIRECTORY + 16, b"\0\0\0\0"),
        patched(patched(WRAPPED, 6, b"\x01"), DIRECTORY + 8, b"\x01"),
        patched(patched(WRAPPED, 8, b"\x0c"), DIRECTORY + 10, b"\x0c"),
        a_zip(("thu-muc/", b"")),
    ],
    ids=["cut", "no-directory", "no-entry", "magic-only", "damaged", "wrong-crc", "encrypted", "bzip2", "a-folder"],
)
def test_a_zip_that_cannot_be_unwrapped_is_a_defect(octets: bytes) -> None:
    attachment = one(octets)
    assert (attachment.defect, attachment.content) == ("attachment-zip", octets)


def test_a_zip_in_which_two_readers_find_different_files_is_a_defect() -> None:
    hidden = a_zip(("khac.txt", b"Khac"))
    hidden = hidden[: hidden.index(b"PK\x01\x02")]
    end = WRAPPED.index(b"PK\x05\x06")
    moved = patched(WRAPPED, DIRECTORY + 42, struct.pack("<L", len(hidden)))
    moved = patched(moved, end + 16, struct.pack("<L", DIRECTORY + len(hidden)))
    assert one(hidden + moved).defect == "attachment-zip"  # a stream begins with khac.txt, the directory names 0f5c.txt
    assert one(patched(WRAPPED, 8, b"\x00")).defect == "attachment-zip"  # stored for one, deflated for the other
    assert one(patched(WRAPPED, 18, b"\x01")).defect == "attachment-zip"


@pytest.mark.parametrize(
    "path",
    ["/etc/a.txt", "../a.txt", "a/../../b.txt", "..", "C:a.txt", "c:\\a.txt", "\\a.txt", "a\\..\\..\\b.txt", "a/.."],
)
def test_an_entry_that_leads_out_of_its_folder_is_a_defect(path: str) -> None:
    assert one(a_zip((path, TEXT))).defect == "attachment-zip-path"
    assert one(a_zip(("a.txt", TEXT), (path, TEXT)), "ho-so.zip").defect == "attachment-zip-path"


def test_a_path_that_only_the_local_header_has_is_a_defect() -> None:
    assert one(patched(WRAPPED, 30, b"../c.txt")).defect == "attachment-zip-path"


@pytest.mark.parametrize("path", ["a..b.txt", "..a", "thu-muc/a.txt", "Công văn 15.txt", "..."])
def test_an_entry_inside_its_folder_is_none(path: str) -> None:
    assert one(a_zip((path, TEXT))).content == TEXT


def test_an_entry_declared_larger_than_the_limit_is_a_bomb() -> None:
    assert one(WRAPPED, limits=Limits(attachment=len(TEXT))).defect == ""
    assert one(WRAPPED, limits=Limits(attachment=len(TEXT) - 1)).defect == "attachment-zip-bomb"


def test_an_entry_that_declares_less_than_it_holds_is_never_unpacked_beyond_the_limit() -> None:
    lying = a_zip(("a.txt", bytes(64 * MEBIBYTE)))
    directory = lying.index(b"PK\x01\x02")
    lying = patched(patched(lying, 22, struct.pack("<L", 10)), directory + 24, struct.pack("<L", 10))
    tracemalloc.start()
    try:
        assert one(lying, limits=Limits(attachment=MEBIBYTE)).defect == "attachment-zip-bomb"
        assert tracemalloc.get_traced_memory()[1] < 4 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_more_than_ten_mebibytes_at_more_than_200_to_1_is_a_bomb() -> None:
    assert one(a_zip(("a.txt", bytes(10 * MEBIBYTE)))).defect == ""
    assert one(a_zip(("a.txt", bytes(10 * MEBIBYTE + 1)))).defect == "attachment-zip-bomb"


def test_a_directory_of_very_many_entries_is_a_bomb() -> None:
    assert one(a_zip(*((str(number), b"") for number in range(10_001))), "a.zip").defect == "attachment-zip-bomb"


def test_all_attachments_together_unwrap_to_four_times_the_packet_limit_at_most() -> None:
    element = attachment_element(a_zip(("a.txt", bytes(4000))))
    found = parts(*[element] * 6, limits=Limits(packet=4500))
    assert [a.defect for a in found] == ["", "", "", "", "attachment-zip-bomb", "attachment-zip-bomb"]


def test_attachments_beyond_the_number_allowed_are_not_unwrapped() -> None:
    found = parts(*[attachment_element(WRAPPED)] * 3, limits=Limits(attachments=2))
    assert [a.wrapped for a in found] == [True, True, False]


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(4, len(WRAPPED) - 1), st.integers(0, 255)), max_size=4), st.integers(5, len(WRAPPED))
)
def test_a_damaged_zip_gives_the_file_or_a_defect_and_never_another_file(
    changes: list[tuple[int, int]], length: int
) -> None:
    damaged = bytearray(WRAPPED)
    for offset, value in changes:
        damaged[offset] = value
    octets = bytes(damaged[:length])
    attachment = one(octets)
    assert attachment.octets == octets
    assert attachment.content == (TEXT if attachment.wrapped else octets)
