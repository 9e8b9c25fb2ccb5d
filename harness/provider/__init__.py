"""The provider: a SimPy model of an LLM provider.

Read `service.py` first; then refusals (`limits.py`, `overload.py`), time (`latency.py`) and cost
(`prices.py`). The provider decides when a reply comes, and whether; it does not know its content.
"""

from __future__ import annotations

from harness.provider.latency import Latency, Tail, latency_of, likely_latency_of
from harness.provider.limits import Limits
from harness.provider.load import Load
from harness.provider.overload import Outage, Overload
from harness.provider.prices import AnyPrices, Prices, prices_of
from harness.provider.prompt_cache import CachedBlocks, Prefix, PromptCache
from harness.provider.service import Provider, Refusal, Served
from harness.provider.settings import ProviderSettings, Queue

__all__ = [
    "AnyPrices",
    "CachedBlocks",
    "Latency",
    "Limits",
    "Load",
    "Outage",
    "Overload",
    "Prefix",
    "Prices",
    "PromptCache",
    "Provider",
    "ProviderSettings",
    "Queue",
    "Refusal",
    "Served",
    "Tail",
    "latency_of",
    "likely_latency_of",
    "prices_of",
]
