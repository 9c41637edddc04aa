"""The proof that a certificate's key is held: the text that is signed, and whose signature of it counts."""

from __future__ import annotations

import hashlib

import pytest
from builders.keys import a_certificate
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain.signature import is_proved, prove, statement


def test_the_statement_is_five_lines_with_none_after_the_last() -> None:
    _, certificate = a_certificate()
    printed = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    assert statement("he-thong-1", "H41", certificate, "mã-một-lần") == (
        f"lienthong certificate 1\nhe-thong-1\nH41\n{printed}\nmã-một-lần".encode()
    )
    assert statement("he-thong-1", "H41", certificate).endswith(f"{printed}\n".encode())


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_only_the_key_of_the_certificate_proves_and_only_this_text(kind: str) -> None:
    key, certificate = a_certificate("Tỉnh Nghệ An", kind)
    other, _ = a_certificate("Tỉnh Vĩnh Long", kind)
    text = statement("he-thong-1", "H41", certificate, "mã")
    assert is_proved(certificate, prove(key, text), text)
    assert not is_proved(certificate, prove(other, text), text)
    assert not is_proved(certificate, prove(key, text), statement("he-thong-2", "H41", certificate, "mã"))
    assert not is_proved(certificate, b"", text)
