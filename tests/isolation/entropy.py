"""Ways of the group: entropy."""

from __future__ import annotations

from tests.isolation.way import Way

WAYS: tuple[Way, ...] = ()
