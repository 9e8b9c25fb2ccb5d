"""Requests for a model, read within the limits that OpenAI's own host has; other hosts have models and limits of their own."""

from __future__ import annotations

from collections.abc import Sequence

from harness.apis import APIS
from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.wire.api import Prompt, no_such_model
from harness.wire.openai.chat import read_chat
from harness.wire.openai.embeddings import check_embedding, embeddings
from harness.wire.openai.errors import Rejected
from harness.wire.openai.limits import check_chat
from harness.wire.openai.model_limits import (
    check_model_of_chat,
    check_model_of_embedding,
    check_model_of_response,
)
from harness.wire.openai.model_names import NAMES
from harness.wire.openai.models import is_known
from harness.wire.openai.parameters import COMPACTION, RESPONSE, check_known, check_known_chat
from harness.wire.openai.response_limits import check_response_limits
from harness.wire.openai.response_rules import check_simulated
from harness.wire.openai.responses import Responses
from harness.wire.openai.validate import check_fields

OWN_HOST = APIS["openai"].host
"""Other hosts speak the same API."""


class Reader:
    """Reads the requests of one run.

    Args:
        responses: The responses that they may go on from.
        models: The models that the run knows of by name.
    """

    def __init__(self, responses: Responses, models: Sequence[str]) -> None:
        self._responses = responses
        self._models = models

    def of_batch(self, endpoint: str, asked: JsonObject, host: str) -> Prompt | JsonObject:
        """Understand a line of a batch.

        Raises:
            Rejected: The real API would not take it.
            NotSimulated: It belongs to a conversation.
        """
        check_fields(asked)
        match endpoint:
            case "/v1/responses":
                if asked.get("conversation"):
                    raise NotSimulated("'conversation' in a batch", "send all items")
                return self.response(asked, host)._replace(later=None)
            case "/v1/embeddings":
                return self.embedding(asked, host)
        return self.chat(asked, host)

    def chat(self, asked: JsonObject, host: str) -> Prompt:
        """Understand a chat."""
        if host == OWN_HOST:
            check_known_chat(asked)
        prompt = read_chat(self._known(asked, host))
        if host == OWN_HOST:
            if is_known(prompt.model, ()):
                check_model_of_chat(asked)
            check_chat(asked)
        return prompt

    def response(self, asked: JsonObject, host: str) -> Prompt:
        """Understand a request for a response."""
        if host == OWN_HOST:
            check_known(asked, RESPONSE)
        check_simulated(asked)  # a stored prompt has a model of its own
        self._check_model_of_response(asked, host)
        prompt = self._responses.read(asked)
        self._check_limits(prompt, asked, host)
        return prompt

    def compaction(self, asked: JsonObject, host: str) -> Prompt:
        """Understand a request for a compaction."""
        if host == OWN_HOST:
            check_known(asked, COMPACTION)
        self._check_model_of_response(asked, host)
        prompt = self._responses.read_compaction(asked)
        self._check_limits(prompt, asked, host)
        return prompt

    def embedding(self, asked: JsonObject, host: str) -> JsonObject:
        """Answer a request for embeddings."""
        known = self._known(asked, host)
        if host == OWN_HOST:
            check_model_of_embedding(asked["model"])
            check_embedding(asked)
        return embeddings(known)

    def _check_limits(self, prompt: Prompt, asked: JsonObject, host: str) -> None:
        if host != OWN_HOST:
            return
        if is_known(prompt.model, ()):
            check_model_of_response(asked)
        check_response_limits(asked)

    def _known(self, asked: JsonObject, host: str) -> JsonObject:
        """Return the request; reject an unknown model."""
        model = asked.get("model")
        if not isinstance(model, str) or not model:
            raise Rejected("you must provide a model parameter")
        if host == OWN_HOST and not is_known(model, self._models):
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise Rejected(message, None, "model_not_found", 404, self._no_such_model(model))
        return asked

    def _check_model_of_response(self, asked: JsonObject, host: str) -> None:
        """Reject an unknown model."""
        model = asked.get("model")
        if not isinstance(model, str) or not model:
            raise Rejected(
                "Missing required parameter: 'model'.", "model", "missing_required_parameter"
            )
        if host == OWN_HOST and not is_known(model, self._models):
            message = f"The requested model '{model}' does not exist."
            raise Rejected(message, "model", "model_not_found", hint=self._no_such_model(model))

    def _no_such_model(self, model: str) -> str:
        return no_such_model(model, [*NAMES, *self._models])
