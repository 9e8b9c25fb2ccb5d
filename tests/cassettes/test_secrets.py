"""Secrets of many kinds, planted wherever an exchange has a place for them, never reach a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cassettes import RecordedRequest, RecordedResponse, load_cassette
from harness.cassettes.cassette import Chunk, Timing
from harness.cassettes.credentials import scrubbed_url
from harness.cassettes.scrubbing import Scrubbing
from harness.cassettes.secrets import secrets_in
from harness.recording.recorder import Recorder

H = "a1B2c3D4e5F6a7B8c9D0"
"""What no secret of these has by chance."""

KEYS = {
    "anthropic": f"sk-ant-api03-{H}{H}",
    "anthropic admin": f"sk-ant-admin01-{H}",
    "openai project": f"sk-proj-{H}_{H}",
    "openai old": f"sk-{H}{H}",
    "openrouter": f"sk-or-v1-{H}",
    "groq": f"gsk_{H}{H}",
    "xai": f"xai-{H}{H}",
    "hugging face": f"hf_{H}{H}",
    "replicate": f"r8_{H}{H}",
    "fireworks": f"fw_{H}",
    "perplexity": f"pplx-{H}{H}",
    "nvidia": f"nvapi-{H}{H}",
    "google": f"AIzaSy{H}{H[:13]}",
    "google oauth": f"ya29.{H}{H}",
    "aws id": "AKIAIOSFODNN7EXAMPL3",
    "aws session id": "ASIAIOSFODNN7EXAMPL3",
    "github": f"ghp_{H}{H[:16]}",
    "github fine": f"github_pat_{H}_{H}",
    "github app": f"ghs_{H}{H[:16]}",
    "gitlab": f"glpat-{H}",
    "slack bot": f"xoxb-123456789012-{H}",
    "slack hook": f"https://hooks.slack.com/services/T0000/B0000/{H}",
    "discord hook": f"https://discord.com/api/webhooks/1234567890/{H}",
    "stripe": f"sk_live_{H}",
    "stripe restricted": f"rk_live_{H}",
    "webhook": f"whsec_{H}",
    "sendgrid": f"SG.{H}.{H}",
    "mailgun": "key-0123456789abcdef0123456789abcdef",
    "npm": f"npm_{H}{H[:16]}",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{H}",
    "langsmith": f"lsv2_pt_{H}_{H[:10]}",
    "shopify": f"shpat_{H}",
    "telegram": f"123456789:AA{H}{H[:15]}",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{H}",
    "azure storage": f"DefaultEndpointsProtocol=https;AccountKey={H}{H}==",
    "database": f"postgres://admin:{H}@db.internal:5432/x",
    "organisation": "org-a1B2c3D4e5F6a7B8c9D0e1F2",
    "project": "proj_a1B2c3D4e5F6a7B8c9D0",
    "workspace": "wrkspc_01a1B2c3D4e5F6a7B8c9D0",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{H}\n-----END RSA PRIVATE KEY-----",
    "bearer": f"Authorization: Bearer {H}",
    "basic": f"Authorization: Basic {base64.b64encode(H.encode()).decode()}",
    "cookie": f"Cookie: session={H}",
    "password": f"the password is {H}",
    "told": f"api_key={H}",
}

ORGANISATION = "0f1e2d3c-1111-2222-3333-a1b2c3d4e5f6"

HEADERS = (
    "authorization", "x-api-key", "api-key", "cookie", "set-cookie", "proxy-authorization", "x-goog-api-key", "x-auth-token",
    "x-amz-security-token", "openai-organization", "openai-project", "anthropic-organization-id", "anthropic-workspace-id",
    "x-csrf-token", "x-company-secret", "x-unheard-of",
)  # fmt: skip

QUERY = (
    "key",
    "api_key",
    "access_token",
    "token",
    "sig",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "client_secret",
    "password",
    "code_verifier",
)

FIELDS = (
    "password",
    "client_secret",
    "api_key",
    "apiKey",
    "access_token",
    "refresh_token",
    "secret",
    "aws_secret_access_key",
    "private_key",
    "session_id",
    "token",
    "auth",
    "key",
)


def core(secret: str) -> str:
    """The part of a secret that must not be found."""
    return H[:12] if H[:12] in secret else secret


def written(
    tmp_path: Path,
    request: RecordedRequest,
    response: RecordedResponse,
    scrubbing: Scrubbing | None = None,
) -> str:
    path = tmp_path / "secret.yaml"
    recorder = Recorder(path, lambda: 0.0, scrubbing)
    recorder.write(request, response, task="", agent="")
    load_cassette(path)
    return path.read_text(encoding="utf-8")


def ask(**fields: object) -> RecordedRequest:
    said: dict[str, object] = {
        "method": "POST",
        "url": "https://api.anthropic.com/v1/messages",
        **fields,
    }
    return RecordedRequest(**said)  # type: ignore[arg-type]  # of these tests


def answer(**fields: object) -> RecordedResponse:
    return RecordedResponse(status=200, **fields)  # type: ignore[arg-type]  # of these tests


def test_there_are_more_than_forty_kinds() -> None:
    assert len(KEYS) + len(HEADERS) + len(QUERY) + len(FIELDS) > 40


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("where", ["prompt", "reply", "stream", "text"])
def test_a_key_in_a_body_is_taken_out(kind: str, where: str, tmp_path: Path) -> None:
    secret = KEYS[kind]
    body = json.dumps(
        {"messages": [{"role": "user", "content": f"Use {secret} please"}], "n": 1}
    ).encode()
    request, response = ask(body=b'{"model": "m"}'), answer(body=b"{}")
    if where == "prompt":
        request = ask(body=body)
    elif where == "reply":
        response = answer(body=body)
    elif where == "stream":
        events = b"data: %s\n\ndata: [DONE]\n\n" % body
        timing = Timing(
            headers_s=0.1, chunks=(Chunk(0.1, 10), Chunk(0.2, len(events) - 10)), end_s=0.3
        )
        response = answer(body=events, timing=timing)
    else:
        response = answer(body=f"it is {secret}".encode())
    text = written(tmp_path, request, response)
    assert core(secret) not in text
    one = load_cassette(tmp_path / "secret.yaml").interactions[0]
    for left in (one.request.body, one.response.body.removeprefix(b"data: ").partition(b"\n\n")[0]):
        if left.startswith(b"{"):
            json.loads(left)  # what was JSON still is
    if one.response.timing is not None:
        assert sum(size for _, size in one.response.timing.chunks) in (0, len(one.response.body))


@pytest.mark.parametrize("name", HEADERS)
def test_only_headers_that_are_known_to_be_harmless_are_kept(name: str, tmp_path: Path) -> None:
    secret = f"zz{H}zz"
    text = written(
        tmp_path, ask(headers=((name, secret),)), answer(headers=((name.title(), secret),))
    )
    assert H not in text


@pytest.mark.parametrize("name", QUERY)
def test_a_credential_in_a_query_is_taken_out(name: str, tmp_path: Path) -> None:
    text = written(
        tmp_path, ask(url=f"https://x.test/v1/models?a=1&{name}={H}&b=2"), answer(body=b"{}")
    )
    assert H not in text
    assert "a=1" in text
    assert "b=2" in text


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_json_that_is_called_a_secret_is_emptied(name: str, tmp_path: Path) -> None:
    body = json.dumps({"a": {name: H}, "text": "stays"}).encode()
    text = written(tmp_path, ask(body=body), answer(body=body))
    assert H not in text
    assert text.count("stays") == 2


def test_name_and_password_in_a_url_are_taken_out() -> None:
    assert scrubbed_url(f"https://me:{H}@x.test/v1?q=1") == "https://x.test/v1?q=1"


def test_the_id_in_the_text_of_a_rate_limit_is_taken_out(tmp_path: Path) -> None:
    told = f"This request would exceed the rate limit for your organization ({ORGANISATION}) of 1,000 tokens"
    told += f"; organization of {ORGANISATION}; your organization {ORGANISATION}"
    assert ORGANISATION not in written(tmp_path, ask(), answer(body=told.encode()))


def test_a_credential_of_the_request_is_taken_out_wherever_it_stands(tmp_path: Path) -> None:
    plain = "correcthorsebatterystaple"  # it looks like nothing
    text = written(
        tmp_path,
        ask(
            headers=(("X-Api-Key", plain), ("user-agent", f"me/{plain}")),
            body=f'{{"x": "{plain}"}}'.encode(),
        ),
        answer(body=f"bad key {plain}".encode()),
    )
    assert plain not in text


def test_the_value_of_an_environment_variable_that_is_a_secret_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPANY_TOKEN", "plainwordsofourcompany")
    assert "plainwords" not in written(tmp_path, ask(body=b"plainwordsofourcompany"), answer())


def test_a_scrubber_of_ones_own_sees_every_text(tmp_path: Path) -> None:
    scrubbing = Scrubbing(scrubbers=(lambda text: text.replace("Jane Doe", "[name]"),))
    request = ask(
        url="https://x.test/Jane Doe", headers=(("user-agent", "Jane Doe"),), body=b"Jane Doe"
    )
    text = written(tmp_path, request, answer(body=b"of Jane Doe"), scrubbing)
    assert "Jane" not in text
    assert text.count("[name]") == 4


def test_prose_about_secrets_and_ordinary_fields_stay(tmp_path: Path) -> None:
    body = json.dumps(
        {
            "text": "The password is wrong. A token is a word. Set the api key. The key: value store. Basic training.",
            "max_tokens": 5, "key": "value", "prompt_cache_key": "cache-1", "token_count": "12", "id": "msg_01Abc", "task-force": "risk-free",
        }
    ).encode()  # fmt: skip
    written(tmp_path, ask(body=body), answer(body=body))
    one = load_cassette(tmp_path / "secret.yaml").interactions[0]
    assert one.request.body == one.response.body == body


@pytest.mark.parametrize("kind", KEYS)
def test_the_check_finds_what_others_have_left_in(kind: str) -> None:
    body = json.dumps({"content": KEYS[kind]}).encode()
    assert list(secrets_in(ask(body=body), answer()))
    assert list(secrets_in(ask(), answer(body=body)))


def test_the_check_takes_what_recorders_put_in_the_place_of_secrets() -> None:
    headers = (
        ("authorization", "AUTHORIZATION-XXX"),
        ("x-api-key", "**REDACTED**"),
        ("cookie", "[secret]"),
    )
    assert list(secrets_in(ask(headers=headers, body=b'{"api_key": "[secret]"}'), answer())) == []


def anthropic_events(pieces: list[str]) -> bytes:
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        for piece in pieces
    ]
    return b"".join(
        b"event: content_block_delta\ndata: %s\n\n" % json.dumps(delta).encode() for delta in deltas
    )


def openai_events(pieces: list[str]) -> bytes:
    chunks = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    return (
        b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks)
        + b"data: [DONE]\n\n"
    )


@pytest.mark.parametrize("kind", [kind for kind in KEYS if "\n" not in KEYS[kind]])
@pytest.mark.parametrize("events", [anthropic_events, openai_events])
def test_a_key_that_is_cut_into_the_events_of_a_stream_is_taken_out(
    kind: str, events: Callable[[list[str]], bytes], tmp_path: Path
) -> None:
    said = f"Use {KEYS[kind]} please"
    pieces = [said[place : place + 5] for place in range(0, len(said), 5)]
    stream = events(pieces)
    size = len(stream) // len(pieces)
    chunks = [Chunk(n / 10, size) for n in range(len(pieces))]
    timing = Timing(
        headers_s=0.0, chunks=(*chunks, Chunk(9.0, len(stream) - size * len(pieces))), end_s=9.0
    )
    written(tmp_path, ask(), answer(body=stream, timing=timing))
    one = load_cassette(tmp_path / "secret.yaml").interactions[0]
    data = [
        json.loads(line[6:])
        for line in one.response.body.decode().splitlines()
        if line.startswith("data: {")
    ]
    text = "".join(
        each["delta"]["text"] if "delta" in each else each["choices"][0]["delta"]["content"]
        for each in data
    )
    assert core(KEYS[kind]) not in text
    assert text.startswith("Use ")
    assert len(data) == len(pieces)
    assert one.response.timing is not None
    assert sum(chunk.size for chunk in one.response.timing.chunks) == len(one.response.body)


def test_a_scrubber_of_ones_own_sees_whole_texts_of_a_stream(tmp_path: Path) -> None:
    scrubbing = Scrubbing(scrubbers=(lambda text: text.replace("Jane Doe", "[name]"),))
    stream = anthropic_events(["It was Ja", "ne D", "oe who came, ", "Jane", " Doe."])
    written(tmp_path, ask(), answer(body=stream), scrubbing)
    one = load_cassette(tmp_path / "secret.yaml").interactions[0]
    assert b"Ja" not in one.response.body
    assert b"It was " in one.response.body


def test_a_stream_without_secrets_keeps_its_bytes(tmp_path: Path) -> None:
    stream = anthropic_events(["It is ", "fine, an", "d the token count is 12."])
    written(tmp_path, ask(), answer(body=stream))
    assert load_cassette(tmp_path / "secret.yaml").interactions[0].response.body == stream


def test_a_scrubber_that_fails_leaves_nothing_in_the_file_and_is_told(tmp_path: Path) -> None:
    def fail(text: str) -> str:
        raise RuntimeError("no rules")

    told: list[str] = []
    path = tmp_path / "secret.yaml"
    recorder = Recorder(path, lambda: 0.0, Scrubbing(scrubbers=(fail,)), tell=told.append)
    recorder.write(ask(body=b"x"), answer(body=b"y"), task="")
    assert not path.exists()
    assert len(told) == 1
    assert "no rules" in told[0]
