"""A tool of the program that is recorded beside the model, so that a replay runs no side effect."""

from __future__ import annotations

import asyncio
import builtins
import dataclasses
import functools
import inspect
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness import wall
from harness.agents import ToolError
from harness.cassettes import CassetteError, RecordedRequest, RecordedResponse, Timing
from harness.cassettes.cassette import json_of
from harness.errors import HarnessError
from harness.json_types import JsonObject
from harness.kernel.current_world import this_thread
from harness.run.replacing import place_of
from harness.run.tools import use_of
from harness.virtual.reality import really, really_awaited
from harness.wire.replay import Taken, own_name_here
from harness.wire.routing import scope_here

if TYPE_CHECKING:
    from harness.run.program_world import ProgramWorld

TOOL_URL = "https://tool.invalid/"
"""Where a cassette has the uses of tools: a host that no resolver knows, so that other recorders load them as they are."""

_RETURNED, _RAISED = 200, 500
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class RecordedTool:
    """A function of the program whose uses are recorded and replayed with those of the model.

    Args:
        name: Its name in spans and in the cassette.
        replaces: The function, as `module:name`.
        mutates: Whether it changes something outside; then it runs only while everything is recorded anew.
    """

    def __init__(self, name: str, replaces: str, *, mutates: bool) -> None:
        self.name = name
        self.replaces = replaces
        self.mutates = mutates
        self.uses: list[tuple[tuple[Any, ...], JsonObject]] = []
        """The arguments of each use."""
        self._world: Callable[[], ProgramWorld | None] = lambda: None

    def attach(self, world: Callable[[], ProgramWorld | None]) -> None:
        """Set the source of the active run."""
        self._world = world

    def in_place_of(self, original: Any) -> Any:  # noqa: ANN401 - a function, or what a class has of one
        """What stands where the function is, for the time of a run.

        Raises:
            HarnessError: It is none that gives its result when it returns, or is awaited.
        """
        if isinstance(original, classmethod | staticmethod):
            return type(original)(self.in_place_of(original.__func__))
        bare = inspect.unwrap(original) if callable(original) else None
        if (
            bare is None
            or inspect.isclass(bare)
            or inspect.isgeneratorfunction(bare)
            or inspect.isasyncgenfunction(bare)
        ):
            raise HarnessError(
                f"{self.replaces!r} cannot be recorded: it is not a function that returns its whole result at once\n"
                "  How to fix: name a function that calls it and returns what it gives, such as a list."
            )
        return (
            self._async(original) if inspect.iscoroutinefunction(bare) else self._blocking(original)
        )

    def _blocking(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the function's
            world, place = self._world(), this_thread.world
            if world is None or place is None:  # something real calls it
                return original(*args, **kwargs)
            self.uses.append((args, kwargs))
            with use_of(world, self.name, args, kwargs):
                asked, found = self._recorded(world, args, kwargs)
                if found is None:
                    found = self._run(world, asked, lambda: really(original, *args, **kwargs))
                place.block(_took_s(found))
                return _outcome(found)

        return call

    def _async(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the function's
            world = self._world()
            if world is None or this_thread.world is None:
                return await original(*args, **kwargs)
            self.uses.append((args, kwargs))
            with use_of(world, self.name, args, kwargs):
                asked, found = self._recorded(world, args, kwargs)
                if found is None:
                    found = self._run(
                        world, asked, lambda: really_awaited(original, *args, **kwargs)
                    )
                await asyncio.sleep(_took_s(found))
                return _outcome(found)

        return call

    def _recorded(
        self, world: ProgramWorld, args: tuple[Any, ...], kwargs: JsonObject
    ) -> tuple[RecordedRequest, RecordedResponse | None]:
        """One use as a request, and its recording; None if the function is to run.

        Raises:
            HarnessError: There is no cassette.
            CassetteError: It is not recorded, and must not run.
        """
        replay = world.replay
        if replay is None:
            raise HarnessError(
                f"tool {self.name!r} is to be recorded, and there is no cassette\n  How to fix: sim.cassette(path, mode=...)"
            )
        if self._is_method():
            args = args[1:]
        asked = RecordedRequest(
            method="POST",
            url=TOOL_URL + self.name,
            headers=(("content-type", "application/json"),),
            body=json.dumps(
                {"args": args, "kwargs": kwargs}, default=_as_data, sort_keys=True
            ).encode(),
        )
        agent = scope_here(world.root).agent or ""
        found = replay.take(asked, agent, own_name_here(), "")
        if found is None and self.mutates and replay.replays:
            raise CassetteError(
                f"tool {self.name!r} changes something outside, and this use of it is not recorded: it never runs beside a replay\n"
                '  How to fix: record everything anew with mode="all", or say `mutates=False` if it only reads'
            )
        return asked, found

    def _is_method(self) -> bool:
        place, name = place_of(self.replaces)
        return inspect.isclass(place) and not isinstance(vars(place).get(name), staticmethod)

    def _run(
        self, world: ProgramWorld, asked: RecordedRequest, call: Callable[[], Any]
    ) -> RecordedResponse:
        """Call the function for real, and keep what it gives."""
        replay, start_s = world.replay, world.kernel.now_s()
        assert replay is not None, "it was asked"
        assert replay.live is not None, "it was asked"
        began_s = wall.elapsed_s()
        status, said = _RETURNED, b""
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - raised again, from the recording, as a replay would
            status = _RAISED
            said = json.dumps(
                {"error": {"type": type(error).__name__, "message": str(error)}}
            ).encode()
        else:
            said = self._written(result)
        took_s = round(wall.elapsed_s() - began_s, 6)
        response = RecordedResponse(
            status=status,
            headers=(("content-type", "application/json"),),
            body=said,
            timing=Timing(headers_s=took_s, end_s=took_s),
        )
        agent = scope_here(world.root).agent or ""
        replay.live.keep(Taken(asked, response, agent, 0, own_name_here(), start_s))
        return response

    def _written(self, result: object) -> bytes:
        try:
            return json.dumps({"result": result}).encode()
        except (TypeError, ValueError):
            raise HarnessError(
                f"tool {self.name!r} gave a value of type {type(result).__name__}, and a cassette holds what JSON can say\n"
                "  How to fix: replace a function around it that returns texts, numbers, lists and mappings"
            ) from None


def _took_s(response: RecordedResponse) -> float:
    return 0.0 if response.timing is None else response.timing.end_s


def _outcome(response: RecordedResponse) -> Any:  # noqa: ANN401 - the function's
    """The result that was recorded, or the error, as the built-in class that it was; others as a `ToolError`."""
    said = json_of(response.body)
    if response.status == _RETURNED:
        return said["result"]
    error = said["error"]
    kind = getattr(builtins, str(error["type"]), None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        raise kind(error["message"])
    raise ToolError(f"{error['type']}: {error['message']}")


def _as_data(value: Any) -> Any:  # noqa: ANN401 - whatever a tool is given
    """An argument as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    return _ADDRESS.sub("", repr(value))
