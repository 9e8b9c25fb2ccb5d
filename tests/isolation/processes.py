"""Ways of the group: processes."""

from __future__ import annotations

from tests.isolation.way import Way

WAYS: tuple[Way, ...] = ()
