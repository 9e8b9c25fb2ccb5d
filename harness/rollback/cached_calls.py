"""Read and restore the contents of an `lru_cache`.

The cache is written in C and shows its sizes alone. Its contents are read from the garbage collector, which is told of
all that the cache refers to, and put back by calling it while its function gives the results that it gave.
"""

from __future__ import annotations

import functools
import gc
from types import FunctionType
from typing import Any


def _replay(*_: object, **__: object) -> object:
    results: Any = "results"
    return results.pop(0)


def calls_in(cache: Any) -> dict[Any, Any]:  # noqa: ANN401 - a function with a cache
    """The results in a cache by their keys, those last used at the end."""
    if not cache.cache_info().currsize:
        return {}
    referents = gc.get_referents(cache)
    if cache.cache_info().maxsize is None:
        return dict(next(one for one in referents if type(one) is dict))
    ends = [at for at, one in enumerate(referents) if one is _LINK]
    return {referents[at - 2]: referents[at - 1] for at in ends[: cache.cache_info().currsize]}


def put_calls(cache: Any, calls: dict[object, object]) -> None:  # noqa: ANN401 - see above
    """Replace the contents of a cache by these results.

    Raises:
        TypeError: They cannot be put back, since what the cache calls is no function of Python.
    """
    cache.cache_clear()
    if not calls:
        return
    if cache.cache_info().maxsize is None:
        _mapping_of(cache).update(calls)
        return
    function = cache.__wrapped__
    if type(function) is not FunctionType:
        raise TypeError(
            "the results of a function that is not written in Python cannot be put back"
        )
    code, consts = function.__code__, _replay.__code__.co_consts
    results = list(calls.values())
    function.__code__ = _replay.__code__.replace(
        co_consts=tuple(results if one == "results" else one for one in consts),
        co_freevars=code.co_freevars,
    )
    try:
        for key in calls:
            args, kwargs = _arguments(cache, key)
            cache(*args, **kwargs)
    finally:
        function.__code__ = code


def _mapping_of(cache: object) -> dict[Any, Any]:
    """The dictionary of a cache without bound; it is the first, as its attributes come last."""
    found: dict[Any, Any] = next(one for one in gc.get_referents(cache) if type(one) is dict)
    return found


def _arguments(cache: Any, key: object) -> tuple[tuple[object, ...], dict[str, Any]]:  # noqa: ANN401 - see above
    """The arguments that `functools` makes such a key of."""
    if type(key) is not tuple:
        return (key,), {}
    if cache.cache_parameters()["typed"]:
        count = next(n for n in range(len(key) + 1) if _typed_length(key[:n]) == len(key))
        key = key[:count]
    mark = next((at for at, one in enumerate(key) if one is _MARK), len(key))
    named = key[mark + 1 :]
    return key[:mark], dict(zip(named[::2], named[1::2], strict=True))


def _typed_length(key: tuple[object, ...]) -> int:
    """How long a key is that goes on with the type of each argument."""
    mark = next((at for at, one in enumerate(key) if one is _MARK), len(key))
    return len(key) + mark + len(key[mark + 1 :]) // 2


@functools.lru_cache
def _marked(**_: object) -> None: ...


_marked(a=1)
_LINK = next(one for one in gc.get_referents(_marked) if getattr(one, "__name__", "") == "_lru_list_elem")  # fmt: skip
"""The class of a cache's entries, which the garbage collector is told of after each key and result."""
_MARK: object = next(iter(calls_in(_marked)))[0]
"""What `functools` puts between the arguments by place and those by name."""
