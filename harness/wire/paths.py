"""Where an API's paths begin: clients put a base path before them, which differs from provider to provider.

The base path is the path of the URL that an SDK is given: `/v1` at OpenAI, nothing at Anthropic, `/openai/v1` at Groq.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Paths(NamedTuple):
    """The paths of an API."""

    base: str
    """The base path at the API's own hosts."""
    endpoints: re.Pattern[str]
    """Finds the path of an endpoint behind any base path."""

    def base_of(self, path: str, stated: Sequence[str] | None) -> str | None:
        """The base path of a request.

        Args:
            path: The whole path.
            stated: The base paths there are; None means any.

        Returns:
            The base path, or None if the path is that of no endpoint behind any of them.
        """
        if stated is None:
            found = self.endpoints.search(path)
            return None if found is None else path[: found.start()]
        fits = [base for base in stated if path.startswith(f"{base}/")]
        return max(fits, key=len) if fits else None


def base_path(text: str) -> str:
    """A base path as it is compared: with a slash before it and none behind; empty for the root."""
    inner = text.strip("/")
    return f"/{inner}" if inner else ""
