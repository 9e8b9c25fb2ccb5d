"""The list of models, as the API gives it (https://ai.google.dev/api/models)."""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.gemini.catalogue import NAMES, Facts, facts_of, is_known
from harness.wire.gemini.errors import Rejection
from harness.wire.gemini.page import page

_METHODS = {
    "text": ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"],
    "embedding": ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"],
    "image": ["generateContent", "countTokens", "batchGenerateContent"],
    "speech": ["generateContent", "countTokens"],
    "live": ["bidiGenerateContent"],
}


def list_of_models(of_the_run: tuple[str, ...], query: str) -> JsonObject:
    """One page of all models."""
    names = [*NAMES, *(name for name in of_the_run if name not in NAMES)]
    return page("models", [_model(facts_of(name)) for name in names], query)


def one_model(name: str, of_the_run: tuple[str, ...]) -> JsonObject:
    """One model.

    Raises:
        Rejection: There is none of this name.
    """
    if not is_known(name, of_the_run):
        raise Rejection(f"Model is not found: models/{name} for api version v1beta", 404)
    return _model(facts_of(name))


def _model(facts: Facts) -> JsonObject:
    title = " ".join(word.capitalize() for word in facts.name.split("-"))
    found: JsonObject = {
        "name": f"models/{facts.name}",
        "version": f"{facts.generation:g}" if facts.generation else "001",
        "displayName": title,
        "description": title,
        "inputTokenLimit": facts.input_tokens,
        "outputTokenLimit": facts.output_tokens,
        "supportedGenerationMethods": _METHODS[facts.kind],
    }
    if facts.kind != "embedding":
        found |= {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2}
    if facts.thinks:
        found["thinking"] = True
    return found
