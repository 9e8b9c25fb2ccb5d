"""The APIs that are simulated on the wire, and the providers known to serve them.

A new API is a folder in `harness/wire/` and an entry in `APIS`. The entry is data on the ground floor, because the
scenario's schema, the environment of a run and the servers all read it; its code is imported when a run serves it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any, Final, NamedTuple

AGENT_HEADER: Final = "x-harness-agent"
"""Names the agent whose call it is, for programs that can send it; stronger than any rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireApi:
    """One API."""

    name: str
    maker: str
    """What makes its server side for one run, as `module:name`; see `ApiMaker` in `harness/wire/api.py`."""
    host: str
    """Its own host."""
    base_path: str
    """The path before every endpoint at its own host; SDKs are given it as part of a base URL."""
    endpoints: re.Pattern[str]
    """Finds the path of an endpoint behind any base path."""
    base_url: str
    """The environment variable from which its SDK takes a base URL."""
    operations: str = ""
    """The module whose `REFUSED` lists what the API has and is not simulated; see `harness/wire/operations.py`."""
    versions: tuple[str, ...] = ()
    """Further base paths at its own host: those of other versions."""
    given_path: str | None = None
    """What of the base path SDKs are given as part of a base URL; None means all of it."""
    header: str = ""
    """A request header that its clients alone send, in lower case."""
    provided: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that a run sets for its SDK, such as a key."""
    other_keys: tuple[str, ...] = ()
    """Other variables from which its SDK takes a key."""
    cleared: tuple[str, ...] = ()
    """Environment variables that would lead its SDK elsewhere, besides `base_url`."""

    def load(self) -> Callable[..., Any]:
        """Import its maker."""
        module, _, name = self.maker.partition(":")
        return getattr(import_module(module), name)  # type: ignore[no-any-return]  # by its name

    @property
    def url_path(self) -> str:
        """The path of the base URL that SDKs are given."""
        return self.base_path if self.given_path is None else self.given_path

    def base_paths(self, host: str) -> tuple[str, ...]:
        """The base paths at a host; none if they are unknown, so that any may be used."""
        if host == self.host:
            return (self.base_path, *self.versions)
        vendor = vendor_at(host, self.name)
        return () if vendor is None else vendor.base_paths

    def length_of(self, path: str) -> int:
        """How much of a path is that of an endpoint; the more, the surer it is one."""
        found = self.endpoints.search(path)
        return 0 if found is None else len(found[0])

    def base_of(self, path: str, base_paths: tuple[str, ...]) -> str | None:
        """The base path of a request.

        Args:
            path: The whole path.
            base_paths: Those that there are; none means that any may be used.

        Returns:
            The base path, or None if the path is that of no endpoint behind any of them.
        """
        if not base_paths:
            found = self.endpoints.search(path)
            return None if found is None else path[: found.start()]
        fits = [base for base in base_paths if path.startswith(f"{base}/")]
        return max(fits, key=len) if fits else None


class Vendor(NamedTuple):
    """A provider that is known by name."""

    api: str
    """The name of the API that it speaks."""
    hosts: tuple[str, ...]
    """Its hosts; `*` stands for an account, a resource or a region."""
    base_paths: tuple[str, ...]
    """As its documentation has them."""
    dialect: str = ""
    """What differs from the API at its own host, as `module:name` of a `Dialect`; empty if nothing does."""
    others: tuple[Vendor, ...] = ()
    """What else it speaks at the same hosts, told apart by the paths."""

    def speaking(self, api: str) -> Vendor | None:
        """How it speaks an API; None if it does not."""
        return next((one for one in (self, *self.others) if one.api == api), None)

    def is_at(self, host: str) -> bool:
        """Whether it serves a host."""
        return any(fnmatchcase(host, pattern) for pattern in self.hosts)


APIS: dict[str, WireApi] = {
    api.name: api
    for api in (
        WireApi(
            name="anthropic",
            maker="harness.wire.anthropic:Anthropic",
            host="api.anthropic.com",
            base_path="",
            endpoints=re.compile(r"/v1/(messages|models|files)(?=/|$)"),
            base_url="ANTHROPIC_BASE_URL",
            operations="harness.wire.anthropic.operations",
            header="anthropic-version",
            provided={"ANTHROPIC_API_KEY": "sk-ant-simulated"},
            cleared=("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_PROFILE"),
        ),
        WireApi(
            name="openai",
            maker="harness.wire.openai:OpenAI",
            host="api.openai.com",
            base_path="/v1",
            endpoints=re.compile(
                r"/(chat/completions|responses|conversations|embeddings|moderations|models|files|batches|traces/ingest)(?=/|$)"
            ),
            base_url="OPENAI_BASE_URL",
            operations="harness.wire.openai.operations",
            provided={"OPENAI_API_KEY": "sk-simulated", "OPENAI_AGENTS_DISABLE_TRACING": "1"},
            cleared=("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"),
        ),
        WireApi(
            name="gemini",
            maker="harness.wire.gemini:Gemini",
            host="generativelanguage.googleapis.com",
            base_path="/v1beta",
            versions=("/v1", "/v1alpha", "/upload/v1beta", "/upload/v1"),
            given_path="",
            endpoints=re.compile(r"/(models(/[^/:]+:\w+)?|cachedContents)(?=/|$)"),
            base_url="GOOGLE_GEMINI_BASE_URL",
            operations="harness.wire.gemini.operations",
            header="x-goog-api-key",
            provided={"GEMINI_API_KEY": "simulated-gemini-key"},
            other_keys=("GOOGLE_API_KEY",),
            cleared=(
                "GOOGLE_API_KEY",
                "GOOGLE_GENAI_API_VERSION",
                "GOOGLE_GENAI_USE_ENTERPRISE",
                "GOOGLE_GENAI_USE_VERTEXAI",
            ),
        ),
    )
}
"""Every API, by name; a provider of that name is there with no line of set-up."""

_VERTEX_HOSTS = (
    "aiplatform.googleapis.com",
    "*-aiplatform.googleapis.com",
    "aiplatform.*.rep.googleapis.com",
)

VENDORS: dict[str, Vendor] = {
    # https://learn.microsoft.com/azure/ai-foundry/openai/reference; /openai/deployments/NAME is translated to /openai/v1
    "azure": Vendor(
        "openai",
        ("*.openai.azure.com", "*.cognitiveservices.azure.com", "*.services.ai.azure.com"),
        ("/openai/v1",),
        "harness.wire.dialects.azure:AZURE",
    ),
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
    "bedrock": Vendor(
        "anthropic",
        ("bedrock-runtime.*.amazonaws.com",),
        ("",),
        "harness.wire.dialects.bedrock:BEDROCK",
    ),
    # https://docs.databricks.com/machine-learning/model-serving/query-chat-models
    "databricks": Vendor(
        "openai",
        ("*.cloud.databricks.com", "*.gcp.databricks.com", "*.azuredatabricks.net"),
        ("/serving-endpoints",),
    ),
    # https://api-docs.deepseek.com, /v1 for compatibility; https://api-docs.deepseek.com/guides/chat_prefix_completion
    "deepseek": Vendor(
        "openai",
        ("api.deepseek.com",),
        ("", "/v1", "/beta"),
        "harness.wire.dialects.reasoning:DEEPSEEK",
    ),
    # https://docs.fireworks.ai/tools-sdks/openai-compatibility
    "fireworks": Vendor(
        "openai",
        ("api.fireworks.ai",),
        ("/inference/v1",),
        "harness.wire.dialects.reasoning:FIREWORKS",
    ),
    # https://docs.github.com/rest/models/inference; the second host is the older one
    "github": Vendor(
        "openai", ("models.github.ai", "models.inference.ai.azure.com"), ("/inference", "")
    ),
    # https://ai.google.dev/gemini-api/docs/openai
    "google": Vendor(
        "openai",
        ("generativelanguage.googleapis.com",),
        ("/v1beta/openai",),
        others=(Vendor("gemini", ("generativelanguage.googleapis.com",), ("/v1beta",)),),
    ),
    # https://console.groq.com/docs/openai
    "groq": Vendor("openai", ("api.groq.com",), ("/openai/v1",), "harness.wire.dialects.groq:GROQ"),
    # https://docs.mistral.ai/api
    "mistral": Vendor("openai", ("api.mistral.ai",), ("/v1",)),
    # https://openrouter.ai/docs/quickstart
    "openrouter": Vendor(
        "openai", ("openrouter.ai",), ("/api/v1",), "harness.wire.dialects.reasoning:OPENROUTER"
    ),
    # https://docs.together.ai/docs/openai-api-compatibility; the second host is the older one
    "together": Vendor("openai", ("api.together.ai", "api.together.xyz"), ("/v1",)),
    # https://docs.claude.com/en/api/claude-on-vertex-ai; hosts as in the SDK
    "vertex": Vendor(
        "anthropic",
        _VERTEX_HOSTS,
        ("",),
        "harness.wire.dialects.vertex:VERTEX",
        others=(
            Vendor(
                "gemini",
                _VERTEX_HOSTS,
                ("/v1beta",),
                "harness.wire.dialects.vertex_gemini:VERTEX_GEMINI",
            ),
        ),
    ),
}
"""Those who speak the API of another, by name; where genai-prices knows them, by the name that it has for them."""


def vendor_of(name: str) -> Vendor | None:
    """The known provider of a name: one with an API of its own, or one who speaks another's."""
    own = APIS.get(name)
    if own is None:
        return VENDORS.get(name)
    others = tuple(one for one in VENDORS.values() if one.api != name and one.is_at(own.host))
    return Vendor(name, (own.host,), (own.base_path,), others=others)


def vendor_at(host: str, api: str) -> Vendor | None:
    """The known provider that serves an API of another at a host."""
    spoken = (one.speaking(api) for one in VENDORS.values())
    return next((one for one in spoken if one is not None and one.is_at(host)), None)


def base_path(text: str) -> str:
    """A base path as it is compared: with a slash before it and none behind; empty for the root."""
    inner = text.strip("/")
    return f"/{inner}" if inner else ""
