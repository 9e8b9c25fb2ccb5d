"""The call that a policy wraps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.models import Reply, Request

Call = Callable[[Request], Awaitable[Reply]]
"""Answers a request, or raises one of `CALL_ERRORS`. A policy takes a call and gives a call."""
