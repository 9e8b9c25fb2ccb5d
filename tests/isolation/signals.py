"""Ways of the group: signals."""

from __future__ import annotations

from tests.isolation.way import Way

WAYS: tuple[Way, ...] = ()
