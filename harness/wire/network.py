"""An in-memory network under the real HTTP clients of this process.

The clients keep their own pools, parsers, timeouts and retries; only the last step, opening a connection, leads to a
simulated server instead of a socket. TLS is left out, so that `https://` needs no certificate. Each client has its
seam in a file of its own: `httpcore_seam.py` for httpx, httpx2 and with them nearly every SDK, `aiohttp_seam.py`,
`urllib_seam.py` for `http.client` and urllib3.

Connecting takes no virtual time: the latency profiles are fitted to whole calls.
"""

from __future__ import annotations

import importlib
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Protocol, cast

from harness.errors import NotSimulated, UnknownHost
from harness.kernel import Kernel
from harness.kernel.current_world import this_thread
from harness.kernel.shared_patch import SharedChange
from harness.wire.http import Connection


class Network(Protocol):
    """The interface between a seam and the simulated world."""

    kernel: Kernel

    def connect(self, host: str, port: int) -> Connection | UnknownHost:
        """Open a connection to a server, or say why there is none."""

    def refuse_websocket(self, host: str, path: str) -> NotSimulated:
        """Note that a client wants a websocket, and return the error for it."""


def unknown_host(host: str, port: int, simulated: Iterable[str]) -> UnknownHost:
    """The error for a host that is not among those that are simulated."""
    return UnknownHost(
        f"harness simulates no host {host}:{port}, and nothing leaves a simulated run. Simulated: {', '.join(simulated)}",
        "say which provider it is with `sim.provider(..., hosts=[...])`, or replace the function that asks it, for example with "
        "`sim.tool(..., replaces=...)`.",
    )


class Seam(Protocol):
    """One way by which clients reach the network."""

    @property
    def module(self) -> str:
        """The module whose names are replaced."""

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Replace them; returns what puts them back."""


def network_here() -> Network | None:
    """The simulated network of this thread; None outside of a run."""
    return cast("Network | None", this_thread.network)


@contextmanager
def connected(network: Network, seams: Sequence[Seam]) -> Iterator[None]:
    """Context manager: clients of this thread reach the simulated servers and nothing else.

    Args:
        network: Where connections lead.
        seams: Which clients to reach; those that are not imported yet are reached as soon as they are.
    """
    with _seams_put_in(seams):
        outer = network_here()
        this_thread.network = network
        try:
            yield
        finally:
            this_thread.network = outer


@contextmanager
def _without_certificates() -> Iterator[None]:
    """Context manager: TLS contexts that this thread makes load no certificates: none are needed, and loading takes 16 ms each."""
    names = ("load_default_certs", "load_verify_locations", "set_default_verify_paths")
    before = {name: vars(ssl.SSLContext).get(name) for name in names}

    def unless_simulated(load: Callable[..., None]) -> Callable[..., None]:
        def maybe_load(*args: object, **kwargs: object) -> None:
            if network_here() is None:
                load(*args, **kwargs)

        return maybe_load

    for name in names:
        setattr(ssl.SSLContext, name, unless_simulated(getattr(ssl.SSLContext, name)))
    try:
        yield
    finally:
        for name, own in before.items():
            if own is None:
                delattr(ssl.SSLContext, name)  # it was inherited
            else:
                setattr(ssl.SSLContext, name, own)


@contextmanager
def _put_in(seams: Sequence[Seam]) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(_without_certificates())
        for seam in seams:
            put_in_now_or_later(seam, stack)
        yield


_seams_put_in = SharedChange(_put_in)


def put_in_now_or_later(seam: Seam, stack: ExitStack) -> None:
    """Put in a seam, if its client is imported; else as soon as it is. Closing the stack takes it out."""
    module = sys.modules.get(seam.module)
    if module is not None:
        stack.callback(seam.put_in(module))
        return
    finder = _AfterImport(seam.module, lambda loaded: stack.callback(seam.put_in(loaded)))
    sys.meta_path.insert(0, finder)
    stack.callback(finder.leave)


class _AfterImport(MetaPathFinder, Loader):
    """Calls back when a module has been imported for the first time."""

    def __init__(self, name: str, then: Callable[[ModuleType], object]) -> None:
        self._name = name
        self._then = then
        self._real: ModuleSpec | None = None

    def leave(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        if fullname != self._name or self not in sys.meta_path:
            return None
        self.leave()  # so that the question below is answered by the others
        self._real = find_spec(fullname)
        if self._real is None or self._real.loader is None:
            return None
        spec = ModuleSpec(
            fullname,
            self,
            origin=self._real.origin,
            is_package=self._real.submodule_search_locations is not None,
        )
        spec.submodule_search_locations = self._real.submodule_search_locations
        spec.has_location = self._real.has_location
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        assert self._real is not None
        assert self._real.loader is not None
        return self._real.loader.create_module(self._real)

    def exec_module(self, module: ModuleType) -> None:
        assert self._real is not None
        assert self._real.loader is not None
        self._real.loader.exec_module(module)
        module.__spec__, module.__loader__ = self._real, self._real.loader
        self._then(module)


def load(module: str) -> ModuleType:
    """Import a part of a client that is being put under the simulated network."""
    return importlib.import_module(module)
