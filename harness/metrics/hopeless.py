"""Errors that a retry of the same request cannot solve, and how to correct the request."""

from __future__ import annotations

from typing import Final

_MAY_PASS: Final = frozenset({408, 409, 425, 429})
"""What a client may repeat among the client's errors (RFC 9110, section 15.5; RFC 8470); the SDKs retry no others."""

_CLIENT_ERRORS: Final = range(400, 500)

_CORRECT: Final = {
    401: "the API key is missing, wrong or revoked; set the right one",
    402: "the account has no credit; check its billing",
    403: "the API key may not do this; use a key that is permitted, or ask for the permission",
    404: "there is no such model or path; correct its name or the base URL",
    413: "the request is too large; send less in it",
}


def never_passes(status: int) -> bool:
    """Whether a retry of the same request will fail in the same way."""
    return status in _CLIENT_ERRORS and status not in _MAY_PASS


def what_to_correct(status: int) -> str:
    """Advice for a status that retries do not solve; empty for a status that may pass."""
    if not never_passes(status):
        return ""
    why = _CORRECT.get(status, "the request is wrong; correct it as the error's message says")
    return (
        f"More attempts will not help: {why}. Let the error propagate to code that can handle it."
    )
