"""Secrets are taken out of texts."""

from __future__ import annotations

import pytest

from harness import wall
from harness.environment import provided_environment
from harness.scrub import scrubbed, without_secrets

SECRETS = {
    "sk-ant-api03-abcdefghijkl": "use sk-ant-api03-abcdefghijkl for it",
    "AKIAIOSFODNN7EXAMPLE": "id AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1.eyJzdWIi.c2ln": "jwt eyJhbGciOiJIUzI1.eyJzdWIi.c2ln",
    "abcdefghijk": "Authorization: Bearer abcdefghijk",
    "dXNlcjpwYXNzd29yZA==": "Authorization: Basic dXNlcjpwYXNzd29yZA==",
    "sid=4711": "GET /\nCookie: sid=4711; theme=dark\nHost: x",
    "id=4712": '{"Set-Cookie": "id=4712; HttpOnly"}',
    "hunter2": "my password is hunter2",
    "correct horse": 'DB_PASSWORD="correct horse"',
    "abcd-1234": '{"api_key": "abcd-1234"}',
    "efgh-5678": '{\\"client_secret\\": \\"efgh-5678\\"}',
    "tok123456": "https://x.y/z?access_token=tok123456&a=b",
    "letmein": "postgres://me:letmein@db/app",
    "MIIEvQ": "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQ\n-----END RSA PRIVATE KEY-----",
    "MIIEvR": "-----BEGIN PRIVATE KEY-----\nMIIEvR and no end",
}


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_or_is_called_a_secret_is_removed(secret: str) -> None:
    text = scrubbed(SECRETS[secret])
    assert secret not in text
    assert "[secret]" in text


@pytest.mark.parametrize(
    "text",
    [
        "Facts about solar power: 3 cents a kWh.",
        "max_tokens=4096, tokens: 12345",
        "The key question is cost. Passwords are a topic.",
        "Look at https://example.com/a?b=c and write to me@example.com",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert scrubbed(text) == text


def test_values_of_secret_variables_are_removed_also_while_they_are_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "blue-elephant")
    monkeypatch.setenv("ACME_API_KEY_OLD", "blue-elephant-2019")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "green-elephant")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "red-elephant")
    told = "blue-elephant-2019 blue-elephant green-elephant red-elephant"
    assert without_secrets(told) == "[secret] [secret] [secret] [secret]"
    with provided_environment():
        assert without_secrets(told) == "[secret] [secret] [secret] [secret]"


@pytest.mark.parametrize(
    "part",
    ["x", "password ", "secret=", 'token="', "cookie:'", "-----BEGIN ", "bearer ", "a_", " ", "://a:", "eyJ"],
)  # fmt: skip
def test_long_texts_take_time_in_proportion_to_their_length(part: str) -> None:
    began_s = wall.elapsed_s()
    scrubbed(part * (200_000 // len(part)))
    assert wall.elapsed_s() - began_s < 5
