"""Arrays spread over eight devices: the tests that tests/test_jax_sharding.py runs in a process of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cenote
from arrays import fill
from jax_here import compiled_text, jax, marks, same_bytes

pytestmark = marks
jnp = jax.numpy
P = jax.sharding.PartitionSpec
X = fill((8, 4, 12, 16), "float32", "ties", 1)
OPERATORS = [("max", {}), ("min", {}), ("avg", {}), ("sum", {}), ("lp", {}), ("lp", {"p": float("inf")})]
WINDOW: dict[str, Any] = {"stride": 2, "padding": 1}
SPREADS = [P("a", "b"), P("a"), P(None, "b"), P(("a", "b")), P("b", "a"), P(None, ("a",))]
MOVES = ("all-gather", "all-to-all", "collective-permute", "all-reduce")


def mesh() -> Any:
    return jax.sharding.Mesh(np.array(jax.devices()).reshape(4, 2), ("a", "b"))


def spread(spec: Any, x: np.ndarray = X) -> Any:
    return jax.device_put(x, jax.sharding.NamedSharding(mesh(), spec))


def pool(op: str, own: dict[str, Any]) -> Any:
    return lambda x: getattr(cenote.jax, f"{op}_pool")(x, 3, **WINDOW, **own)


def moves(f: Any, *args: Any) -> list[str]:
    text = compiled_text(f, *args)
    assert "cenote_" in text
    return [move for move in MOVES if move in text]


def shards_of(y: Any) -> set[tuple[int, ...]]:
    return {shard.data.shape for shard in y.addressable_shards}


@pytest.mark.parametrize("spec", SPREADS, ids=str)
@pytest.mark.parametrize(("op", "own"), OPERATORS, ids=str)
def test_batches_and_channels_stay_where_they_are(op: str, own: dict[str, Any], spec: Any) -> None:
    x, f = spread(spec), pool(op, own)
    want, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), X, 3, **WINDOW, **own)
    y = jax.jit(f)(x)
    same_bytes(y, want)
    part = x.addressable_shards[0].data.shape
    assert shards_of(y) == {(*part[:2], 6, 8)}
    assert moves(f, x) == []
    gradient = lambda x: jax.grad(lambda x: (f(x) ** 2).sum())(x)  # noqa: E731
    dx = jax.jit(gradient)(x)
    same_bytes(dx, pullback(2 * want))
    assert shards_of(dx) == {part}
    assert moves(gradient, x) == []


def test_positions_too() -> None:
    f = lambda x: cenote.jax.max_pool(x, 3, **WINDOW, return_indices=True)  # noqa: E731
    x = spread(P("a", "b"))
    for got, want in zip(jax.jit(f)(x), cenote.max_pool(X, 3, **WINDOW, return_indices=True), strict=True):
        np.testing.assert_array_equal(got, want)
    assert moves(f, x) == []


def test_channels_last() -> None:
    f = lambda x: cenote.jax.flax.avg_pool(x, (3, 3), (2, 2), "SAME")  # noqa: E731
    x = spread(P("a", None, None, "b"))
    same_bytes(jax.jit(f)(x), cenote.avg_pool(X, 3, stride=2, padding="same", divisor="window", axes="NHWC"))
    assert moves(f, x) == []


@pytest.mark.parametrize("spec", [P(None, None, "a"), P("a", None, "b"), P(None, None, "a", "b"), P("a", "b", None)])
def test_an_axis_that_is_pooled_is_brought_together_first(spec: Any) -> None:
    x = spread(spec)
    want, pullback = cenote.vjp(cenote.max_pool, X, 3, **WINDOW)
    same_bytes(jax.jit(pool("max", {}))(x) + 0, want + 0)
    same_bytes(jax.jit(jax.grad(lambda x: (pool("max", {})(x) ** 2).sum()))(x), pullback(2 * want))
    pooled = len(spec) > 2 and any(spec[2:])
    assert moves(pool("max", {}), x) == (["all-gather"] if pooled else [])


def test_tangents_in_a_batch_share_offsets_that_are_spread() -> None:
    x, f = spread(P("a", "b")), pool("max", {})
    push = lambda x: jax.vmap(lambda t: jax.jvp(f, (x,), (t,))[1])(jnp.stack([x, 2 * x, -x]))  # noqa: E731
    same_bytes(jax.jit(push)(x), push(jnp.asarray(X)))
    assert moves(push, x) == []


def test_a_constraint_inside_and_one_on_the_result() -> None:
    sharding = jax.sharding.NamedSharding(mesh(), P("a", "b"))
    f = pool("max", {})
    inner = lambda x: f(jax.lax.with_sharding_constraint(x, sharding))  # noqa: E731
    want = cenote.max_pool(X, 3, **WINDOW)
    same_bytes(jax.jit(inner)(X) + 0, want + 0)
    assert moves(inner, X) == []
    y = jax.jit(f, out_shardings=sharding)(X)
    same_bytes(y + 0, want + 0)
    assert shards_of(y) == {(2, 2, 6, 8)}


def test_a_batch_that_does_not_divide_evenly() -> None:
    sharding = jax.sharding.NamedSharding(mesh(), P("a"))
    f = lambda x: pool("avg", {})(jax.lax.with_sharding_constraint(x, sharding))  # noqa: E731
    same_bytes(jax.jit(f)(X[:7]), cenote.avg_pool(X[:7], 3, **WINDOW))


def shard_map(f: Any, spec: Any, **words: Any) -> Any:
    if hasattr(jax, "shard_map"):
        return jax.shard_map(f, mesh=mesh(), in_specs=spec, out_specs=spec, **words)
    from jax.experimental.shard_map import shard_map as older

    return older(f, mesh=mesh(), in_specs=spec, out_specs=spec, **words)


@pytest.mark.parametrize(("op", "own"), OPERATORS, ids=str)
def test_shard_map(op: str, own: dict[str, Any]) -> None:
    """Its checks of how results vary stay on."""
    want, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), X, 3, **WINDOW, **own)
    f = pool(op, own)
    for run in (shard_map(f, P("a", "b")), jax.jit(shard_map(f, P("a", "b")))):
        same_bytes(run(X), want)
    gradient = shard_map(lambda x: jax.grad(lambda x: (f(x) ** 2).sum())(x), P("a", "b"))
    same_bytes(gradient(X), pullback(2 * want))
    outside = jax.grad(lambda x: (shard_map(f, P("a", "b"))(x) ** 2).sum())(jnp.asarray(X))
    same_bytes(outside, pullback(2 * want))
    mixed = shard_map(lambda x: jax.jvp(jax.grad(lambda x: (f(x) ** 3).sum()), (x,), (x,))[1], P("a", "b"))
    # one product more or less in one order or another
    np.testing.assert_allclose(mixed(X), jax.jvp(jax.grad(lambda x: (f(x) ** 3).sum()), (X,), (X,))[1], rtol=1e-5)


@pytest.mark.skipif(not hasattr(jax, "shard_map"), reason="this version of JAX cannot map over some axes only")
def test_shard_map_over_one_of_two_axes() -> None:
    f = shard_map(pool("max", {}), P("a"), axis_names={"a"})
    x = spread(P("a", "b"))
    same_bytes(jax.jit(f)(x) + 0, cenote.max_pool(X, 3, **WINDOW) + 0)
    assert moves(f, x) == []


def test_shardings_that_are_part_of_types() -> None:
    if not (hasattr(jax.sharding, "AxisType") and hasattr(jax, "set_mesh")):
        pytest.skip("this version of JAX has no explicit shardings")
    made = jax.make_mesh((4, 2), ("a", "b"), axis_types=(jax.sharding.AxisType.Explicit,) * 2)
    want, pullback = cenote.vjp(cenote.max_pool, X, 3, **WINDOW)
    f = pool("max", {})
    with jax.set_mesh(made):
        x = jax.device_put(X, P("a", "b"))
        y = jax.jit(f)(x)
        assert tuple(jax.typeof(y).sharding.spec)[:2] == ("a", "b")
        same_bytes(y + 0, want + 0)
        gradient = lambda x: jax.grad(lambda x: (f(x) ** 2).sum())(x)  # noqa: E731
        same_bytes(jax.jit(gradient)(x), pullback(2 * want))
        assert moves(gradient, x) == []
        with pytest.raises(cenote.CenoteError, match="^max_pool: axis -2 is pooled and spread over the mesh axis 'a'"):
            jax.jit(f)(jax.device_put(X, P(None, None, "a")))


def test_an_axis_of_the_mesh_with_one_device_cuts_nothing() -> None:
    if not (hasattr(jax.sharding, "AxisType") and hasattr(jax, "set_mesh")):
        pytest.skip("this version of JAX has no explicit shardings")
    made = jax.make_mesh((8, 1), ("a", "b"), axis_types=(jax.sharding.AxisType.Explicit,) * 2)
    f = pool("max", {})
    want, pullback = cenote.vjp(cenote.max_pool, X, 3, **WINDOW)
    with jax.set_mesh(made):
        x = jax.device_put(X, P("a", None, "b"))
        same_bytes(jax.jit(f)(x) + 0, want + 0)
        same_bytes(jax.jit(jax.grad(lambda x: (f(x) ** 2).sum()))(x), pullback(2 * want))
        assert moves(f, x) == []


def test_pmap() -> None:
    got = jax.pmap(pool("avg", {}))(X)
    same_bytes(got, cenote.avg_pool(X, 3, **WINDOW))
