"""What is served where: the hosts of a run, each with its API and the dialect of its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from typing import NamedTuple

from harness.apis import VENDORS, WireApi, vendor_at
from harness.provider import Provider
from harness.wire.api import Api, ApiMaker
from harness.wire.dialects import Dialect, Translated
from harness.wire.http import HttpRequest
from harness.wire.operations import Operation, Operations

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - nothing is bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A provider as a server of an API."""

    name: str
    """The provider's name."""
    speaks: WireApi
    api: ApiMaker
    provider: Provider
    hosts: frozenset[str]
    base_paths: tuple[str, ...] = ()
    """Where the API's paths begin, besides the known base paths of its hosts."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """What spans and faults call a model, by the name that the API uses."""


class Site(NamedTuple):
    """An API at a host, or at all hosts of a pattern."""

    host: str
    endpoint: Endpoint
    api: Api
    """In the dialect that is spoken there."""
    dialect: Dialect | None

    def claims(self, path: str) -> int:
        """How surely a request is for it, where several APIs are at one host; below 0 means not at all."""
        if self.dialect is not None and self.dialect.paths is not None:
            return len(path) if self.dialect.paths.search(path) else -1
        base = self.endpoint.speaks.base_of(path, self._base_paths_at(self.host))
        return -1 if base is None else len(base)

    def _base_paths_at(self, host: str) -> tuple[str, ...]:
        return (*self.endpoint.base_paths, *self.endpoint.speaks.base_paths(host))

    def localized(self, http: HttpRequest) -> HttpRequest:
        """The request with the path that it would have at the API's own host, as far as it is for an endpoint.

        Raises:
            Refused: The vendor's own front rejects it.
        """
        if self.dialect is not None:
            http = self.dialect.request(http)
        api = self.endpoint.speaks
        base = api.base_of(http.path, self._base_paths_at(http.host))
        if base == api.base_path:
            return http
        if base is None:
            return http._replace(base=None)
        return http._replace(path=api.base_path + http.path[len(base) :], base=base)

    def hint(self, http: HttpRequest) -> str:
        """What harness says of a localized request that is for no endpoint, but would be behind another base path."""
        speaks, bases = self.endpoint.speaks, self._base_paths_at(http.host)
        found = list(speaks.endpoints.finditer(http.path))
        if not found or not bases:
            return ""
        asked = http.path[found[-1].start() :]
        if http.base is not None and http.path == speaks.base_path + asked:
            return ""
        return f"that is {bases[0]}{asked} at {http.host}; see the base URL of the client"

    def refused(self, http: HttpRequest) -> str:
        """The operation that a localized request is for, if the API has it and it is not simulated; else empty."""
        speaks = self.endpoint.speaks
        found = refused_operation(speaks, http, self._base_paths_at(http.host))
        return "" if found is None else f"{found.method} {speaks.base_path}{found.path}"


def refused_operation(
    speaks: WireApi, http: HttpRequest, base_paths: tuple[str, ...]
) -> Operation | None:
    """The operation of an API that a request is for and that is not simulated.

    Args:
        speaks: The API.
        http: The request, with the path at the API's own host if its base path is known.
        base_paths: Those that there are; none means that any may be used.
    """
    if not speaks.operations:
        return None
    refused: Operations = import_module(speaks.operations).REFUSED
    if http.base is not None:
        return refused.at(http.method, http.path.removeprefix(speaks.base_path))
    return None if base_paths else refused.behind_any_base(http.method, http.path)


class Sites:
    """All sites of one run."""

    def __init__(self) -> None:
        self._sites: dict[str, dict[str, Site]] = {}
        """By host, then by API."""
        self._found: dict[str, tuple[Site, ...]] = {}

    def add(self, endpoint: Endpoint, api: Api) -> None:
        """Serve an API at the hosts of a provider; one that is there already is replaced."""
        self._found.clear()
        for host in sorted(endpoint.hosts):
            dialect = _dialect_of(endpoint, host)
            spoken = api if dialect is None else Translated(api, dialect)
            there = self._sites.setdefault(host, {})
            there[endpoint.speaks.name] = Site(host, endpoint, spoken, dialect)

    def __contains__(self, host: str) -> bool:
        return bool(self._at(host))

    def at(self, host: str, path: str) -> Site:
        """What is served at a host that is in this, for a path."""
        found = self._at(host)
        assert found, f"{host} is not simulated"
        return found[0] if len(found) == 1 else max(found, key=lambda site: site.claims(path))

    @property
    def hosts(self) -> list[str]:
        """The hosts and patterns."""
        return list(self._sites)

    @property
    def providers(self) -> list[tuple[str, str]]:
        """The name of each provider, and that of its API."""
        ends = [site.endpoint for there in self._sites.values() for site in there.values()]
        return list(dict.fromkeys((end.name, end.speaks.name) for end in ends))

    def host_for(self, http: HttpRequest) -> str:
        """The host that a request is meant for which came to no host in particular."""
        ends = [
            (host, site.endpoint) for host, there in self._sites.items() for site in there.values()
        ]
        marked = {end.speaks.name for _, end in ends if end.speaks.header in http.headers}
        fits = [
            (host, end)
            for host, end in ends
            if end.speaks.base_of(http.path, end.base_paths) is not None
            and (not marked or end.speaks.name in marked)
        ]
        if not fits:
            anywhere = http._replace(base=None)
            fits = [one for one in ends if refused_operation(one[1].speaks, anywhere, ())]
        # It is for the API behind whose own base path it is; and not for one that is known by a header which it lacks.
        fits.sort(
            key=lambda one: (
                not one[1].base_paths,
                one[1].speaks.base_of(http.path, one[1].base_paths) != one[1].speaks.base_path,
                bool(one[1].speaks.header and not marked),
                -one[1].speaks.length_of(http.path),
            )
        )
        return next(iter([*(host for host, _ in fits), *self._sites]))

    def _at(self, host: str) -> tuple[Site, ...]:
        if host not in self._found:
            names = (name for name in self._sites if _is_named(host, name))
            name = host if host in self._sites else next(names, "")
            self._found[host] = tuple(self._sites.get(name, {}).values())
        return self._found[host]


def _is_named(host: str, name: str) -> bool:
    """Whether a host is one of a pattern, or both are names of this machine."""
    return fnmatchcase(host, name) or (host in _THIS_MACHINE and name in _THIS_MACHINE)


def _dialect_of(endpoint: Endpoint, host: str) -> Dialect | None:
    """The dialect of the vendor that a host belongs to; at a host of nobody's, that of the provider's name."""
    api = endpoint.speaks
    named = VENDORS.get(endpoint.name)
    vendor = vendor_at(host, api.name) or (named and named.speaking(api.name))
    if host == api.host or vendor is None or not vendor.dialect:
        return None
    module, _, name = vendor.dialect.partition(":")
    dialect: Dialect = getattr(import_module(module), name)
    return dialect
