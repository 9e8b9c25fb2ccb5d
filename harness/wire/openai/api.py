"""OpenAI's API for one run: which endpoint handles a request."""

from __future__ import annotations

from urllib.parse import unquote

from harness.apis import APIS
from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.units import Usage
from harness.wire.api import ApiContext, Completion, Ids, Moment, Prompt, no_such_model
from harness.wire.cache import PromptCache
from harness.wire.http import HttpRequest, HttpResponse
from harness.wire.openai.batches import Batches
from harness.wire.openai.chat import ChatWish, read_chat, whole_chat
from harness.wire.openai.chat_stream import stream_chat
from harness.wire.openai.embeddings import check_embedding, embeddings
from harness.wire.openai.encoding import pretty
from harness.wire.openai.errors import (
    Rejected,
    answer,
    chat_broken_off,
    problem_of,
    response_broken_off,
)
from harness.wire.openai.files import Files
from harness.wire.openai.headers import JSON, headers
from harness.wire.openai.limits import check_chat
from harness.wire.openai.model_limits import (
    check_model_of_chat,
    check_model_of_embedding,
    check_model_of_response,
)
from harness.wire.openai.model_names import NAMES
from harness.wire.openai.models import is_known, listing, one
from harness.wire.openai.moderations import moderation
from harness.wire.openai.parameters import check_known_chat, check_known_response
from harness.wire.openai.response_limits import check_response_limits
from harness.wire.openai.response_rules import check_simulated
from harness.wire.openai.responses import Responses
from harness.wire.openai.validate import check_credential, check_fields, json_body

_HOST = APIS["openai"].host
"""Other hosts speak the same API and have models of their own."""

_BINARY = "application/octet-stream"

_CACHE_MIN_TOKENS = 1024
_CACHE_STEP_TOKENS = 128
"""The shortest prefix that is cached, and in which steps its use is counted [tokens]
(https://platform.openai.com/docs/guides/prompt-caching)."""


class OpenAI:
    """OpenAI's API for one run.

    Args:
        desk: The server it belongs to.
    """

    def __init__(self, desk: ApiContext) -> None:
        self._desk = desk
        self._cache = PromptCache()
        self._responses = Responses()
        self._files = Files()
        self._batches = Batches(desk, self._files, self._read_of_batch, self.whole)
        self._events: dict[str, int] = {}
        """How many events there are in each stream of a response, by what its ids follow from."""

    def read(self, http: HttpRequest, ids: Ids) -> Prompt | HttpResponse:
        """Parse a request: return the prompt for a model, or the API's own answer."""
        try:
            check_credential(http)
            understood = self._understand(http, ids)
        except Rejected as rejected:
            response = answer(rejected.problem, self._desk.moment(ids))
            response.hint = rejected.hint
            return response
        if isinstance(understood, Prompt):
            return understood
        if understood is None:
            return HttpResponse(204, headers(self._desk.moment(ids), JSON), b"")
        if isinstance(understood, bytes):
            return HttpResponse(200, headers(self._desk.moment(ids), _BINARY), understood)
        return HttpResponse(200, headers(self._desk.moment(ids), JSON), pretty(understood) + b"\n")

    def usage(self, prompt: Prompt, now_s: float) -> Usage:
        """What is read for a prompt; every prefix is cached without being asked, and writing it costs nothing."""
        read, _ = self._cache.look_up(prompt, now_s, _CACHE_MIN_TOKENS)
        read -= read % _CACHE_STEP_TOKENS
        return Usage(prompt.tokens - read, 0, cache_read_tokens=read)

    def remember(self, prompt: Prompt, now_s: float) -> None:
        """Keep every prefix of a prompt in the cache; its answer begins."""
        self._cache.remember(prompt, now_s, _CACHE_MIN_TOKENS)

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""
        if isinstance(prompt.details, ChatWish):
            return whole_chat(prompt, spoken, moment)
        return self._responses.whole(prompt, spoken, moment)

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer as a stream of parts; the last part only marks the end."""
        if isinstance(prompt.details, ChatWish):
            return stream_chat(prompt, spoken, moment)
        response = self._responses.stream(prompt, spoken, moment)
        self._events[moment.ids.root] = len(response.body)
        return response

    def refused(self, refusal: Refusal, moment: Moment) -> HttpResponse:
        """The error response of a refused attempt."""
        return answer(problem_of(refusal, moment), moment, refusal.retry_after_s)

    def broken_off(self, refusal: Refusal, moment: Moment) -> bytes:
        """The error event that ends a stream early."""
        problem = problem_of(refusal, moment)
        events = self._events.get(moment.ids.root)
        if events is None:
            return chat_broken_off(problem)
        # How many have been sent is not known; this is more than that, so that the numbers still rise.
        return response_broken_off(problem, events - 1)

    def _understand(self, http: HttpRequest, ids: Ids) -> Prompt | JsonObject | bytes | None:
        if http.base is None:
            raise _no_such_url(http)
        match http.method, http.path.strip("/").split("/"):
            case "POST", ["v1", "chat", "completions"]:
                return self._read_chat(json_body(http), http.host)
            case "POST", ["v1", "responses"]:
                return self._read_response(json_body(http), http.host)
            case "POST", ["v1", "responses", "input_tokens"]:
                tokens = self._read_response(json_body(http), http.host).tokens
                return {"object": "response.input_tokens", "input_tokens": tokens}
            case "GET", ["v1", "responses", response_id]:
                return self._responses.get(response_id)
            case "DELETE", ["v1", "responses", response_id]:
                return self._responses.delete(response_id)
            case "GET", ["v1", "responses", response_id, "input_items"]:
                return self._responses.input_items(response_id)
            case "POST", ["v1", "embeddings"]:
                return self._read_embedding(json_body(http), http.host)
            case "POST", ["v1", "moderations"]:
                return moderation(json_body(http), ids)
            case "GET", ["v1", "models"]:
                return listing(self._desk.models, own_host=http.host == _HOST)
            case "GET", ["v1", "models", *model] if model:
                name = unquote("/".join(model))
                return one(name, self._desk.models, own_host=http.host == _HOST)
            case "POST", ["v1", "traces", "ingest"]:  # of openai-agents; nobody can read them
                json_body(http)
                return None
            case method, ["v1", "files", *rest]:
                return self._file(method, rest, http, self._desk.moment(ids))
            case method, ["v1", "batches", *rest]:
                return self._batch(method, rest, http, self._desk.moment(ids))
        raise _no_such_url(http)

    def _file(
        self, method: str, rest: list[str], http: HttpRequest, moment: Moment
    ) -> JsonObject | bytes:
        match method, rest:
            case "POST", []:
                return self._files.upload(http, moment)
            case "GET", []:
                return self._files.all(http.query)
            case "GET", [file_id]:
                return self._files.find(file_id).object
            case "GET", [file_id, "content"]:
                return self._files.find(file_id).content
            case "DELETE", [file_id]:
                return self._files.delete(file_id)
        raise _no_such_url(http)

    def _batch(self, method: str, rest: list[str], http: HttpRequest, moment: Moment) -> JsonObject:
        match method, rest:
            case "POST", []:
                return self._batches.create(json_body(http), http, moment)
            case "GET", []:
                return self._batches.all(http.query, moment.at_s)
            case "GET", [batch_id]:
                return self._batches.one(batch_id, moment.at_s)
            case "POST", [batch_id, "cancel"]:
                return self._batches.cancel(batch_id, moment)
        raise _no_such_url(http)

    def _read_of_batch(self, endpoint: str, asked: JsonObject, host: str) -> Prompt | JsonObject:
        """Understand a line of a batch."""
        check_fields(asked)
        match endpoint:
            case "/v1/responses":
                return self._read_response(asked, host)
            case "/v1/embeddings":
                return self._read_embedding(asked, host)
        return self._read_chat(asked, host)

    def _read_chat(self, asked: JsonObject, host: str) -> Prompt:
        """Understand a chat, within the limits that OpenAI's own host has."""
        prompt = read_chat(self._known_to_chat(asked, host))
        if host == _HOST:
            if is_known(prompt.model, ()):
                check_model_of_chat(asked)
            check_chat(asked)
        return prompt

    def _read_response(self, asked: JsonObject, host: str) -> Prompt:
        """Understand a request for a response, likewise."""
        prompt = self._responses.read(self._known_to_responses(asked, host))
        if host == _HOST:
            if is_known(prompt.model, ()):
                check_model_of_response(asked)
            check_response_limits(asked)
        return prompt

    def _read_embedding(self, asked: JsonObject, host: str) -> JsonObject:
        """Answer a request for embeddings, likewise."""
        known = self._known(asked, host)
        if host == _HOST:
            check_model_of_embedding(asked["model"])
            check_embedding(asked)
        return embeddings(known)

    def _known_to_chat(self, asked: JsonObject, host: str) -> JsonObject:
        """Return the request; reject an unknown model, and parameters that do not exist."""
        if host == _HOST:
            check_known_chat(asked)
        return self._known(asked, host)

    def _known(self, asked: JsonObject, host: str) -> JsonObject:
        """Return the request; reject an unknown model."""
        model = asked.get("model")
        if not isinstance(model, str) or not model:
            raise Rejected("you must provide a model parameter")
        if host == _HOST and not is_known(model, self._desk.models):
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise Rejected(message, None, "model_not_found", 404, self._no_such_model(model))
        return asked

    def _known_to_responses(self, asked: JsonObject, host: str) -> JsonObject:
        """Return the request; reject an unknown model."""
        if host == _HOST:
            check_known_response(asked)
        check_simulated(asked)  # a stored prompt has a model of its own
        model = asked.get("model")
        if not isinstance(model, str) or not model:
            raise Rejected(
                "Missing required parameter: 'model'.", "model", "missing_required_parameter"
            )
        if host == _HOST and not is_known(model, self._desk.models):
            message = f"The requested model '{model}' does not exist."
            raise Rejected(message, "model", "model_not_found", hint=self._no_such_model(model))
        return asked

    def _no_such_model(self, model: str) -> str:
        return no_such_model(model, [*NAMES, *self._desk.models])


def _no_such_url(http: HttpRequest) -> Rejected:
    return Rejected(f"Invalid URL ({http.method} {http.path})", status=404)
