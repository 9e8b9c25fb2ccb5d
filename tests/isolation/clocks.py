"""Ways of the group: clocks."""

from __future__ import annotations

from tests.isolation.way import Way

WAYS: tuple[Way, ...] = ()
