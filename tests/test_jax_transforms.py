"""cenote.jax inside JAX's transformations: what they give is compared with NumPy's functions, or with each other."""

from __future__ import annotations

import pickle
import threading
from functools import partial
from typing import Any

import numpy as np
import pytest

import cenote
from arrays import fill
from cases import OPERATORS
from cenote.catalogue import OPS, Derivative
from jax_here import compiled_text, jax, marks, same_bytes, x64

jnp = jax.numpy
pytestmark = marks

WINDOW: dict[str, Any] = {"stride": 2, "padding": 1}
# Norms of each kind: even, odd, below 2, the largest absolute value.
ROWS = [(op, {}) for op in OPERATORS if op != "lp"] + [("lp", {"p": p}) for p in (1, 1.5, 2, 3.0, float("inf"))]
NAMES = [f"{op}{''.join(map(str, own.values()))}" for op, own in ROWS]


def pool(op: str, own: dict[str, Any], x: Any) -> Any:
    return getattr(cenote.jax, f"{op}_pool")(x, 3, **WINDOW, **own)


def numpy_vjp(op: str, own: dict[str, Any], x: np.ndarray) -> Any:
    return cenote.vjp(getattr(cenote, f"{op}_pool"), x, 3, **WINDOW, **own)


@pytest.fixture(params=ROWS, ids=NAMES)
def row(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_grad(row: tuple[str, dict[str, Any]], dtype: str) -> None:
    x = fill((2, 3, 8, 9), dtype, "random", 1)
    y, pullback = numpy_vjp(*row, x)
    g = fill(y.shape, dtype, "random", 2)
    same_bytes(jax.grad(lambda x: (pool(*row, x) * g).astype(np.float32).sum())(jnp.asarray(x)), pullback(g))
    same_bytes(jax.jit(jax.grad(lambda x: (pool(*row, x) * g).astype(np.float32).sum()))(x), pullback(g))


def test_derivatives_of_every_order_are_those_of_the_numbers(row: tuple[str, dict[str, Any]]) -> None:
    """Forward and backward, nested, against differences of the values."""
    from jax.test_util import check_grads

    with x64():
        x = jnp.asarray(fill((1, 5, 6), "float64", "random", 4))
        order = 1 if row[1].get("p") == 1.5 else 2  # its second derivative is steep near 0
        check_grads(partial(pool, *row), (x,), order=order, modes=("fwd", "rev"))
        if not row[1]:
            check_grads(lambda x: pool(*row, x) ** 3, (x,), order=3, modes=("fwd", "rev"))


def test_forward_and_backward_give_one_jacobian(row: tuple[str, dict[str, Any]]) -> None:
    with x64():
        x = jnp.asarray(fill((2, 5, 6), "float64", "random", 4))
        forward, backward = (jac(partial(pool, *row))(x) for jac in (jax.jacfwd, jax.jacrev))
        # one entry is one tap's: of norms a few roundings each, of the others the same number
        np.testing.assert_allclose(forward, backward, rtol=1e-13 if row[0] == "lp" else 0, atol=0)


def test_hessian(row: tuple[str, dict[str, Any]]) -> None:
    with x64():
        x = jnp.asarray(fill((4, 5), "float64", "random", 6))
        loss = lambda x: (pool(*row, x) ** 3).sum()  # noqa: E731
        hessian = jax.hessian(loss)(x)
        twice = jax.jacrev(jax.jacrev(loss))(x)
        # sums of a few products, each a few roundings off
        np.testing.assert_allclose(hessian, twice, rtol=1e-11, atol=1e-11)
        product = jax.grad(lambda x: jnp.vdot(jax.grad(loss)(x), jnp.ones_like(x)))(x)
        np.testing.assert_allclose(hessian.sum((2, 3)), product, rtol=1e-11, atol=1e-11)


def test_a_gradient_of_a_gradient_of_a_maximum() -> None:
    """x**2 at the winner has the second derivative 2 there, once for each window that it wins."""
    x = jnp.asarray([0.0, 0, 9, 0, 0, 0, 1, 0])
    loss = lambda x: (cenote.jax.max_pool(x, (4,), stride=2) ** 2).sum()  # noqa: E731
    assert jax.grad(loss)(x).tolist() == [0, 0, 36, 0, 0, 0, 2, 0]
    assert jax.grad(lambda x: jax.grad(loss)(x).sum())(x).tolist() == [0, 0, 4, 0, 0, 0, 2, 0]


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1])
def test_vmap(row: tuple[str, dict[str, Any]], axis: int) -> None:
    x = fill((3, 8, 9, 2), "float32", "random", 1)
    stacked = np.stack([x, x[::-1], -x], axis=axis if axis >= 0 else x.ndim)
    got = jax.vmap(partial(pool, *row), in_axes=axis)(stacked)
    for one, part in zip(got, np.moveaxis(stacked, axis, 0), strict=True):
        same_bytes(one, numpy_vjp(*row, part)[0])


def test_vmap_of_grad_and_grad_of_vmap(row: tuple[str, dict[str, Any]]) -> None:
    x = fill((4, 2, 8, 9), "float32", "random", 1)
    loss = lambda x: (pool(*row, x) ** 2).sum()  # noqa: E731
    each = jax.vmap(jax.grad(loss))(x)
    for one, part in zip(each, x, strict=True):
        y, pullback = numpy_vjp(*row, part)
        same_bytes(one, pullback(2 * y))
    same_bytes(jax.grad(lambda x: jax.vmap(loss)(x).sum())(jnp.asarray(x)), each)


def test_vmap_within_vmap_over_either_operand() -> None:
    """Tangents in a batch of their own share the offsets, and offsets in a batch share a tangent."""
    x = jnp.asarray(fill((2, 3, 6, 7), "float32", "ties", 1))
    t = jnp.asarray(fill((5, 4, 6, 7), "float32", "random", 2))
    f = partial(pool, "max", {})
    push = lambda x, t: jax.jvp(f, (x,), (t,))[1]  # noqa: E731
    every = jax.vmap(jax.vmap(jax.vmap(jax.vmap(push, (None, 0)), (None, 0)), (0, None)), (0, None))(x, t)
    assert every.shape == (2, 3, 5, 4, 3, 4)
    crossed = jax.vmap(jax.vmap(jax.vmap(jax.vmap(push, (0, None)), (None, 0)), (0, None)), (None, 0))(x, t)
    for i in np.ndindex(2, 3, 5, 4):
        want = push(x[i[0], i[1]], t[i[2], i[3]])
        same_bytes(every[i], want)
        same_bytes(crossed[i[2], i[0], i[3], i[1]], want)
    pull = lambda x, g: jax.vjp(f, x)[1](g)[0]  # noqa: E731
    g = jnp.asarray(fill((5, 3, 4), "float32", "random", 2))
    back = jax.vmap(jax.vmap(jax.vmap(pull, (None, 0)), (0, None)), (0, None))(x, g)
    mixed = jax.vmap(jax.vmap(jax.vmap(pull, (0, None)), (None, 0)), (0, None))(x, g)
    for i in np.ndindex(2, 3, 5):
        same_bytes(back[i], pull(x[i[0], i[1]], g[i[2]]))
        same_bytes(mixed[i[0], i[2], i[1]], back[i])


@pytest.mark.parametrize("own", [{}, {"p": 3.0}], ids=["max", "lp"])
def test_batches_of_either_operand_are_differentiated_too(own: dict[str, Any]) -> None:
    f = partial(pool, "lp" if own else "max", own)
    with x64():
        x = jnp.asarray(fill((2, 5, 6), "float64", "random", 1))
        t = jnp.asarray(fill((3, 5, 6), "float64", "random", 2))
        push = jax.vmap(jax.vmap(lambda x, t: jax.jvp(f, (x,), (t,))[1], (None, 0)), (0, None))
        got = jax.grad(lambda x, t: (push(x, t) ** 2).sum(), argnums=(0, 1))(x, t)
        one = lambda x, t: (jax.jvp(f, (x,), (t,))[1] ** 2).sum()  # noqa: E731
        slow = lambda x, t: sum(one(a, b) for a in x for b in t)  # noqa: E731
        want = jax.grad(slow, argnums=(0, 1))(x, t)
        for a, b in zip(got, want, strict=True):  # sums of a dozen products, in another order
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_offsets_of_one_byte_are_all_that_a_maximum_keeps() -> None:
    """Seen in the pullback itself: its leaves are what it holds."""
    x = jnp.asarray(fill((2, 3, 64, 64), "float32", "random", 1))
    for op, kept in (("max", [np.uint8]), ("min", [np.uint8]), ("avg", []), ("sum", [])):
        _, pullback = jax.vjp(partial(pool, op, {}), x)
        leaves = [leaf for leaf in jax.tree.leaves(pullback) if getattr(leaf, "size", 0) > 64]
        assert [leaf.dtype for leaf in leaves] == kept, op
        assert all(leaf.shape == (2, 3, 32, 32) for leaf in leaves)
    _, pullback = jax.vjp(partial(pool, "lp", {}), x)
    assert [leaf.shape for leaf in jax.tree.leaves(pullback) if getattr(leaf, "size", 0) > 64] == [x.shape]


def test_scan_and_while_and_cond() -> None:
    x = fill((6, 8, 9), "float32", "random", 3)

    def step(total: Any, x: Any) -> Any:
        y = cenote.jax.max_pool(x, 2)
        return total + y.sum(), y

    _, ys = jax.lax.scan(step, jnp.float32(0), x)
    same_bytes(ys, cenote.max_pool(x, 2))
    slopes = jax.grad(lambda x: jax.lax.scan(step, jnp.float32(0), x)[0])(jnp.asarray(x))
    same_bytes(slopes, cenote.vjp(cenote.max_pool, x, 2)[1](np.ones((6, 4, 4), np.float32)))
    halved = jax.lax.while_loop(lambda x: x[0].sum() > -1e9, lambda x: (x[0] - 1e10, x[1]), (jnp.asarray(x), 0))
    assert halved[0].shape == x.shape
    picked = jax.lax.cond(True, partial(pool, "max", {}), partial(pool, "avg", {}), jnp.asarray(x))
    same_bytes(picked, numpy_vjp("max", {}, x)[0])
    looped = jax.jit(lambda x: jax.lax.fori_loop(0, 3, lambda i, v: cenote.jax.max_pool(v, 3, stride=1, padding=1), x))
    same_bytes(looped(x), cenote.max_pool(x, 7, stride=1, padding=3))


def test_remat(row: tuple[str, dict[str, Any]]) -> None:
    x = jnp.asarray(fill((2, 8, 9), "float32", "random", 3))
    loss = lambda x: (pool(*row, jnp.sin(x)) ** 2).sum()  # noqa: E731
    policy = jax.checkpoint_policies.nothing_saveable
    same_bytes(jax.grad(jax.checkpoint(loss))(x), jax.grad(loss)(x))
    same_bytes(jax.jit(jax.grad(jax.checkpoint(loss, policy=policy)))(x), jax.jit(jax.grad(loss))(x))


def test_linearize_and_linear_transpose(row: tuple[str, dict[str, Any]]) -> None:
    x, t = (jnp.asarray(fill((2, 8, 9), "float32", "random", seed)) for seed in (3, 4))
    y, linear = jax.linearize(partial(pool, *row), x)
    same_bytes(linear(t), jax.jvp(partial(pool, *row), (x,), (t,))[1])
    if OPS[row[0]].derivative is Derivative.LINEAR:
        (back,) = jax.linear_transpose(partial(pool, *row), x)(y)
        same_bytes(back, jax.vjp(partial(pool, *row), x)[1](y)[0])
    else:
        with pytest.raises(NotImplementedError, match=f"{row[0]}_pool: {row[0]} is not linear, .* jax.vjp"):
            jax.linear_transpose(partial(pool, *row), x)(y)


def test_whole_numbers_have_values_and_no_gradient() -> None:
    x = np.array([[1, 9, 2, 8], [3, 4, 5, 7]], np.int32)
    assert jax.jit(lambda x: cenote.jax.max_pool(x, 2))(x).tolist() == [[9, 8]]
    assert jax.jit(lambda x: cenote.jax.max_pool(x > 4, 2))(x).tolist() == [[True, True]]
    with pytest.raises(TypeError, match="grad requires real"):
        jax.grad(lambda x: cenote.jax.max_pool(x, 2).sum())(x)
    _, slope = jax.vjp(lambda x, s: (cenote.jax.max_pool(x, 2) * s).sum(), jnp.asarray(x), 2.0)
    found = slope(1.0)
    assert found[0].dtype == jax.dtypes.float0
    assert found[1] == 17


def test_positions_have_no_gradient_and_values_beside_them_have() -> None:
    x = fill((3, 8, 9), "float32", "ties", 3)
    (y, at), back = jax.vjp(lambda x: cenote.jax.max_pool(x, 3, return_indices=True), jnp.asarray(x))
    want, pullback = cenote.vjp(cenote.max_pool, x, 3)
    (dx,) = back((y, np.zeros(at.shape, jax.dtypes.float0)))
    same_bytes(dx, pullback(want))
    (y, _), (slope, none) = jax.jvp(
        lambda x: cenote.jax.max_pool(x, 3, return_indices=True), (jnp.asarray(x),), (jnp.asarray(x),)
    )
    same_bytes(slope + 0, y + 0)
    assert none.dtype == jax.dtypes.float0


@pytest.mark.parametrize("form", ["avg", "sum"])
def test_complex_numbers(form: str) -> None:
    x = fill((2, 6, 6), "complex64", "random", 3)
    function, numpy = getattr(cenote.jax, f"{form}_pool"), getattr(cenote, f"{form}_pool")
    same_bytes(jax.jit(lambda x: function(x, 3))(x), numpy(x, 3))
    y, back = jax.vjp(lambda x: function(x, 3), jnp.asarray(x))
    same_bytes(back(y)[0], cenote.vjp(numpy, x, 3)[1](np.asarray(y)))


def test_shapes_without_values_and_the_text_of_a_trace() -> None:
    struct = jax.ShapeDtypeStruct((2, 3, 9, 9), np.float16)
    assert jax.eval_shape(partial(pool, "max", {}), struct).shape == (2, 3, 5, 5)
    assert jax.eval_shape(lambda x: cenote.jax.adaptive_avg_pool(x, (None, 4)), struct).shape == (2, 3, 9, 4)
    y, at = jax.eval_shape(lambda x: cenote.jax.global_max_pool(x, return_indices=True), struct)
    assert (y.shape, y.dtype, at.shape, at.dtype) == ((2, 3), np.float16, (2, 3), np.int32)
    text = str(jax.make_jaxpr(jax.grad(lambda x: pool("max", {}, x).sum()))(jnp.zeros((4, 4))))
    for name in ("cenote_select", "cenote_up"):
        assert name in text
    assert "pure_callback" not in text


def test_no_call_back_into_python() -> None:
    for f in (partial(pool, "max", {}), jax.grad(lambda x: pool("lp", {"p": 3.0}, x).sum())):
        text = compiled_text(f, jnp.zeros((2, 8, 8)))
        assert "cenote_" in text
        assert "callback" not in text


def test_donated_buffers() -> None:
    x = fill((2, 3, 8, 8), "float32", "random", 3)
    f = jax.jit(lambda x: pool("max", {}, x), donate_argnums=0)
    g = jax.jit(jax.grad(lambda x: (pool("max", {}, x) ** 2).sum()), donate_argnums=0)
    y, pullback = numpy_vjp("max", {}, x)
    for _ in range(3):
        same_bytes(g(jnp.array(x)), pullback(2 * y))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns that a smaller result cannot use the memory
        same_bytes(f(jnp.array(x)), y)


def test_arrays_survive_pickling_on_their_way() -> None:
    x = jnp.asarray(fill((2, 3, 8, 8), "bfloat16", "random", 3))
    f = jax.jit(partial(pool, "avg", {}))
    same_bytes(f(pickle.loads(pickle.dumps(x))), f(x))
    same_bytes(pickle.loads(pickle.dumps(f(x))), f(x))


def test_ahead_of_time() -> None:
    x = fill((2, 3, 8, 8), "float32", "random", 3)
    struct = jax.ShapeDtypeStruct(x.shape, x.dtype)
    same_bytes(jax.jit(partial(pool, "max", {})).lower(struct).compile()(x), numpy_vjp("max", {}, x)[0])


def test_exported_and_read_again() -> None:
    """A program in a file, run where cenote.jax has been imported."""
    pytest.importorskip("flatbuffers", reason="jax.export writes files with it")
    from jax import export

    x = fill((2, 3, 8, 8), "float32", "random", 3)
    struct = jax.ShapeDtypeStruct(x.shape, x.dtype)
    want, pullback = numpy_vjp("max", {}, x)
    allowed = [export.DisabledSafetyCheck.custom_call(n) for n in ("cenote_pool", "cenote_select", "cenote_up_chosen")]
    made = export.export(jax.jit(partial(pool, "max", {})), disabled_checks=allowed, platforms=("cpu",))(struct)
    same_bytes(export.deserialize(made.serialize()).call(x), want)
    loss = jax.jit(jax.grad(lambda x: (pool("max", {}, x) ** 2).sum()))
    made = export.export(loss, disabled_checks=allowed, platforms=("cpu",))(struct)
    same_bytes(export.deserialize(made.serialize()).call(x), pullback(2 * want))


def test_exported_for_batches_of_any_size() -> None:
    """Axes that are not pooled may have symbols for lengths; those that are pooled may not, and it is said why."""
    pytest.importorskip("flatbuffers", reason="jax.export writes files with it")
    from jax import export

    def struct(shape: str) -> Any:
        return jax.ShapeDtypeStruct(export.symbolic_shape(shape), np.float32)

    loss = jax.jit(jax.grad(lambda x: (pool("max", {}, x) ** 2).sum()))
    allowed = [export.DisabledSafetyCheck.custom_call(n) for n in ("cenote_select", "cenote_up_chosen")]
    made = export.export(loss, disabled_checks=allowed, platforms=("cpu",))(struct("b, c, 8, 8"))
    program = export.deserialize(made.serialize())
    for shape in ((2, 3, 8, 8), (5, 1, 8, 8)):
        x = fill(shape, "float32", "random", 3)
        want, pullback = numpy_vjp("max", {}, x)
        same_bytes(program.call(x), pullback(2 * want))
    with pytest.raises(cenote.CenoteError, match="max_pool: axis -2 is pooled, and its length is no number yet, got h"):
        export.export(jax.jit(partial(pool, "max", {})))(struct("b, 3, h, 8"))


def test_where_nothing_is_to_be_compiled_and_where_nan_is_to_be_found() -> None:
    x = fill((2, 3, 8, 8), "float32", "random", 3)
    want, pullback = numpy_vjp("max", {}, x)
    with jax.disable_jit():
        same_bytes(pool("max", {}, x) + 0, want + 0)
        same_bytes(jax.grad(lambda x: (pool("max", {}, x) ** 2).sum())(jnp.asarray(x)), pullback(2 * want))
    with jax.debug_nans(True), pytest.raises(FloatingPointError, match="nan"):
        pool("avg", {}, np.full((4, 4), np.nan, np.float32))


@pytest.mark.parametrize("op", ["max", "lp"])
def test_jax_checks_itself(op: str) -> None:
    """Its own checks of what rules return, of leaks and of types that are promoted unasked."""
    x = jnp.asarray(fill((1, 4, 4), "float32", "random", 3))
    loss = lambda x: (pool(op, {}, x) ** 2).sum()  # noqa: E731
    before = jax.config.jax_enable_checks
    jax.config.update("jax_enable_checks", True)
    try:
        with jax.checking_leaks(), jax.numpy_dtype_promotion("strict"):
            assert jax.jit(jax.hessian(loss))(x).shape == (1, 4, 4, 1, 4, 4)
            assert jax.vmap(jax.grad(loss))(x[None]).shape == (1, 1, 4, 4)
    finally:
        jax.config.update("jax_enable_checks", before)


def test_calls_from_several_threads() -> None:
    """Each compiles windows of its own, and all run some that they share."""
    shared = jax.jit(jax.grad(lambda x: (pool("max", {}, x) ** 2).sum()))
    x = fill((4, 16, 33, 35), "float32", "random", 3)
    y, pullback = numpy_vjp("max", {}, x)
    want, failures = pullback(2 * y), []

    def work(number: int) -> None:
        try:
            for turn in range(6):
                same_bytes(shared(x), want)
                size = 2 + (number + turn) % 5
                same_bytes(cenote.jax.max_pool(x, size) + 0, cenote.max_pool(x, size) + 0)
                same_bytes(cenote.jax.avg_pool(x, size, stride=number + 1), cenote.avg_pool(x, size, stride=number + 1))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_number_of_threads_is_heard_and_changes_no_bit(count: int, eager: Any) -> None:
    x = fill((4, 16, 64, 64), "float32", "random", 3)
    f = jax.jit(jax.value_and_grad(lambda x: (pool("avg", {}, x) ** 2).sum()))
    cenote.set_num_threads(1)
    alone = f(x)
    began = eager()
    cenote.set_num_threads(count)
    again = f(x)
    same_bytes(again[1], alone[1])
    assert (eager() > began) == (count > 1)


def test_denormal_numbers_are_numbers() -> None:
    """XLA's own threads take them for zero, ours do not; a call must not depend on who runs it."""
    x = fill((3, 40, 40), "float32", "denormal", 3)
    for op in OPERATORS:
        same_bytes(jax.jit(partial(pool, op, {}))(x) if op != "lp" else cenote.jax.lp_pool(x, 3, **WINDOW, p=1),
                   numpy_vjp(op, {} if op != "lp" else {"p": 1}, x)[0])  # fmt: skip
    assert float(cenote.jax.max_pool(np.full(4, 1e-40, np.float32), (4,))[0]) != 0


def test_calls_of_one_program_may_run_side_by_side() -> None:
    """XLA may run several handlers at once, of one executable."""
    x = fill((2, 8, 64, 64), "float32", "random", 3)

    @jax.jit
    def many(x: Any) -> Any:
        return [cenote.jax.max_pool(x * (i + 1), 3, stride=1 + i % 3, padding=1) for i in range(12)]

    for _ in range(5):
        for i, y in enumerate(many(x)):
            same_bytes(y + 0, cenote.max_pool(x * np.float32(i + 1), 3, stride=1 + i % 3, padding=1) + 0)
