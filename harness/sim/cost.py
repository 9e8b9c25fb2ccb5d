"""What one request to a real API will cost, said before it is sent."""

from __future__ import annotations

from harness.apis import VENDORS
from harness.cassettes import RecordedRequest
from harness.cassettes.asked import model_asked
from harness.cassettes.matching import place_of
from harness.provider import prices_of
from harness.provider.tokens import count_tokens
from harness.units import Usage

_BOUNDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_USUAL_OUTPUT_TOKENS = 4096
"""Assumed where a request sets no bound."""


def cost_in_words(asked: RecordedRequest) -> str:
    """What a request will cost at most, such as "this will cost at most about 0.0123 USD"."""
    model = model_asked(asked)
    if not model:
        return "it is no call of a model, and its cost is unknown"
    body = asked.json if isinstance(asked.json, dict) else {}
    bounds = [body[name] for name in _BOUNDS if isinstance(body.get(name), int)]
    output = bounds[0] if bounds else _USUAL_OUTPUT_TOKENS
    size = Usage(count_tokens(asked.body.decode("utf-8", "replace")), output)
    prices = prices_of(model, _provider(asked))
    tokens = f"{size.input_tokens:,} input and up to {output:,} output tokens of {model}"
    if prices is None:
        return f"its cost is unknown ({tokens})"
    return f"this will cost at most about {prices.cost_usd(size):.4f} USD ({tokens})"


def _provider(asked: RecordedRequest) -> str:
    host, _ = place_of(asked.host, asked.path)
    own = {"api.anthropic.com": "anthropic", "api.openai.com": "openai"}
    return own.get(host) or next((name for name, one in VENDORS.items() if one.is_at(host)), "")
