"""What is shown of an error in the user's code."""

from __future__ import annotations

import json

import pytest

from harness.virtual.tracebacks import told


def shown(error: Exception) -> str:
    try:
        raise error
    except Exception as raised:  # noqa: BLE001 - any
        return told(raised)


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-api03-abcdefghijklmnop", "sk-proj-AbCd1234efgh5678", "ghp_abcdefghijklmnopqrst",
        "AIzaSyA1234567890abcdefg", "AKIAABCDEFGHIJKLMNOP", "xoxb-123456789012-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)  # fmt: skip
def test_keys_are_never_shown(secret: str) -> None:
    text = shown(ValueError(f"Incorrect API key provided: {secret}."))
    assert secret[8:] not in text
    assert "Incorrect API key provided: [secret]" in text


def test_passwords_in_addresses_bearers_and_the_environment_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_DB_PASSWORD", "correct horse")
    text = shown(ValueError("postgres://me:hunter2@host/db, Bearer abc.def-123, correct horse"))
    for secret in ("hunter2", "abc.def-123", "correct horse"):
        assert secret not in text
    assert "postgres://[secret]@host/db" in text


def test_words_that_begin_as_keys_do_are_shown() -> None:
    assert "skill_builder, hfiles_of_the_user" in shown(
        ValueError("skill_builder, hfiles_of_the_user")
    )


def test_long_messages_and_addresses_are_cut() -> None:
    assert len(shown(ValueError("x" * 100_000))) < 2_100
    assert "0x..." in shown(ValueError("<object at 0x7f0011223344>"))


def test_only_causes_with_frames_of_the_user_are_shown() -> None:
    def fails() -> None:
        try:
            json.loads("no json")
        except ValueError as error:
            raise RuntimeError("no answer") from error

    with pytest.raises(RuntimeError) as raised:
        fails()
    text = told(raised.value)
    assert "RuntimeError: no answer" in text
    assert "direct cause" in text
    assert "raw_decode" not in text
