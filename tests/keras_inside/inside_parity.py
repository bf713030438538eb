"""Keras's own layers and cenote's, side by side: values, gradients, shapes, kinds of error.

Where Keras does something else on a backend, and the contract says that it does, the difference itself is asserted at
the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from bridge import BACKEND, array, drawn_gradient, examples, same_bits, value_and_gradient
from hypothesis import assume, given
from hypothesis import strategies as st

import cenote
import cenote.keras
from arrays import fill

OPERATORS = ("max", "avg")
WORDS = {"max": "Max", "avg": "Average"}


@dataclass(frozen=True)
class Drawn:
    op: str
    form: str
    rank: int
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    words: tuple[tuple[str, Any], ...]
    values: str

    @property
    def name(self) -> str:
        prefix = {"sliding": "", "adaptive": "Adaptive", "global": "Global"}[self.form]
        return f"{prefix}{WORDS[self.op]}Pooling{self.rank}D"

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(self.shape[axis] for axis in self.axes)

    def layer(self, where: Any) -> Any:
        return getattr(where, self.name)(**dict(self.words))

    @property
    def x(self) -> np.ndarray:
        return fill(self.shape, "float32", self.values, 3)

    def numpy(self) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """The same call of cenote for arrays."""
        said = dict(self.words)
        if self.form == "global":
            return cenote.__dict__[f"global_{self.op}_pool"], (), {"axes": self.axes, "keepdims": said["keepdims"]}
        if self.form == "adaptive":
            return cenote.__dict__[f"adaptive_{self.op}_pool"], (said["output_size"],), {"axes": self.axes}
        keywords = {"stride": said["strides"], "padding": said["padding"], "axes": self.axes}
        return cenote.__dict__[f"{self.op}_pool"], (said["pool_size"],), keywords

    @property
    def padded(self) -> bool:
        """Does some window reach into the padding?"""
        said = dict(self.words)
        if self.form != "sliding" or said["padding"] == "valid":
            return False
        slides = [cenote.Slide(k, s, pad="same") for k, s in zip(said["pool_size"], said["strides"], strict=True)]
        return any(slide.pads(n) != (0, 0) for slide, n in zip(slides, self.lengths, strict=True))

    @property
    def ends_tensorflow(self) -> bool:
        """Keras pools adaptively on TensorFlow by windows one cell longer than needed, also where they do not fit."""
        parts = dict(self.words).get("output_size", ())
        return any(-(-n // k) + 1 > n for n, k in zip(self.lengths, parts, strict=False))


@st.composite
def drawn(draw: st.DrawFn, form: str) -> Drawn:
    op = draw(st.sampled_from(OPERATORS))
    rank = draw(st.integers(1, 3))
    longest = {1: 20, 2: 9, 3: 6}[rank]
    lengths = tuple(draw(st.integers(1, longest)) for _ in range(rank))
    last = draw(st.booleans())
    words: dict[str, Any] = {"data_format": "channels_last" if last else "channels_first"}
    if form == "global":
        words["keepdims"] = draw(st.booleans())
    elif form == "adaptive":
        words["output_size"] = tuple(draw(st.integers(1, n)) for n in lengths)
    else:
        words["padding"] = draw(st.sampled_from(["valid", "same"]))
        words["pool_size"] = tuple(
            draw(st.integers(1, 4 if words["padding"] == "same" else min(4, n))) for n in lengths
        )
        words["strides"] = tuple(draw(st.integers(1, 4)) for _ in lengths)
    shape = (2, *lengths, 3) if last else (2, 3, *lengths)
    axes = tuple(range(1, 1 + rank)) if last else tuple(range(2, 2 + rank))
    values = draw(st.sampled_from(["random", "ties", "zeros", "equal", "descending", "nan", "infinite"]))
    return Drawn(op, form, rank, shape, axes, tuple(words.items()), values)


def taps(case: Drawn) -> int:
    return math.prod(dict(case.words).get("pool_size", case.lengths))


def near(got: np.ndarray, want: np.ndarray, reach: np.ndarray, terms: int) -> bool:
    """Both added up `terms` numbers in an order of their own and divided, Keras over three axes on TensorFlow more than
    once: either is off by at most (terms + 4) u sum|x| / divisor; one unit more for the rounding of `reach`."""
    u = np.finfo(np.float32).eps / 2
    with np.errstate(invalid="ignore"):
        good = np.abs(got - want) <= (2 * (terms + 4) + 1) * u * reach
    return bool((good | (got == want) | (np.isnan(got) & np.isnan(want))).all())


def ties_are_shared(case: Drawn) -> bool:
    """Where Keras's own layers give a tie's gradient to others than the first: see the differences below."""
    if case.form == "global":
        return True
    return (case.form == "adaptive" and BACKEND != "torch") or (BACKEND == "tensorflow" and case.rank == 3)


def compare(case: Drawn) -> None:
    assume(not (BACKEND == "tensorflow" and case.ends_tensorflow))
    assume(not (BACKEND == "jax" and max(dict(case.words).get("output_size", (0,))) >= 7))  # asserted below
    if BACKEND == "torch" and case.op == "avg" and case.padded:
        return  # asserted below
    special = case.values in ("nan", "infinite")
    function, args, keywords = case.numpy()
    x = case.x
    y, dx = value_and_gradient(case.layer(cenote.keras), x, drawn_gradient)
    theirs, their_dx = value_and_gradient(case.layer(keras.layers), x, drawn_gradient)
    assert y.shape == theirs.shape
    assert y.dtype == theirs.dtype
    with np.errstate(all="ignore"):
        reach, up = cenote.vjp(function, np.abs(x), *args, **keywords)
        size = up(np.abs(drawn_gradient(y.shape).astype(np.float32)))
    if case.op == "max":
        if not (special and BACKEND != "torch" and case.form == "adaptive"):
            assert same_bits(y, theirs)
        ties = case.values in ("ties", "zeros", "equal")
        if (special and (BACKEND != "torch" or case.form == "global")) or (ties and ties_are_shared(case)):
            return  # the gradient is compared with cenote's own elsewhere
        size = cenote.vjp(function, x, *args, **keywords)[1](np.abs(drawn_gradient(y.shape).astype(np.float32)))
    elif not (special and case.form == "adaptive" and BACKEND != "torch"):
        assert near(y, theirs, reach, taps(case))
    # a cell hears of at most as many windows as there are taps
    assert near(dx, their_dx, size, taps(case))


@examples(torch=400, tensorflow=400, jax=16)
@given(case=drawn("sliding"))
def test_sliding(case: Drawn) -> None:
    compare(case)


@examples(torch=200, tensorflow=200, jax=12)
@given(case=drawn("global"))
def test_global(case: Drawn) -> None:
    compare(case)


@pytest.mark.skipif(not hasattr(keras.layers, "AdaptiveMaxPooling2D"), reason="this Keras has no adaptive layers")
@examples(torch=200, tensorflow=200, jax=5)
@given(case=drawn("adaptive"))
def test_adaptive(case: Drawn) -> None:
    compare(case)


@examples(torch=300, tensorflow=300, jax=200)
@given(
    case=drawn("sliding") | drawn("global") | drawn("adaptive"),
    unknown=st.sets(st.integers(0, 4)),
    longer=st.booleans(),
)
def test_shapes(case: Drawn, unknown: set[int], longer: bool) -> None:
    """Symbolic shapes, with some lengths not known; a window that does not fit is a ValueError in both."""
    shape = tuple(None if i in unknown else n for i, n in enumerate(case.shape))
    assume(shape[case.axes[0] - 1 if case.axes[0] == 2 else -1] is not None)  # Keras wants to know the channels
    if longer and case.form == "sliding":
        words = dict(case.words)
        words["pool_size"] = tuple(k + 9 for k in words["pool_size"])
        case = Drawn(case.op, case.form, case.rank, case.shape, case.axes, tuple(words.items()), case.values)
    if not hasattr(keras.layers, case.name):
        return
    found = []
    for where in (cenote.keras, keras.layers):
        try:
            layer = case.layer(where)
            symbol = layer(keras.KerasTensor(shape))
            found.append((tuple(symbol.shape), symbol.dtype, layer.compute_output_shape(shape)))
        except ValueError:
            found.append("ValueError")
    assert found[0] == found[1]


@examples(torch=100, tensorflow=100, jax=5)
@given(
    length=st.integers(1, 9), last=st.booleans(), keepdims=st.booleans(), seed=st.integers(0, 99), whole=st.booleans()
)
def test_masks(length: int, last: bool, keepdims: bool, seed: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 9, (3, length, 2)).astype("float32") if whole else rng.standard_normal((3, length, 2))
    x = x.astype("float32")
    mask = rng.random((3, length)) < 0.6
    mask[:, 0] |= ~mask.any(axis=1)  # a sequence without a step is a difference, below
    words = {"data_format": "channels_last" if last else "channels_first", "keepdims": keepdims}
    x = x if last else np.ascontiguousarray(np.moveaxis(x, 2, 1))
    x[~mask if last else np.broadcast_to(~mask[:, None], x.shape)] = np.nan  # what is left out is not looked at
    y, dx = value_and_gradient(
        lambda x: cenote.keras.GlobalAveragePooling1D(**words)(x, mask=keras.ops.convert_to_tensor(mask)),
        x,
        drawn_gradient,
    )
    theirs, their_dx = value_and_gradient(
        lambda x: keras.layers.GlobalAveragePooling1D(**words)(x, mask=keras.ops.convert_to_tensor(mask)),
        x,
        drawn_gradient,
    )
    reach = np.abs(np.nan_to_num(x)).sum(axis=1 if last else 2, keepdims=keepdims) + 1
    assert near(y, theirs, reach, length)
    assert near(dx, their_dx, np.ones_like(dx) * 4, 2)  # a gradient is a number over a count: two roundings


BAD = [
    ("MaxPooling2D", {"pool_size": 0}),
    ("MaxPooling2D", {"pool_size": -1}),
    ("MaxPooling2D", {"pool_size": (2, 2, 2)}),
    ("MaxPooling2D", {"pool_size": "two"}),
    ("MaxPooling2D", {"pool_size": None}),
    ("MaxPooling2D", {"pool_size": (2, None)}),
    ("MaxPooling2D", {"strides": -1}),
    ("MaxPooling2D", {"strides": (1,)}),
    ("MaxPooling2D", {"data_format": "channels_middle"}),
    ("MaxPooling2D", {"name": "a/b"}),
    ("MaxPooling2D", {"trainable": "yes"}),
    ("MaxPooling2D", {"steps": 2}),
    ("AveragePooling1D", {}),
    ("AveragePooling3D", {"pool_size": (2, 2)}),
    ("GlobalMaxPooling2D", {"data_format": "first"}),
    ("GlobalMaxPooling2D", {"pool_size": 2}),
    ("AdaptiveMaxPooling1D", {}),
    ("AdaptiveMaxPooling1D", {"output_size": (2, 2)}),
    ("AdaptiveMaxPooling1D", {"output_size": "two"}),
    ("AdaptiveMaxPooling2D", {"output_size": (2, 2, 2)}),
    ("AdaptiveMaxPooling3D", {"output_size": None}),
    ("AdaptiveAveragePooling2D", {"output_size": 2, "data_format": "middle"}),
]


@pytest.mark.parametrize(("name", "words"), BAD, ids=str)
def test_errors_are_of_the_same_kind(name: str, words: dict[str, Any]) -> None:
    if not hasattr(keras.layers, name):
        pytest.skip("this Keras has no adaptive layers")
    with pytest.raises((TypeError, ValueError)) as theirs:
        getattr(keras.layers, name)(**words)
    with pytest.raises(theirs.type):
        getattr(cenote.keras, name)(**words)


# ------------------------------------------------------------------------------------------------ known differences


def both(name: str, x: Any, **words: Any) -> tuple[np.ndarray, np.ndarray]:
    """What Keras says and what cenote says."""
    tensor = keras.ops.convert_to_tensor(np.asarray(x, "float32"))
    return tuple(array(getattr(where, name)(**words)(tensor)) for where in (keras.layers, cenote.keras))


def gradients(name: str, x: Any, **words: Any) -> tuple[list[float], list[float]]:
    ones = np.ones
    return tuple(
        value_and_gradient(getattr(where, name)(**words), np.asarray(x, "float32"), ones)[1].ravel().tolist()
        for where in (keras.layers, cenote.keras)
    )


def column(*values: float) -> np.ndarray:
    return np.array(values, "float32").reshape(1, -1, 1)


def test_difference_the_gradient_of_ties_in_a_global_maximum() -> None:
    theirs, ours = gradients("GlobalMaxPooling1D", column(1, 2, 2, 0))
    assert theirs == [0, 0.5, 0.5, 0]
    assert ours == [0, 1, 0, 0]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's alone")
def test_difference_the_gradient_of_ties_over_three_axes() -> None:
    theirs, ours = gradients("MaxPooling3D", np.ones((1, 2, 1, 1, 1)), pool_size=(2, 1, 1))
    assert theirs == [1, 1]  # twice what came in
    assert ours == [1, 0]


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's alone")
def test_difference_averages_beside_the_border() -> None:
    """Keras on PyTorch repeats the border and averages the copies in; on TensorFlow and JAX it does not."""
    theirs, ours = both("AveragePooling1D", column(10, 20, 40), pool_size=2, strides=2, padding="same")
    assert theirs.ravel().tolist() == ours.ravel().tolist() == [15, 40]  # a copy of 40 does not show
    theirs, ours = both("AveragePooling1D", column(0, 30, 60, 30), pool_size=3, strides=2, padding="same")
    assert ours.ravel().tolist() == [30, 45]
    assert theirs.ravel().tolist() == [30, 40]  # (60 + 30 + 30) / 3


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch's kernels propagate NaN")
def test_difference_nan() -> None:
    theirs, ours = both("MaxPooling1D", column(np.nan, 1), pool_size=2)
    if BACKEND == "jax":
        assert np.isnan(theirs).all()
        assert np.isnan(ours).all()
    else:  # TensorFlow's kernel, in both
        assert theirs.ravel().tolist() == ours.ravel().tolist() == [1]
        theirs, ours = both("GlobalMaxPooling1D", column(np.nan, 1))
        assert np.isnan(theirs).all()
        assert np.isnan(ours).all()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's alone")
def test_difference_windows_of_minus_infinity() -> None:
    theirs, ours = both("MaxPooling1D", column(-np.inf, -np.inf), pool_size=2)
    assert theirs.ravel().tolist() == ours.ravel().tolist() == [np.finfo("float32").min]
    theirs, ours = both("GlobalMaxPooling1D", column(-np.inf, -np.inf))
    assert theirs.ravel().tolist() == ours.ravel().tolist() == [-np.inf]


@pytest.mark.skipif(BACKEND != "jax", reason="JAX's alone")
def test_difference_a_window_that_does_not_fit() -> None:
    """Keras on JAX gives a tensor without elements, on the other backends it raises."""
    x = keras.ops.ones((1, 2, 1))
    assert keras.layers.MaxPooling1D(3)(x).shape == (1, 0, 1)
    with pytest.raises(ValueError, match="MaxPooling1D: the output length of axis 1 would be 0"):
        cenote.keras.MaxPooling1D(3)(x)


@pytest.mark.skipif(BACKEND != "jax", reason="JAX's alone")
def test_difference_seven_bins() -> None:
    """Keras on JAX finds the edges of bins in float32, and 7 bins of 7 cells are not what one would think."""
    theirs, ours = both("AdaptiveAveragePooling1D", column(7, 6, 5, 4, 3, 2, 1), output_size=7)
    assert ours.ravel().tolist() == [7, 6, 5, 4, 3, 2, 1]
    np.testing.assert_array_equal(theirs.ravel(), [7, 6, 4.5, 4, 3, 1.5, np.nan])


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch's kernels give it to the first")
def test_difference_the_gradient_of_ties_in_bins() -> None:
    """Keras pools one axis after the other, so that its first tie is another, or is none."""
    x = np.tile(np.array([[0, 1], [1, 0]]), (2, 2)).reshape(1, 4, 4, 1)
    theirs, ours = gradients("AdaptiveMaxPooling2D", x, output_size=2)
    assert np.reshape(ours, (4, 4)).tolist() == np.tile([[0, 1], [0, 0]], (2, 2)).tolist()
    assert theirs != ours


def test_difference_a_sequence_without_steps() -> None:
    x, mask = keras.ops.ones((1, 3, 2)), keras.ops.zeros((1, 3), "bool")
    assert np.isnan(array(keras.layers.GlobalAveragePooling1D()(x, mask=mask))).all()
    assert array(cenote.keras.GlobalAveragePooling1D()(x, mask=mask)).tolist() == [[0, 0]]


def test_difference_no_steps_at_all() -> None:
    x = keras.ops.ones((1, 0, 2))
    assert np.isnan(array(keras.layers.GlobalAveragePooling1D()(x))).all()
    with pytest.raises(ValueError, match="GlobalAveragePooling1D: axis 1 has length 0, there is nothing to pool"):
        cenote.keras.GlobalAveragePooling1D()(x)


def test_difference_a_mask_of_another_shape() -> None:
    """One bool for five steps: Keras adds up five and divides by one."""
    x, mask = keras.ops.ones((2, 5, 4)), keras.ops.ones((2, 1), "bool")
    assert (array(keras.layers.GlobalAveragePooling1D()(x, mask=mask)) == 5).all()
    with pytest.raises(ValueError, match=r"the mask has shape \(2, 1\) for input of shape \(2, 5, 4\)"):
        cenote.keras.GlobalAveragePooling1D()(x, mask=mask)


def test_difference_strides_of_nothing() -> None:
    """Keras takes a stride of 0 and fails at the first call."""
    assert keras.layers.MaxPooling2D(2, strides=0).strides == (0, 0)
    with pytest.raises(ValueError, match="MaxPooling2D: strides is at least 1, got 0"):
        cenote.keras.MaxPooling2D(2, strides=0)


def test_difference_averages_of_whole_numbers() -> None:
    """In the layer's dtype of computation, on all backends and of all forms; Keras does so in some, truncates in one
    and refuses in others."""
    x = keras.ops.convert_to_tensor(np.array([1, 2, 2, 2], "int32").reshape(1, 4, 1))
    for layer in (
        cenote.keras.AveragePooling1D(4),
        cenote.keras.GlobalAveragePooling1D(),
        cenote.keras.AdaptiveAveragePooling1D(1),
    ):
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == "float32"
        assert array(y).ravel().tolist() == [1.75]
    assert array(keras.layers.GlobalAveragePooling1D()(x)).ravel().tolist() == [1.75]
