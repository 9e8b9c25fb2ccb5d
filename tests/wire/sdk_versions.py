"""Which SDKs are installed: the newest, or the oldest in wide use in an environment of their own (`make test-oldest-sdks`)."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version

import anthropic
import pytest

HTTPX: str = anthropic.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0]
"""The HTTP client that the SDKs are made on: httpx, or its successor."""

HTTPCORE = HTTPX.replace("httpx", "httpcore")
"""The library below it."""

httpx_of_sdks = import_module(HTTPX)
"""The module of that name."""


def since(sdk: str, major: int, why: str) -> pytest.MarkDecorator:
    """Skip a test with an SDK of an older major version.

    Args:
        sdk: Its package.
        major: The first major version that the test is for.
        why: What older ones do, after the name of the SDK and its version.
    """
    installed = version(sdk)
    older = int(installed.split(".")[0]) < major
    return pytest.mark.skipif(older, reason=f"{sdk} {installed} {why}")


BY_AIOHTTP = since("anthropic", 1, "is made on httpx alone")
