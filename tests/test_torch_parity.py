"""Live against PyTorch on the CPU: everything it can express gives the same values, indices and gradients.

Where the two differ, and the contract says that they do, the difference itself is asserted at the end.
"""

from __future__ import annotations

import importlib.util
import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cenote
import oracle
from arrays import fill

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed: no comparison"),
]
RANKS = (1, 2, 3)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    import torch

    torch.set_num_threads(1)
    return torch


@st.composite
def geometries(
    draw: st.DrawFn, *, dilated: bool, ranks: tuple[int, ...] = RANKS
) -> tuple[tuple[int, ...], dict[str, Any]]:
    """(lengths, keywords) that PyTorch accepts: symmetric padding of at most half the window."""
    rank = draw(st.sampled_from(ranks))
    ceil = draw(st.booleans())
    lengths, size, stride, padding, dilation = [], [], [], [], []
    for _ in range(rank):
        n, k = draw(st.integers(1, {1: 40, 2: 13, 3: 7}[rank])), draw(st.integers(1, 5))
        p, d = draw(st.integers(0, k // 2)), draw(st.integers(1, 3)) if dilated else 1
        s = draw(st.integers(1, 4))
        rule = oracle.Slide(k, s, (p, p), d, ceil)
        assume(rule.outputs(n) >= 1)
        # PyTorch's index of a window without any tap is out of range (asserted below as a difference)
        assume(all(b.taps for b in rule.bins(n)))
        lengths.append(n)
        for where, value in ((size, k), (stride, s), (padding, p), (dilation, d)):
            where.append(value)
    keywords = {"stride": tuple(stride), "padding": tuple(padding), "ceil_mode": ceil}
    if dilated:
        keywords["dilation"] = tuple(dilation)
    return tuple(lengths), {"size": tuple(size), **keywords}


def both(torch: ModuleType, name: str, rank: int) -> Any:
    return getattr(torch.nn.functional, f"{name}{rank}d")


def bits(a: np.ndarray) -> bytes:
    """Bytes with one NaN for all: a payload is nobody's promise here."""
    return np.where(np.isnan(a), np.array(np.nan, a.dtype), a).tobytes() if a.dtype.kind == "f" else a.tobytes()


@given(
    drawn=geometries(dilated=True),
    dtype=st.sampled_from(["float32", "float64", "float16"]),
    values=st.sampled_from(["random", "ties", "nan", "zeros", "infinite", "equal", "denormal", "descending"]),
    seed=st.integers(0, 999),
)
def test_max(torch: ModuleType, drawn: Any, dtype: str, values: str, seed: int) -> None:
    lengths, keywords = drawn
    x = fill((2, 2, *lengths), dtype, values, seed)
    tensor = torch.tensor(x, requires_grad=True)
    geometry = {("kernel_size" if k == "size" else k): v for k, v in keywords.items()}
    want, where = both(torch, "max_pool", len(lengths))(tensor, return_indices=True, **geometry)
    y, indices = cenote.max_pool(x, return_indices=True, **keywords)
    assert bits(y) == bits(want.detach().numpy())
    assert indices.tolist() == where.tolist()
    assert bits(cenote.max_pool(x, **keywords) + 0) == bits(want.detach().numpy() + 0)  # + 0: either zero will do
    if dtype == "float16":
        return  # PyTorch adds half gradients in half
    dy = fill(y.shape, dtype, "random", seed + 1)
    want.backward(torch.tensor(dy))
    _, pullback = cenote.vjp(cenote.max_pool, x, **keywords)
    assert pullback(dy).tobytes() == tensor.grad.numpy().tobytes()


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8"])
@given(drawn=geometries(dilated=True, ranks=(2, 3)), values=st.sampled_from(["random", "ties", "extremes", "equal"]))
def test_max_of_whole_numbers(torch: ModuleType, dtype: str, drawn: Any, values: str) -> None:
    """PyTorch has no 1-D kernel for them."""
    lengths, keywords = drawn
    x = fill((2, 2, *lengths), dtype, values, 5)
    geometry = {("kernel_size" if k == "size" else k): v for k, v in keywords.items()}
    want, where = both(torch, "max_pool", len(lengths))(torch.tensor(x), return_indices=True, **geometry)
    y, indices = cenote.max_pool(x, return_indices=True, **keywords)
    assert y.tobytes() == want.numpy().tobytes()
    assert indices.tolist() == where.tolist()


def close(got: np.ndarray, want: np.ndarray, reach: np.ndarray, taps: int) -> bool:
    """Both added up `taps` numbers in an order of their own and divided once: each is off by at most
    (taps + 1) u sum|x| / divisor = (taps + 1) u reach, so they differ by twice that; one more unit for the rounding
    of `reach` itself."""
    u = np.finfo(got.dtype).eps / 2
    return bool((np.abs(got - want) <= (2 * taps + 3) * u * reach).all())


@given(
    drawn=geometries(dilated=False),
    dtype=st.sampled_from(["float32", "float64"]),
    count_padding=st.booleans(),
    whole=st.booleans(),
    override=st.sampled_from([None, None, 1, 7, -3]),
)
def test_average(torch: ModuleType, drawn: Any, dtype: str, count_padding: bool, whole: bool, override: Any) -> None:
    lengths, keywords = drawn
    if len(lengths) == 3:  # PyTorch wants the unpadded volume to be as large as the window
        assume(all(k <= n for k, n in zip(keywords["size"], lengths, strict=True)))
    x = fill((2, 2, *lengths), dtype, "whole" if whole else "random", 4)
    tensor = torch.tensor(x, requires_grad=True)
    geometry = {("kernel_size" if k == "size" else k): v for k, v in keywords.items()}
    words: dict[str, Any] = {"count_include_pad": count_padding}
    divisor: Any = "padded" if count_padding else "inside"
    if override is not None and len(lengths) > 1:
        words["divisor_override"] = divisor = override
    want = both(torch, "avg_pool", len(lengths))(tensor, **geometry, **words)
    y, pullback = cenote.vjp(cenote.avg_pool, x, divisor=divisor, **keywords)
    taps = math.prod(keywords["size"])
    if whole:  # exact sums, so both must have rounded the quotient correctly
        assert (y == want.detach().numpy()).all()
    reach = cenote.avg_pool(
        np.abs(x), divisor=abs(divisor) if override and divisor == override else divisor, **keywords
    )
    assert close(y, want.detach().numpy(), reach, taps)
    dy = fill(y.shape, dtype, "random", 6)
    want.backward(torch.tensor(dy))
    _, spread = cenote.vjp(
        cenote.avg_pool, x, divisor=abs(divisor) if isinstance(divisor, int) else divisor, **keywords
    )
    assert close(pullback(dy), tensor.grad.numpy(), spread(np.abs(dy)), taps)


@given(
    rank=st.sampled_from(RANKS),
    data=st.data(),
    dtype=st.sampled_from(["float32", "float64"]),
    values=st.sampled_from(["random", "ties", "nan", "equal"]),
)
def test_adaptive(torch: ModuleType, rank: int, data: st.DataObject, dtype: str, values: str) -> None:
    longest = {1: 50, 2: 14, 3: 7}[rank]
    lengths = tuple(data.draw(st.integers(1, longest)) for _ in range(rank))
    parts = tuple(data.draw(st.integers(1, n + 2) | st.none()) for n in lengths)
    x = fill((2, 2, *lengths), dtype, values, 8)
    tensor = torch.tensor(x, requires_grad=True)
    given_parts = parts if rank > 1 else (lengths[0] if parts[0] is None else parts[0])
    want, where = both(torch, "adaptive_max_pool", rank)(tensor, given_parts, return_indices=True)
    y, indices = cenote.adaptive_max_pool(x, parts, return_indices=True)
    assert bits(y) == bits(want.detach().numpy())
    assert indices.tolist() == where.tolist()
    dy = fill(y.shape, dtype, "random", 9)
    want.backward(torch.tensor(dy))
    _, pullback = cenote.vjp(cenote.adaptive_max_pool, x, parts)
    assert pullback(dy).tobytes() == tensor.grad.numpy().tobytes()
    if values == "nan":
        return
    tensor = torch.tensor(x, requires_grad=True)
    want = both(torch, "adaptive_avg_pool", rank)(tensor, given_parts)
    y, pullback = cenote.vjp(cenote.adaptive_avg_pool, x, parts)
    taps = math.prod(lengths)
    assert close(y, want.detach().numpy(), cenote.adaptive_avg_pool(np.abs(x), parts), taps)
    want.backward(torch.tensor(dy))
    assert close(pullback(dy), tensor.grad.numpy(), pullback(np.abs(dy)), taps)


@given(drawn=geometries(dilated=False), dtype=st.sampled_from(["float32", "float64"]), p=st.sampled_from([2, 4, 2.0]))
def test_lp_of_even_order(torch: ModuleType, drawn: Any, dtype: str, p: float) -> None:
    lengths, keywords = drawn
    keywords = {**keywords, "padding": 0, "ceil_mode": False}  # PyTorch knows no padding, and rescales an overhang
    assume(all(k <= n for k, n in zip(keywords["size"], lengths, strict=True)))
    x = fill((2, 2, *lengths), dtype, "random", 4)
    tensor = torch.tensor(x, requires_grad=True)
    window = [keywords["size"], keywords["stride"]]
    if len(lengths) == 1:
        window = [window[0][0], window[1][0]]  # lp_pool1d multiplies by the size and takes no tuple
    want = both(torch, "lp_pool", len(lengths))(tensor, p, *window)
    y, pullback = cenote.vjp(cenote.lp_pool, x, p=p, **keywords)
    # A sum of positive terms (taps u), divided and multiplied by the number of taps (PyTorch), powers and a root of a
    # few units each on either side: relative, because nothing cancels.
    taps = math.prod(keywords["size"])
    rtol = (2 * taps + 40) * np.finfo(dtype).eps
    np.testing.assert_allclose(y, want.detach().numpy(), rtol=rtol)
    # Gradients multiply p more such factors; overlapping windows can cancel, so the sum of sizes measures the error.
    dy = fill(y.shape, dtype, "random", 6)
    want.backward(torch.tensor(dy))
    _, sizes = cenote.vjp(cenote.lp_pool, np.abs(x), p=p, **keywords)
    reach = sizes(np.abs(dy)) + np.finfo(dtype).tiny
    assert (np.abs(pullback(dy) - tensor.grad.numpy()) <= (p + 1) * rtol * reach).all()


@given(data=st.data(), rank=st.sampled_from(RANKS), dtype=st.sampled_from(["float32", "float64"]))
def test_unpool(torch: ModuleType, data: st.DataObject, rank: int, dtype: str) -> None:
    lengths = tuple(data.draw(st.integers(2, 9)) for _ in range(rank))
    size = tuple(data.draw(st.integers(1, n)) for n in lengths)
    x = fill((2, 2, *lengths), dtype, "random", 3)
    y, indices = cenote.max_pool(x, size, return_indices=True)
    want = both(torch, "max_unpool", rank)(torch.tensor(y), torch.tensor(indices), size, output_size=lengths)
    got = cenote.max_unpool(y, indices, x.shape, axes=tuple(range(2, 2 + rank)))
    assert got.tobytes() == want.numpy().tobytes()


@given(length=st.integers(4, 40), size=st.integers(1, 4), u=st.floats(0, 0.9990234375), data=st.data())
def test_fractional_pooling_is_a_table_of_spans(
    torch: ModuleType, length: int, size: int, u: float, data: st.DataObject
) -> None:
    """The formula of the contract's section 3, fed through Spans."""
    outputs = data.draw(st.integers(1, length - size + 1))
    x = fill((1, 1, length, length), "float64", "random", 2)
    samples = torch.tensor([[[u, u]]], dtype=torch.float64)
    want, where = torch.nn.functional.fractional_max_pool2d(
        torch.tensor(x), size, output_size=(outputs, outputs), return_indices=True, _random_samples=samples
    )
    alpha = (length - size) / (outputs - 1) if outputs > 1 else 0.0
    starts = [int((i + u) * alpha) - int(u * alpha) for i in range(outputs - 1)] + [length - size]
    rule = cenote.Spans([(s, s + size) for s in starts])
    y, indices = cenote.max_pool(x, cenote.Window((rule, rule)), return_indices=True)
    assert y.tobytes() == want.numpy().tobytes()
    assert indices.tolist() == where.tolist()


# ------------------------------------------------------------------------------------------------ known differences


def test_difference_odd_lp_of_negative_numbers(torch: ModuleType) -> None:
    x = np.array([[[-1.0, -2.0, 3.0, 1.0]]], np.float32)
    assert torch.isnan(torch.nn.functional.lp_pool1d(torch.tensor(x), 3, 2)).tolist() == [[[True, False]]]
    # the sums 9 and 28 are exact; the exponent 1/3 is off by half a unit, which moves the root by ln(28)/3 times that
    # (1.1 half units), and powf adds a unit at most: within two units in all
    roots = np.array([9 ** (1 / 3), 28 ** (1 / 3)])
    assert (np.abs(cenote.lp_pool(x, (2,), p=3)[0, 0] - roots) <= 2 * np.finfo(np.float32).eps * roots).all()
    assert torch.nn.functional.lp_pool1d(torch.tensor(x), 1, 2).tolist() == [[[-3, 4]]]
    assert cenote.lp_pool(x, (2,), p=1).tolist() == [[[3, 4]]]


def test_difference_overhanging_lp(torch: ModuleType) -> None:
    x = np.array([[[3.0, 4.0, 5.0]]], np.float32)
    theirs = torch.nn.functional.lp_pool1d(torch.tensor(x), 2, 2, ceil_mode=True)
    # sqrt(25 * 2): the division by 1 tap and the product with 2 are exact, the root is rounded once, and where it is
    # the general power it may be a unit off
    assert abs(theirs.tolist()[0][0][1] - math.sqrt(50)) <= math.sqrt(50) * 1.5 * np.finfo(np.float32).eps
    assert cenote.lp_pool(x, (2,), ceil_mode=True).tolist() == [[[5, 5]]]


def test_difference_averages_of_whole_numbers(torch: ModuleType) -> None:
    x = np.array([[[[1, 2], [2, 2]]]])
    assert torch.nn.functional.avg_pool2d(torch.tensor(x), 2).item() == 1  # truncated from 1.75
    assert cenote.avg_pool(x, 2).item() == 2
    x = np.full((1, 1, 2, 2), 2**62)
    assert torch.nn.functional.avg_pool2d(torch.tensor(x), 2).item() == 0  # the sum wrapped
    assert cenote.avg_pool(x, 2).item() == 2**62


def test_difference_the_index_of_an_empty_window(torch: ModuleType) -> None:
    theirs = torch.nn.functional.max_pool1d(torch.zeros(1, 1, 1), 2, 1, 1, 2, return_indices=True)
    assert theirs[0].tolist() == [[[-math.inf]]]
    assert theirs[1].item() not in range(1)
    ours = cenote.max_pool(np.zeros((1, 1, 1)), (2,), stride=1, padding=1, dilation=2, return_indices=True)
    assert (ours[0].tolist(), ours[1].tolist()) == ([[[-math.inf]]], [[[-1]]])


def test_difference_half_gradients(torch: ModuleType) -> None:
    """PyTorch adds half gradients in half and loses small ones; here they are held in float32 and rounded once."""
    x = np.zeros((1, 1, 8), np.float16)
    x[..., 3] = 1
    tensor = torch.tensor(x, requires_grad=True)
    dy = np.array([[[2048, 1, 1, 0, 0]]], np.float16)
    torch.nn.functional.max_pool1d(tensor, 4, 1).backward(torch.tensor(dy))
    _, pullback = cenote.vjp(cenote.max_pool, x, (4,), stride=1)
    assert pullback(dy)[0, 0, 3] == 2050
    assert tensor.grad[0, 0, 3].item() == 2048
