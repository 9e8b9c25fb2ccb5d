"""Every operation of the SDK is simulated or refused by name."""

from __future__ import annotations

import pytest

from harness.wire.gemini.operations import REFUSED, SIMULATED
from tests.wire.operations_page import operation
from tests.wire.sdk_operations import operations_of

pytest.importorskip("google.genai", reason="google-genai is not installed")


def test_every_operation_of_the_sdk_has_been_looked_at() -> None:
    known = {*SIMULATED, *REFUSED}
    new = [str(one) for one in map(operation, operations_of("gemini")) if one not in known]
    assert new == [], "simulate each, or list it as refused in harness/wire/gemini/operations.py"
