"""No rule has anything to say of programs that do everything well."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterator

import pytest

from tests.findings.healthy import Program

BATCH = 50


@pytest.fixture(autouse=True, scope="module")
def one_tls_context() -> Iterator[None]:
    """All clients share a TLS context, which nobody uses: making one takes longer than a simulated call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "unused")
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.mark.parametrize("first", range(0, 300, BATCH))
def test_healthy_programs_have_no_findings(first: int) -> None:
    found = {
        (seed, tuple(step.__name__ for step in program.steps)): list(map(str, findings))
        for seed in range(first, first + BATCH)
        if (findings := (program := Program(seed)).run())
    }
    assert found == {}
