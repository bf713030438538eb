"""The one file that knows names of JAX that are not promised to stay, each with what is done where it is gone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, Protocol, cast

import jax
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad
from jax.sharding import NamedSharding, PartitionSpec, SingleDeviceSharding

from ..errors import bad

Aval = Any
Run = Callable[..., Any]


def array_type(like: Aval, shape: tuple[int, ...], dtype: Any, pooled: Sequence[int], who: str) -> Aval:
    """The abstract value of a result that is laid out over devices as ``like`` is, apart from the axes ``pooled``
    (counted from the end), which are whole everywhere; ``who`` refuses others.

    An abstract value carries its sharding, and what varies within a shard_map, under names that change with every
    release; ``update`` keeps them, whatever they are.
    """
    if hasattr(like, "update") and len(shape) == len(like.shape):
        _check_whole(like, pooled, who)
        return like.update(shape=tuple(shape), dtype=np.dtype(dtype), weak_type=False)
    return jax.core.ShapedArray(tuple(shape), np.dtype(dtype))


def _check_whole(like: Aval, pooled: Sequence[int], who: str) -> None:
    """Where shardings are part of types, an axis that is cut cannot be pooled: JAX wants to be told what to do."""
    spec = getattr(getattr(like, "sharding", None), "spec", None)
    if spec is None:
        return
    parts = tuple(spec) + (None,) * (len(like.shape) - len(spec))
    for axis in pooled:
        if parts[axis] not in (None, PartitionSpec.UNCONSTRAINED) and _devices(like.sharding.mesh, parts[axis]) > 1:
            raise bad(
                who,
                f"axis {axis} is pooled and spread over the mesh axis {parts[axis]!r}",
                "bring it together first: jax.sharding.reshard(x, ...)",
            )


def _devices(mesh: Any, names: str | tuple[str, ...]) -> int:
    """Over how many an axis is spread that is spread over these axes of the mesh."""
    return math.prod(mesh.shape[name] for name in ((names,) if isinstance(names, str) else names))


def zero_tangent(value: Any) -> Any:
    """A tangent of nothing but zeros, for this array."""
    typeof = jax.typeof if hasattr(jax, "typeof") else jax.core.get_aval
    return ad.Zero(typeof(value).to_tangent_aval())


def run_alone(primitive: Primitive) -> Run:
    """How it runs outside of any transformation: compiled, as JAX runs its own."""
    try:
        from jax._src.dispatch import apply_primitive
    except ImportError:
        return partial(_run_compiled, primitive)
    return partial(apply_primitive, primitive)


@lru_cache(maxsize=2048)
def _compiled(primitive: Primitive, **params: Any) -> Run:
    return cast(Run, jax.jit(partial(primitive.bind, **params)))


def _run_compiled(primitive: Primitive, *arrays: Any, **params: Any) -> Any:
    with jax.disable_jit(False):  # a primitive runs compiled even where nothing else is to be
        return _compiled(primitive, **params)(*arrays)


def _tell_devices(primitives: Sequence[Primitive]) -> bool:
    """Let JAX say, when one of them is lowered, for which devices; custom_partitioning asks, and JAX tells it only to
    functions in which it has seen a primitive that does."""
    try:
        from jax._src.dispatch import prim_requires_devices_during_lowering as asking
    except ImportError:
        return False
    asking.update(primitives)
    return True


def known(primitives: Sequence[Primitive]) -> None:
    """What JAX has to be told of primitives apart from their rules."""
    _Partitioning.works = _tell_devices(primitives)
    for primitive in primitives:
        _allow_in_shard_map(primitive)


class _Partitioning:
    """Without it results are the same, but XLA gathers arrays that are spread over devices before a call."""

    works: bool = False


def _allow_in_shard_map(primitive: Primitive) -> None:
    """Before JAX 0.7 a shard_map wants to know of every primitive how its results vary over the devices (ours: as its
    arguments); later it reads that off the abstract values."""
    with suppress(ImportError, AttributeError):
        from jax.experimental import shard_map as module

        module.register_standard_check(primitive)
        module.register_standard_rewrite(primitive)


class Spreads(Protocol):
    """What ``partitioned`` asks; see sharding.py. XLA ends the process when one of them raises."""

    @property
    def rule(self) -> str:
        """The axes of all arrays by name."""

    def operands(self, operands: Sequence[Any], results: Sequence[Any]) -> tuple[Any, ...]:
        """The shardings that the operands must have, where XLA would like those of these arrays."""

    def results(self, operands: Sequence[Any], results: Sequence[Any]) -> tuple[Any, ...]:
        """The shardings that the results have then."""


def partitioned(run: Run, spreads: Spreads) -> Run:
    """``run(*arrays)``, a tuple of results, split over devices where an array is: each computes what it has.

    Without custom_partitioning XLA would gather whole arrays before a call that it cannot look into.
    """
    try:
        from jax.experimental.custom_partitioning import custom_partitioning
    except ImportError:
        return run
    if not _Partitioning.works:
        return run

    def infer(mesh: Any, operands: Sequence[Any], results: Sequence[Any]) -> Any:
        return spreads.results(operands, ())

    def partition(mesh: Any, operands: Sequence[Any], results: Sequence[Any]) -> Any:
        return mesh, run, spreads.results(operands, results), spreads.operands(operands, results)

    wrapped: Any = custom_partitioning(run)
    wrapped.def_partition(partition=partition, infer_sharding_from_operands=infer, sharding_rule=spreads.rule)
    return cast(Run, wrapped)


def is_spread(sharding: Any) -> bool:
    """Does it say that an array is in parts on several devices?"""
    return sharding is not None and not sharding.is_fully_replicated


def with_whole_axes(sharding: Any, shape: tuple[int, ...], ndim: int, pooled: Sequence[int]) -> Any:
    """``sharding`` of an array of ``shape``, made one of an array of ``ndim`` axes that ends alike: an axis in front
    that only one of the two has, and the axes ``pooled``, are whole everywhere."""
    if isinstance(sharding, NamedSharding):
        spec = (None,) * ndim + tuple(sharding.spec) + (None,) * (len(shape) - len(sharding.spec))
        parts = list(spec[len(spec) - ndim :]) if ndim else []
        for axis in pooled:
            parts[axis] = None
        return NamedSharding(sharding.mesh, PartitionSpec(*parts))
    # Without a mesh in scope JAX before 0.6 tells only XLA's own description, which cannot be edited by public names:
    # it is kept where it says what is wanted, and everything is whole where it does not.
    if sharding is not None and len(shape) == ndim:
        with suppress(Exception):  # an axis that does not divide evenly has no shape of a part
            part = sharding.shard_shape(shape)
            if all(part[axis] == shape[axis] for axis in pooled):
                return sharding
    return SingleDeviceSharding(jax.devices()[0])  # to XLA: whole, wherever it is
