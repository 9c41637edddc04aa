"""Settings: where they come from, and that none that is wrong passes in silence."""

from __future__ import annotations

import pytest

from hub.settings import SettingsError, read_settings


def faults(options: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read_settings(options or {})
    return str(refused.value).splitlines()


def test_an_option_wins_over_a_variable_and_a_variable_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PORT", "8001")
    monkeypatch.setenv("HUB_HOST", "localhost")
    found = read_settings({"port": 8002})
    assert (found.port, found.host, found.number_taken) == (8002, "localhost", "refuse")


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """`HUB_PORT=` used to be refused as no number."""
    for name in ("HUB_PORT", "HUB_DATA_DIR", "HUB_NUMBER_TAKEN", "HUB_DATABASE_URL"):
        monkeypatch.setenv(name, "")
    assert read_settings({}) == read_settings({"port": 8000, "data_dir": "var", "number_taken": "refuse"})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HUB_NUMBER_TAKEN", "reject", "Input should be 'refuse' or 'flag'"),
        ("HUB_DATABASE_URL", "mysql://hub:bí-mật@localhost/hub", "only sqlite:///FILE and postgresql://USER@HOST"),
        ("HUB_DATABASE_URL", "hub.db", "only sqlite:///FILE and postgresql://USER@HOST"),
        ("HUB_DATABASE_URL", "sqlite://", "only sqlite:///FILE"),
        ("HUB_DATABASE_URL", "sqlite:///:memory:", "only sqlite:///FILE"),
        ("HUB_PAYLOADS_URL", "s3://kho/trục", "only file:///FOLDER and s3://BUCKET/PREFIX are taken"),
        ("HUB_PAYLOADS_URL", "file://var/payloads", "only file:///FOLDER and s3://BUCKET/PREFIX are taken"),
        (
            "HUB_PAYLOADS_URL",
            "s3://kho/truc",
            "s3:// needs HUB_S3_ENDPOINT, HUB_S3_ACCESS_KEY, HUB_S3_SECRET_KEY too",
        ),
        ("HUB_S3_ENDPOINT", "127.0.0.1:8333", "match pattern '^(https?://.+)?$'"),
        ("HUB_LOG_TSA_URL", "tsa.example.vn", "match pattern '^(https?://.+)?$'"),
        ("HUB_TRUSTED_PROXIES", "10.0.0.0/8,nginx", "'nginx' does not appear to be an IPv4 or IPv6 network"),
        ("HUB_TRUSTED_PROXIES", "10.0.0.1/8", "has host bits set"),
        ("HUB_LOG_ORIGIN", "https://hub.example.vn/so", "a host name and a path, without a scheme"),
        ("HUB_LOG_ORIGIN", "truc vidu", "a host name and a path, without a scheme"),
        ("HUB_PORT", "65536", "less than or equal to 65535"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    (fault,) = faults()
    assert fault.startswith(f"{name}: ")
    assert told in fault
    assert "bí-mật" not in fault


def test_a_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_S3_SECRET_KEY", "bí-mật")
    assert "bí-mật" not in f"{read_settings({})!r} {read_settings({})}"


@pytest.mark.parametrize("url", ["sqlite:////srv/hub.db", "sqlite:///hub.db", "postgresql://hub@127.0.0.1/hub"])
def test_what_is_taken_for_a_database_is_taken(url: str) -> None:
    assert read_settings({"database_url": url}).database == url


def test_a_wrong_option_is_told_by_its_own_name() -> None:
    assert [fault.split(":")[0] for fault in faults({"port": 65536, "database_url": "x"})] == [
        "--database-url",
        "--port",
    ]


@pytest.mark.parametrize(
    ("name", "meant"), [("HUB_DATABSE_URL", "; HUB_DATABASE_URL?"), ("HUB_DATADIR", "; HUB_DATA_DIR?"), ("HUB_ZZZ", "")]
)
def test_a_setting_nobody_reads_is_refused_with_the_nearest_there_is(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    """A misspelt HUB_DATABASE_URL used to start a hub on another database."""
    monkeypatch.setenv(name, "1")
    assert faults() == [f"{name}: there is no such setting{meant}"]


def test_everything_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PROT", "8000")
    monkeypatch.setenv("HUB_BODY_TIMEOUT", "-1")
    assert [fault.split(":")[0] for fault in faults({"port": 65536})] == ["HUB_PROT", "--port", "HUB_BODY_TIMEOUT"]
