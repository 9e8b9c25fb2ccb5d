"""`harness cassette check`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cli import run as harness

KEY = "sk-ant-api03-a1B2c3D4e5F6a7B8c9D0"

TEXT = """
version: 1
interactions:
- request: {method: POST, uri: 'https://api.anthropic.com/v1/messages', headers: {HEADERS}, body: '{"model": "claude-sonnet-5"}'}
  response:
    status: {code: 200, message: OK}
    headers: {date: ['Thu, 01 Jan 2026 00:00:00 GMT'], x-envoy-upstream-service-time: ['812']}
    body: {string: '{"type": "message", "model": "claude-sonnet-5-20260101", "content": [], "note": "BODY"}'}
"""


def written(tmp_path: Path, headers: str = "", body: str = "") -> str:
    path = tmp_path / "x.yaml"
    path.write_text(TEXT.replace("HEADERS", headers).replace("BODY", body), encoding="utf-8")
    return str(path)


def test_it_tells_age_models_and_where_times_are_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harness(["cassette", "check", written(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "1 interaction, " in out
    assert "days old" in out
    assert "claude-sonnet-5 (answered by claude-sonnet-5-20260101): 1 call" in out
    assert "times from: x-envoy-upstream-service-time (1)" in out


@pytest.mark.parametrize(
    ("headers", "body", "place"),
    [
        (f"x-api-key: [{KEY}]", "", "the header 'x-api-key' of its request"),
        ("authorization: [Bearer abcdefgh]", "", "the header 'authorization' of its request"),
        ("cookie: [session=1]", "", "the header 'cookie' of its request"),
        ("", KEY, "the body of its response"),
    ],
)
def test_it_refuses_a_secret_and_names_its_place_without_showing_it(
    headers: str, body: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harness(["cassette", "check", written(tmp_path, headers, body)]) == 1
    told = capsys.readouterr()
    assert f"interaction 1: there is a secret in {place}" in told.err
    assert KEY not in told.err + told.out


def test_it_refuses_what_is_too_old(tmp_path: Path) -> None:
    assert harness(["cassette", "check", "--max-age-days", "1", written(tmp_path)]) == 1


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path)
    assert harness(["cassette", "check", str(tmp_path / "none.yaml"), good]) == 2
    told = capsys.readouterr()
    assert "none.yaml: cannot read the cassette" in told.err
    assert "1 interaction, " in told.out


CASSETTES = Path(os.environ.get("HARNESS_DATA", "no-data"), "cassettes")


@pytest.mark.skipif(not CASSETTES.is_dir(), reason="HARNESS_DATA does not hold the cassettes")
def test_of_recordings_that_others_have_cleaned_only_cookies_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [str(path) for path in sorted(CASSETTES.glob("*/*.yaml"))]
    assert harness(["cassette", "check", *files]) == 1
    found = [line for line in capsys.readouterr().err.splitlines() if "there is a secret" in line]
    assert found
    assert all("cookie" in line.lower() for line in found)
