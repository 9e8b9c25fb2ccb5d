"""The real API of a provider, by the provider's name in a scenario."""

from __future__ import annotations

import os

from harness.apis import APIS, vendor_of
from harness.errors import HarnessError
from harness.models.live import LiveApi


def live_api(provider: str, model: str, base_url: str | None) -> LiveApi:
    """The real API of a provider.

    Args:
        provider: Its name in the scenario.
        model: A model of it, which tells the API of a provider that is not known.
        base_url: Where it is; None means where it really is.

    Raises:
        HarnessError: It is not known where it is, there is no key, or its SDK is not installed.
    """
    vendor = vendor_of(provider)
    api = vendor.api if vendor is not None else _api_of(model)
    client = "anthropic" if api == "anthropic" else "openai"
    if base_url is None and provider != client:
        spoken = None if vendor is None else vendor.speaking(client)
        if spoken is None or "*" in spoken.hosts[0]:  # whose account, resource or region
            raise HarnessError(
                f"it is not known where the provider {provider!r} is\n"
                f"  How to fix: --base-url {provider}=https://..., or call it {', '.join(APIS)}"
            )
        base_url = f"https://{spoken.hosts[0]}{spoken.base_paths[0]}"
    variable = f"{(provider if vendor is not None else api).upper()}_API_KEY"
    key = os.environ.get(variable)
    if not key:
        raise HarnessError(f"no key for {provider!r}\n  How to fix: set {variable}")
    try:
        if client == "anthropic":
            from harness.models.live_anthropic import LiveAnthropic

            return LiveAnthropic(key, base_url)
        from harness.models.live_openai import LiveOpenAI

        return LiveOpenAI(key, base_url)
    except ImportError as error:
        raise HarnessError(
            f"a live run asks {provider!r} through the package {client!r}: {error}\n  How to fix: pip install {client}"
        ) from None


def _api_of(model: str) -> str:
    return "anthropic" if model.startswith("claude") else "openai"
