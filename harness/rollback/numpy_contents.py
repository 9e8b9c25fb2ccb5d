"""Contents of numpy arrays and generators; numpy is not imported if the program does not use it."""

from __future__ import annotations

import pickle
import sys
from typing import Any

from harness.rollback.kind import Kind

_LARGEST = 10_000_000
"""Arrays with more bytes, such as tables of embeddings, are not copied for each run."""


def numpy_kinds_of(cls: type) -> list[Kind]:
    """How the instances of a class of numpy are read; none for any other class."""
    numpy: Any = sys.modules.get("numpy")
    generators: Any = sys.modules.get("numpy.random")
    if numpy is not None and issubclass(cls, getattr(numpy, "ndarray", ())):
        return [_ARRAY]
    if generators is None:
        return []
    if issubclass(cls, generators.Generator):
        return [Kind(lambda thing: [thing.bit_generator])]
    if issubclass(cls, generators.BitGenerator):
        return [Kind(lambda thing: pickle.dumps(thing.state), _write_bits)]
    if issubclass(cls, generators.RandomState):
        return [Kind(lambda thing: pickle.dumps(thing.get_state()), _write_random)]
    return []


def _read_array(array: Any) -> Any:  # noqa: ANN401 - numpy may not be installed
    if array.dtype.hasobject:
        return array.reshape(-1).tolist()
    return array.tobytes() if array.nbytes <= _LARGEST else array.shape


def _write_array(array: Any, contents: Any) -> None:  # noqa: ANN401 - see above
    if isinstance(contents, tuple):
        raise TypeError("an array of this size is not copied")
    flat = array.dtype.type if array.dtype.hasobject else None
    if flat is None:
        array[...] = sys.modules["numpy"].frombuffer(contents, array.dtype).reshape(array.shape)
    else:
        for at, value in enumerate(contents):
            array.flat[at] = value


def _write_bits(generator: Any, state: bytes) -> None:  # noqa: ANN401 - see above
    generator.state = pickle.loads(state)  # noqa: S301 - written above


def _write_random(generator: Any, state: bytes) -> None:  # noqa: ANN401 - see above
    generator.set_state(pickle.loads(state))  # noqa: S301 - written above


_ARRAY = Kind(_read_array, _write_array)
