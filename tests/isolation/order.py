"""Ways of the group: order."""

from __future__ import annotations

from tests.isolation.way import Way

WAYS: tuple[Way, ...] = ()
