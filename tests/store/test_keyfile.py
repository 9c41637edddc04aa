"""The key file: made once, never replaced behind the operator's back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from hub.errors import Refusal
from hub.store.keyfile import open_vault


def test_a_key_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    sealed = open_vault(path, make=True).encrypt(b"secret")
    assert path.stat().st_mode & 0o777 == 0o600
    for make in (True, False):
        assert open_vault(path, make=make).decrypt(sealed) == b"secret"
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.key"]


def test_who_comes_at_the_same_time_gets_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    with ThreadPoolExecutor(8) as pool:
        vaults = list(pool.map(lambda _: open_vault(path, make=True), range(8)))
    sealed = vaults[0].encrypt(b"secret")
    assert [vault.decrypt(sealed) for vault in vaults] == [b"secret"] * 8


def test_a_lost_key_is_not_replaced_by_one_that_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    with pytest.raises(Refusal, match=r"^key-file-lost") as refused:
        open_vault(path, make=False)
    assert str(path) in refused.value.en
    assert "restore it from the backup" in refused.value.repair
    assert not path.exists()


def test_a_key_made_by_hand_with_a_line_end_is_one(tmp_path: Path) -> None:
    """As the repair for a key that is in no backup says."""
    path = tmp_path / "secrets.key"
    path.write_bytes(Fernet.generate_key() + b"\n")
    vault = open_vault(path, make=False)
    assert vault.decrypt(vault.encrypt(b"secret")) == b"secret"


@pytest.mark.parametrize("content", [b"", b"junk", "không phải khóa".encode(), b"A" * 40])
def test_a_damaged_key_is_told_by_its_file_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secrets.key"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=r"^key-file-unusable") as refused:
        open_vault(path, make=True)
    assert f"{path} cannot be used: it does not hold 32 bytes" in refused.value.en
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_read_or_made_is_told_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "secrets.key").mkdir()
    for path, why in (
        (tmp_path / "secrets.key", "Is a directory"),
        (tmp_path / "none" / "secrets.key", "No such file"),
    ):
        with pytest.raises(Refusal, match=r"^key-file-unusable") as refused:
            open_vault(path, make=True)
        assert f"{path} cannot be used: {why}" in refused.value.en
