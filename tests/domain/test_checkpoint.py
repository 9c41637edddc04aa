"""What the log signs: one spelling, known answers, every change found (C2SP tlog-checkpoint, signed-note)."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from builders.trees import mth, some_entries
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.checkpoint import (
    MAX_NOTE,
    Checkpoint,
    CheckpointError,
    SigningKey,
    VerifierKey,
    open_note,
    read,
    sign,
    sign_note,
    verifier_key,
    verify,
)
from hub.domain.merkle import EMPTY_ROOT, MAX_SIZE

ORIGIN = "truc.example.vn/nhat-ky"


def a_key(seed: int, name: str = ORIGIN) -> SigningKey:
    return SigningKey(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


LOG, WITNESS, STRANGER = a_key(1), a_key(2, "nhan-chung.example.vn"), a_key(3, "la.example.vn")
HEAD = Checkpoint(ORIGIN, 20_852_163, mth(some_entries(5)))
NOTE = sign(HEAD, [LOG])


def signature_line(key: SigningKey, text: str) -> str:
    return sign_note(text, [key]).decode().removeprefix(f"{text}\n")


# The example of the Go implementation of notes: key pair, text and signature.
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_PRIVATE = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
GO_NOTE = f"{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n".encode()


def test_the_known_note_is_signed_and_opened_byte_for_byte() -> None:
    key = SigningKey("PeterNeumann", Ed25519PrivateKey.from_private_bytes(b64decode(GO_PRIVATE)[1:]))
    assert key.verifier.text == GO_PUBLIC
    assert verifier_key(GO_PUBLIC) == key.verifier
    assert sign_note(GO_TEXT, [key]) == GO_NOTE
    assert open_note(GO_NOTE, [verifier_key(GO_PUBLIC)]) == GO_TEXT


def test_the_text_of_a_checkpoint_is_that_of_the_specification() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = read(text)
    assert (checkpoint.origin, checkpoint.size, len(checkpoint.root)) == ("example.com/behind-the-sofa", 20852163, 32)
    assert checkpoint.text == text


def test_a_signed_checkpoint_is_read_back() -> None:
    assert verify(NOTE, [LOG.verifier], ORIGIN) == HEAD
    assert NOTE.decode().splitlines() == [
        ORIGIN,
        "20852163",
        b64encode(HEAD.root).decode(),
        "",
        f"— {ORIGIN} {b64encode(LOG.verifier.id + LOG.private.sign(HEAD.text.encode())).decode()}",
    ]


LINES = st.text(st.characters(codec="utf-8", min_codepoint=0x20), min_size=1, max_size=30)
HEADS = st.builds(
    Checkpoint, LINES, st.integers(0, MAX_SIZE), st.binary(min_size=32, max_size=32), st.lists(LINES).map(tuple)
)


@given(HEADS)
def test_any_checkpoint_is_read_as_it_was_written(head: Checkpoint) -> None:
    assert read(head.text) == head
    assert verify(sign(head, [LOG, WITNESS]), [WITNESS.verifier], head.origin) == head


def test_an_empty_log_has_a_checkpoint() -> None:
    head = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert head.text == f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert read(head.text) == head


def test_every_changed_bit_of_a_note_is_found() -> None:
    for at in range(len(NOTE)):
        for bit in range(8):
            changed = bytearray(NOTE)
            changed[at] ^= 1 << bit
            with pytest.raises(CheckpointError):
                verify(bytes(changed), [LOG.verifier], ORIGIN)


def test_every_missing_or_added_byte_of_a_note_is_found() -> None:
    for at in range(len(NOTE) + 1):
        for changed in (NOTE[:at], NOTE[:at] + NOTE[at + 1 :], *(NOTE[:at] + one + NOTE[at:] for one in (b"\n", b" "))):
            if changed != NOTE:
                with pytest.raises(CheckpointError):
                    verify(changed, [LOG.verifier], ORIGIN)


def test_signatures_of_unknown_keys_are_skipped() -> None:
    note = sign(HEAD, [STRANGER, LOG, WITNESS])
    assert verify(note, [LOG.verifier], ORIGIN) == HEAD
    assert verify(note, [WITNESS.verifier, LOG.verifier], ORIGIN) == HEAD
    with pytest.raises(CheckpointError, match="no known key"):
        verify(note, [a_key(9).verifier], ORIGIN)
    with pytest.raises(CheckpointError, match="no known key"):
        verify(note, [], ORIGIN)


def test_sixteen_signatures_of_any_length_are_accepted() -> None:
    """A note may carry other kinds of signature, the longest now known near 5,000 bytes."""
    other = "".join(f"— la{n}.example.vn {b64encode(bytes(5000)).decode()}\n" for n in range(15))
    assert verify(NOTE + other.encode(), [LOG.verifier], ORIGIN) == HEAD


def test_a_log_signs_with_its_old_and_its_new_key_while_it_changes_them() -> None:
    old, new = a_key(1), a_key(4)
    note = sign(HEAD, [old, new])
    for key in (old, new):
        assert verify(note, [key.verifier], ORIGIN) == HEAD


def test_one_wrong_signature_of_a_known_key_refuses_the_note() -> None:
    wrong = signature_line(WITNESS, "another text\n")
    note = NOTE + wrong.encode()
    assert verify(note, [LOG.verifier], ORIGIN) == HEAD
    with pytest.raises(CheckpointError, match=r"signature of nhan-chung\.example\.vn is wrong"):
        verify(note, [LOG.verifier, WITNESS.verifier], ORIGIN)


def test_a_key_of_the_same_id_and_another_name_is_another_key() -> None:
    line = signature_line(LOG, HEAD.text).replace(ORIGIN, "la.example.vn")
    with pytest.raises(CheckpointError, match="no known key"):
        verify(f"{HEAD.text}\n{line}".encode(), [LOG.verifier], ORIGIN)


def test_a_checkpoint_of_another_log_under_the_same_key_is_refused() -> None:
    other = Checkpoint("truc.example.vn/khac", HEAD.size, HEAD.root)
    with pytest.raises(CheckpointError, match=r"truc\.example\.vn/khac"):
        verify(sign(other, [LOG]), [LOG.verifier], ORIGIN)


ROOT = b64encode(HEAD.root).decode()


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "a\n", "a\n1\n", f"a\n1\n{ROOT}", f"\n1\n{ROOT}\n", f"a\n\n{ROOT}\n", "a\n1\n\n"),
        *(
            f"a\n{size}\n{ROOT}\n"
            for size in ("01", "00", "+1", "-1", " 1", "1 ", "1_0", "0x1", "١", "1١", "1.0", "1e3")
        ),
        *(f"a\n{size}\n{ROOT}\n" for size in (MAX_SIZE + 1, "9" * 13, "9" * 5000)),
        *(f"a\n1\n{root}\n" for root in (ROOT[:-1], ROOT + "=", f" {ROOT}", ROOT[:8] + "\r" + ROOT[8:], "AAAA")),
        *(
            f"a\n1\n{root}\n"
            for root in ("A" * 42 + "B=", "-" + "A" * 42 + "=", "é" * 44, b64encode(bytes(33)).decode())
        ),
        *(f"a\n1\n{ROOT}\n{rest}" for rest in ("\n", "x", "x\n\n", "\nx\n", "x\ty\n", "x\0\n", "x\r\n", "\ud800\n")),
        *(f"a\r\n1\r\n{ROOT}\r\n", f"a\x1f\n1\n{ROOT}\n"),
    ],
)
def test_a_checkpoint_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        read(text)


def test_a_signed_text_that_is_no_checkpoint_is_refused() -> None:
    for text in ("a\n1\n", f"a\n01\n{ROOT}\n", f"a\n1\n{ROOT}\n\n", f"a\n1\n\n{ROOT}\n"):
        note = sign_note(text, [LOG])
        assert open_note(note, [LOG.verifier]) == text
        with pytest.raises(CheckpointError):
            verify(note, [LOG.verifier], "a")


SIGNED = NOTE.decode().splitlines()[-1]


@pytest.mark.parametrize(
    "lines",
    [
        *("", "\n", f"\n{SIGNED}\n", f"{SIGNED}", f"{SIGNED}\n\n", f"{SIGNED}\nx\n", f"{SIGNED}\n—\n"),
        *(f"{SIGNED} \n", f" {SIGNED}\n", f"{SIGNED}\r\n", SIGNED.replace("—", "-") + "\n"),
        *(SIGNED.replace(" ", "  ", 1) + "\n", SIGNED.replace(" ", "\u00a0", 1) + "\n", SIGNED[:-1] + "\n"),
        *(f"{SIGNED}\n— a+b AAAAAAA=\n", f"{SIGNED}\n— a\u2003b AAAAAAA=\n", f"{SIGNED}\n—  AAAAAAA=\n"),
        *(f"{SIGNED}\n— a AAAAAA==\n", f"{SIGNED}\n— a AAAAAAB=\n", f"{SIGNED}\n— a AAAAAAA\n", f"{SIGNED}\n— a\n"),
    ],
)
def test_a_note_in_another_form_is_refused(lines: str) -> None:
    assert open_note(f"{HEAD.text}\n{SIGNED}\n".encode(), [LOG.verifier]) == HEAD.text
    with pytest.raises(CheckpointError):
        verify(f"{HEAD.text}\n{lines}".encode(), [LOG.verifier], ORIGIN)


def test_a_note_that_is_too_long_or_no_text_is_refused() -> None:
    with pytest.raises(CheckpointError, match="above"):
        verify(NOTE + bytes(MAX_NOTE), [LOG.verifier], ORIGIN)
    for changed in (b"\xff" + NOTE, "\ufeff".encode() + NOTE, NOTE.decode().encode("utf-16")):
        with pytest.raises(CheckpointError):
            verify(changed, [LOG.verifier], ORIGIN)


@pytest.mark.parametrize("text", ["", "a", "a\tb\n", "a\r\n", "\ud800\n"])
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(CheckpointError):
        sign_note(text, [LOG])


@pytest.mark.parametrize("text", ["a\tb\n", "a\r\n", "a\0\n"])
def test_a_signed_text_with_control_characters_is_not_opened(text: str) -> None:
    signature = b64encode(LOG.verifier.id + LOG.private.sign(text.encode())).decode()
    with pytest.raises(CheckpointError, match="control characters"):
        open_note(f"{text}\n— {ORIGIN} {signature}\n".encode(), [LOG.verifier])


def test_signatures_alone_are_no_note() -> None:
    note = sign_note("\n", [LOG])
    assert open_note(note, [LOG.verifier]) == "\n"
    for cut in (note[1:], note[2:]):
        with pytest.raises(CheckpointError, match=r"empty line|signature line"):
            open_note(cut, [LOG.verifier])


def test_a_note_without_a_key_is_not_made() -> None:
    with pytest.raises(CheckpointError, match="at least one"):
        sign(HEAD, [])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u3000b", "a\nb", "a\0b", "\ud800"])
def test_a_name_that_a_signature_line_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(CheckpointError):
        VerifierKey(name, bytes(32))
    with pytest.raises(CheckpointError):
        sign(HEAD, [a_key(1, name)])


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["a", ORIGIN, "nhật-ký.example.vn", "—"]))
def test_a_verifier_key_is_read_as_it_was_written(public: bytes, name: str) -> None:
    key = VerifierKey(name, public)
    assert verifier_key(key.text) == key


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(CheckpointError, match="32 bytes"):
        VerifierKey(ORIGIN, bytes(length))


NAME, ID, KEY = GO_PUBLIC.split("+", 2)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a+b", "++", f"{NAME}+{ID}", f"{NAME}+{ID}+", f"+{ID}+{KEY}", f"{NAME}{ID}+{KEY}"),
        *(f"{NAME}+{ID.upper()}+{KEY}", f"{NAME}+c74f20a4+{KEY}", f"{NAME}+0{ID}+{KEY}", f"Neumann+{ID}+{KEY}"),
        *(f"{NAME}+{ID}+{KEY}\n", f" {GO_PUBLIC}", f"{NAME}+{ID}+{KEY[:-4]}", f"{NAME}+{ID}+{KEY}AAAA"),
        f"{NAME}+{ID}+{b64encode(bytes([4]) + b64decode(KEY)[1:]).decode()}",
    ],
)
def test_a_verifier_key_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        verifier_key(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, bytes(32), ()),
        ("a\nb", 1, bytes(32), ()),
        ("a", -1, bytes(32), ()),
        ("a", MAX_SIZE + 1, bytes(32), ()),
        ("a", 1, bytes(31), ()),
        ("a", 1, bytes(32), ("",)),
        ("a", 1, bytes(32), ("x", "y\nz")),
    ],
)
def test_a_checkpoint_that_cannot_be_written_is_not_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint(origin, size, root, extensions)
