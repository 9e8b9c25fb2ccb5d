"""Which errors are worth asking again for: as the SDKs decide it (anthropic/_base_client.py, `_should_retry`)."""

from __future__ import annotations

import copy
import pickle

import pytest

from harness.models import MALFORMED_REPLY, ModelError, error_name


@pytest.mark.parametrize(
    ("status", "is_retryable"),
    [
        (None, True),
        *[(status, False) for status in (200, 400, 401, 402, 403, 404, 412, 413, 422, 499)],
        *[(status, True) for status in (408, 409, 429, 500, 501, 503, 504, 529)],
    ],
)
def test_status_decides_whether_to_ask_again(status: int | None, is_retryable: bool) -> None:
    assert ModelError("some_error", status, "words").is_retryable is is_retryable


@pytest.mark.parametrize("status", [None, 200, 500])
def test_reply_that_cannot_be_parsed_is_not_asked_for_again(status: int | None) -> None:
    assert not ModelError(MALFORMED_REPLY, status, "words").is_retryable


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ModelError("overloaded_error", 529, "Overloaded"), "529 overloaded_error: Overloaded"),
        (ModelError("connection_error", None, "gone"), "no answer connection_error: gone"),
        (ModelError("api_error", 500, ""), "500 api_error"),
    ],
)
def test_error_reads_as_status_type_and_words(error: ModelError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ModelError("api_error", 500, "x"), "api_error"),
        (TimeoutError(), "timeout"),
        (ValueError("x"), "ValueError"),
    ],
)
def test_name_of_a_failure_is_the_type_of_the_api_or_of_the_class(
    error: Exception, name: str
) -> None:
    assert error_name(error) == name


def test_error_survives_copy_and_pickle() -> None:
    error = ModelError("rate_limit_error", 429, "slow down", 7.0)
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (twin.error, twin.status, twin.message, twin.retry_after_s) == error.args
        assert str(twin) == str(error)
