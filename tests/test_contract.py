"""Section 4 of the contract, case by case: each was got wrong by somebody. The number is in the function's name
(case 11 is in test_contract_large.py).
"""

from __future__ import annotations

import numpy as np
import pytest

import cenote
from arrays import BFLOAT16, present
from oracle import Slide

pytestmark = pytest.mark.sanitize

SEVENTHS = np.arange(1, 17, dtype=np.float64).reshape(4, 4)


def pull(function, x, *args, dy=None, **keywords):
    y, pullback = cenote.vjp(function, x, *args, **keywords)
    return pullback(np.ones_like(y) if dy is None else np.asarray(dy, y.dtype))


@pytest.mark.parametrize(
    ("divisor", "want"),
    [
        ("padded", [[14 / 9, 20 / 6, 2], [38 / 6, 11, 6], [4.5, 7.5, 4]]),
        ("inside", [[3.5, 5, 6], [9.5, 11, 12], [13.5, 15, 16]]),
    ],
)
def test_01_average_in_ceil_mode(divisor, want):
    got = cenote.avg_pool(SEVENTHS, 3, stride=2, padding=1, ceil_mode=True, divisor=divisor)
    assert got.tolist() == want


def test_01_the_figures_as_printed():
    got = cenote.avg_pool(SEVENTHS, 3, stride=2, padding=1, ceil_mode=True, divisor="padded")
    assert got.round(4).tolist() == [[1.5556, 3.3333, 2], [6.3333, 11, 6], [4.5, 7.5, 4]]


@pytest.mark.parametrize(("padding", "want"), [(1, [[5, 7], [13, 15]]), ("same", [[10, 11], [14, 15]])])
def test_02_padding_one_is_not_same(padding, want):
    assert cenote.max_pool(np.arange(16).reshape(4, 4), 3, stride=2, padding=padding).tolist() == want


@pytest.mark.parametrize(
    ("lengths", "geometry", "want"),
    [
        ((6, 7), {"size": (1, 1), "stride": 2, "ceil_mode": True}, (3, 4)),
        ((5,), {"size": (2,), "stride": 2, "padding": 1, "ceil_mode": True}, (3,)),
        ((2,), {"size": (2,), "stride": 3, "padding": 1, "ceil_mode": True}, (1,)),
        ((2,), {"size": (3,), "stride": 2, "ceil_mode": True}, (1,)),
        ((13,), {"size": (3,), "stride": 2}, (6,)),
        ((13,), {"size": (3,), "stride": 2, "ceil_mode": True}, (6,)),
        ((13,), {"size": (3,), "stride": 2, "padding": "same"}, (7,)),
        ((5, 7), {"size": (3, 3), "stride": 2, "dilation": 2, "padding": "same"}, (3, 4)),
        ((28,), {"size": (3,), "stride": 1}, (26,)),
        ((26,), {"size": (2,)}, (13,)),
        ((13,), {"size": (2,)}, (6,)),
        ((13,), {"size": (2,), "ceil_mode": True}, (7,)),
        ((13,), {"size": (2,), "padding": "same"}, (7,)),
    ],
    ids=str,
)
def test_03_shapes(lengths, geometry, want):
    size = geometry["size"]
    rest = {k: v for k, v in geometry.items() if k != "size"}
    assert cenote.output_shape(lengths, size, **rest) == want
    assert cenote.max_pool(np.zeros(lengths), size, **rest).shape == want


def test_03_the_oracle_agrees_about_the_shapes():
    assert Slide(2, 3, (1, 1), ceil=True).outputs(2) == 1
    assert Slide(3, 2, ceil=True).outputs(2) == 1


def test_04_average_same_divides_by_what_is_inside():
    got = cenote.avg_pool(np.array([10.0, 20.0]), (3,), stride=2, padding="same")
    assert got.tolist() == [15.0]


def test_05_gradient_of_an_overhanging_average():
    dx = pull(cenote.avg_pool, np.zeros(4), (3,), stride=2, ceil_mode=True, divisor="padded", dy=[0, 1])
    assert dx.tolist() == [0, 0, 0.5, 0.5]


def test_06_overlapping_windows_accumulate():
    x = np.array([0, 0, 9, 0, 0, 0, 1, 0.0])
    assert pull(cenote.max_pool, x, (4,), stride=2).tolist() == [0, 0, 2, 0, 0, 0, 1, 0]


def test_06_a_tie_goes_to_the_first_tap():
    assert pull(cenote.max_pool, np.array([1, 2, 2, 2.0]), (4,)).tolist() == [0, 1, 0, 0]
    assert pull(cenote.min_pool, np.array([3, 2, 2, 2.0]), (4,)).tolist() == [0, 1, 0, 0]


def test_07_adaptive_bins():
    x = np.arange(25).reshape(5, 5)
    assert cenote.adaptive_max_pool(x, 3).tolist() == [[6, 8, 9], [16, 18, 19], [21, 23, 24]]
    bins = [(taps.start, taps.stop) for taps in cenote.Split(4).spans(10)]
    assert bins == [(0, 3), (2, 5), (5, 8), (7, 10)]


def test_08_dilated_max():
    x = np.array([1, 9, 2, 8, 3, 7, 4, 6, 5])
    y, indices = cenote.max_pool(x, (2,), stride=1, padding=1, dilation=2, return_indices=True)
    assert y.tolist() == [9, 2, 9, 3, 8, 4, 7, 5, 6]
    assert indices.tolist() == [1, 2, 1, 4, 3, 6, 5, 8, 7]


FLOATS = [np.float16, BFLOAT16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", [*FLOATS, np.int8, np.uint8, np.int64, np.uint64, bool], ids=str)
def test_09_a_window_without_a_tap(dtype):
    x = np.ones(1, dtype)
    geometry = {"stride": 1, "padding": 1, "dilation": 2}
    top, bottom = (np.inf, -np.inf) if np.dtype(dtype).kind not in "biu" else (True, False)
    if np.dtype(dtype).kind in "iu":
        top, bottom = np.iinfo(dtype).max, np.iinfo(dtype).min
    for function, want in ((cenote.max_pool, bottom), (cenote.min_pool, top)):
        y, index = function(x, (2,), **geometry, return_indices=True)
        assert y.dtype == x.dtype
        assert (y.tolist(), index.tolist()) == ([want], [-1])
        assert function(x, (2,), **geometry).tolist() == [want]


def test_09_a_window_without_a_tap_adds_nothing_and_has_no_gradient():
    x = np.array([7.0])
    geometry = {"stride": 1, "padding": 1, "dilation": 2}
    for divisor in ("inside", "padded", "window", 3):
        assert cenote.avg_pool(x, (2,), divisor=divisor, **geometry).tolist() == [0]
        assert pull(cenote.avg_pool, x, (2,), divisor=divisor, **geometry).tolist() == [0]
    for function in (cenote.sum_pool, cenote.lp_pool):
        assert function(x, (2,), **geometry).tolist() == [0]
    for function in (cenote.max_pool, cenote.min_pool, cenote.sum_pool, cenote.lp_pool):
        assert pull(function, x, (2,), **geometry).tolist() == [0]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("shape", [(4,), (2, 2), (1, 2, 2)])
def test_09_all_infinite(dtype, shape):
    low, high = np.full(shape, -np.inf, dtype), np.full(shape, np.inf, dtype)
    for function, x in ((cenote.max_pool, low), (cenote.min_pool, high)):
        y, index = function(x, shape, return_indices=True)
        assert y.tobytes() == x.reshape(-1)[:1].tobytes()
        assert index.item() == 0


NAN = float("nan")


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("function", [cenote.max_pool, cenote.min_pool])
@pytest.mark.parametrize(
    ("values", "want"), [((NAN, 1), 0), ((1, NAN), 1), ((NAN, NAN), 1), ((NAN, 1, NAN, 2), 2), ((1, -NAN), 1)]
)
def test_09_nan_wins_and_the_last_is_named(dtype, function, values, want):
    x = np.array(values, dtype)
    y, index = function(x, x.shape, return_indices=True)
    assert index.item() == want
    assert y.tobytes() == x[want : want + 1].tobytes()
    assert np.isnan(function(x, x.shape)).all()
    assert pull(function, x, x.shape).tolist() == [float(i == want) for i in range(len(values))]


@pytest.mark.parametrize(("dtype", "bits"), [("f2", "u2"), ("f4", "u4"), ("f8", "u8")])
def test_09_nan_keeps_its_sign_and_payload_where_it_is_named(dtype, bits):
    payload = np.array([np.nan, -np.nan, 1], dtype)
    payload.view(bits)[1] |= 5
    y, index = cenote.max_pool(payload, (3,), return_indices=True)
    assert index.item() == 1
    assert y.view(bits)[0] == payload.view(bits)[1]


def test_09_padding_is_not_zero():
    x = np.full((3, 3), -1.0, np.float32)
    assert (cenote.max_pool(x, 3, stride=1, padding=1) == -1).all()
    assert (cenote.max_pool(x.astype(np.int8), 3, stride=1, padding=1) == -1).all()
    assert (cenote.min_pool(-x, 3, stride=1, padding=1) == 1).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_09_zeros_are_equal_and_keep_their_bits(dtype):
    x = np.array([[-1, -0.0], [+0.0, -1]], dtype)
    y, index = cenote.max_pool(x, 2, return_indices=True)
    assert index.tolist() == [[1]]
    assert np.signbit(y).tolist() == [[True]]
    y, index = cenote.max_pool(x[::-1, ::-1], 2, return_indices=True)
    assert index.tolist() == [[1]]
    assert np.signbit(y).tolist() == [[False]]


def test_10_half_ones():
    x = np.ones((64, 64), np.float16)
    assert cenote.global_avg_pool(x).tolist() == 1.0
    assert cenote.global_sum_pool(x).tolist() == 4096


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axis", [0, 1])
def test_10_an_average_forgets_a_spike(dtype, axis):
    x = np.full((2, 400), 0.1, dtype)
    x[:, 3] = 1e6
    if axis == 0:
        x = np.ascontiguousarray(x.T)
    for size in (2, 16, 101):  # small and large windows are added up in different ways
        clean = np.full_like(x, 0.1)
        y = cenote.avg_pool(x, (size,), stride=1, axes=axis)
        want = cenote.avg_pool(clean, (size,), stride=1, axes=axis)
        after = (slice(4, None),) if axis == 0 else (slice(None), slice(4, None))
        assert (y[after] == want[after]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("function", [cenote.avg_pool, cenote.sum_pool, cenote.lp_pool, cenote.max_pool])
@pytest.mark.parametrize("size", [3, 40])
def test_10_one_nan_stays_in_its_windows(bad, function, size):
    x = np.ones((3, 100), np.float32)
    x[1, 50] = bad
    for y in (
        function(x, (size,), stride=1),
        function(np.ascontiguousarray(x.T), (size,), stride=1, axes=0).T,
    ):
        touched = np.zeros(y.shape, bool)
        touched[1, max(0, 50 - size + 1) : 51] = True
        spared = touched if function is cenote.max_pool and bad == -np.inf else np.zeros_like(touched)
        assert (~np.isfinite(y) == (touched & ~spared)).all()


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (2, 0, 4, 4), (0, 0, 4, 4)])
@pytest.mark.parametrize("op", ["max", "min", "avg", "sum", "lp"])
def test_12_nothing_in_nothing_out(shape, op):
    x = np.zeros(shape, np.float32)
    want = (*shape[:2], 2, 2)
    assert getattr(cenote, f"{op}_pool")(x, 2).shape == want
    assert getattr(cenote, f"adaptive_{op}_pool")(x, 2).shape == want
    assert getattr(cenote, f"global_{op}_pool")(x).shape == shape[:2]
    assert pull(getattr(cenote, f"{op}_pool"), x, 2).shape == shape
    last = x.transpose(0, 2, 3, 1)
    assert getattr(cenote, f"{op}_pool")(last, 2, axes="NHWC").shape == (shape[0], 2, 2, shape[1])
    if op in ("max", "min"):
        y, index = getattr(cenote, f"{op}_pool")(x, 2, return_indices=True)
        assert y.shape == index.shape == want
        assert index.dtype == np.int64


def test_12_a_pooled_axis_of_length_zero():
    x = np.zeros((2, 0), np.float32)
    for call in (lambda: cenote.adaptive_max_pool(x, (1,)), lambda: cenote.global_avg_pool(x, axes=1)):
        with pytest.raises(cenote.CenoteError, match="axis"):
            call()
    with pytest.raises(cenote.CenoteError, match="axis"):
        cenote.max_pool(x, (1,))
    y, index = cenote.max_pool(x, (2,), stride=1, padding=1, return_indices=True)  # O = 1: nothing but padding
    assert (y.tolist(), index.tolist()) == ([[-np.inf]] * 2, [[-1]] * 2)
    assert cenote.avg_pool(x, (2,), stride=1, padding=1).tolist() == [[0], [0]]


def test_12_window_as_large_as_the_input_and_huge_numbers():
    x = np.array([3, 1, 2, 5, 4])
    assert cenote.max_pool(x, (5,)).tolist() == [5]
    assert cenote.max_pool(x, (2,), stride=10**12).tolist() == [3]
    assert cenote.max_pool(x, (2,), stride=1, dilation=4).tolist() == [4]
    far = 10**6
    y, index = cenote.max_pool(x, (2,), stride=1, dilation=far, padding=((far, 0),), return_indices=True)
    assert (y.tolist(), index.tolist()) == (x.tolist(), [0, 1, 2, 3, 4])


@pytest.mark.parametrize("view", ["negative", "broadcast", "transposed", "stepped", "misaligned", "packed", "readonly"])
@pytest.mark.parametrize("dtype", ["u1", "f2", "f4", "f8"])
def test_12_views(view, dtype):
    x = present((np.random.default_rng(5).standard_normal((2, 9, 11, 3)) * 50).astype(dtype), view)
    plain = np.ascontiguousarray(x)
    for axes in ("NHWC", (0, 3), (1, 2)):
        for function in (cenote.max_pool, cenote.avg_pool):
            want = function(plain, 2, stride=1, axes=axes)
            assert function(x, 2, stride=1, axes=axes).tobytes() == want.tobytes()
    y, index = cenote.max_pool(x, 3, axes="NHWC", return_indices=True)
    again, index_again = cenote.max_pool(plain, 3, axes="NHWC", return_indices=True)
    assert (y.tobytes(), index.tobytes()) == (again.tobytes(), index_again.tobytes())


def test_12_big_endian_and_masked_arrays_are_refused():
    with pytest.raises(TypeError, match="max_pool: .*big-endian") as told:
        cenote.max_pool(np.zeros((4, 4), ">f4"), 2)
    assert isinstance(told.value, cenote.CenoteError)
    with pytest.raises(TypeError, match="max_pool: .*mask") as told:
        cenote.max_pool(np.ma.masked_array(np.zeros((4, 4)), np.eye(4)), 2)
    assert isinstance(told.value, cenote.CenoteError)


def test_13_the_tutorials():
    x = np.array([[1, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]])
    assert cenote.max_pool(x, 2).tolist() == [[9, 8], [6, 5]]
    assert cenote.output_shape((20, 20), 3, stride=1, padding="same") == (20, 20)
    assert cenote.output_shape((20, 20), 2) == (10, 10)
    assert cenote.output_shape((26, 26), 2) == (13, 13)
