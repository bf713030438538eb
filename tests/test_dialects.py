"""The dialect rows: as data, and live against the frameworks they describe (skipped where one is absent)."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from cenote.catalogue import OPS
from cenote.dialects import DIALECTS, NAMES, Ceil, Padding, Stride, Words
from cenote.errors import CenoteError
from cenote.geometry import Window

LENGTHS = (1, 2, 5, 9, 13)


def framework(name: str) -> Any:
    """The framework's module, or a skip that says which one is missing."""
    with warnings.catch_warnings():  # what a framework warns of while it loads is not ours to mend
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} is not installed: its dialect row is not compared live")


def words(*, dilations: tuple[int, ...], ceils: tuple[bool | None, ...]) -> Iterator[Words]:
    """Every combination of small sizes, strides, paddings, dilations and roundings, alike on two axes."""
    for size, stride, pad, dilation, ceil in itertools.product(
        (1, 2, 3, 4), (None, 1, 2, 3), (None, 0, 1, 2), dilations, ceils
    ):
        yield Words(
            (size, size),
            None if stride is None else (stride, stride),
            None if pad is None else ((pad, pad),) * 2,
            None if dilation == 1 else (dilation, dilation),
            ceil,
        )


def outcome(call: Callable[[], Any], errors: tuple[type[Exception], ...]) -> Any:
    """The result of a call, or the word refused."""
    try:
        return call()
    except errors:
        return "refused"


def ours(name: str, operator: str, asked: Words, lengths: tuple[int, ...]) -> Any:
    return outcome(lambda: DIALECTS[name].window(operator, asked).output_shape(lengths), (CenoteError,))


# --- the rows as data -------------------------------------------------------------------------------------


def test_rows_are_found_by_their_name() -> None:
    assert tuple(DIALECTS) == NAMES == ("torch", "keras", "jax", "onnx", "caffe")
    assert all(row.name == name for name, row in DIALECTS.items())


@pytest.mark.parametrize("name", NAMES)
def test_row_is_complete_and_frozen(name: str) -> None:
    row = DIALECTS[name]
    assert {*row.operators, *row.missing} >= {*OPS, "conv"}
    assert not set(row.operators) & set(row.missing)
    assert row.divisor in row.divisors
    assert set(row.divisors) <= {"inside", "padded", "window", "number"}
    assert row.notes
    assert all(note.text and note.source for note in row.notes)
    with pytest.raises(AttributeError):
        row.title = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        row.operators["max"] = row.operators["conv"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "stride", "ceil", "layout"),
    [
        ("torch", Stride.SIZE, Ceil.DROPS, "NCHW"),
        ("keras", Stride.SIZE, Ceil.NEVER, "NHWC"),
        ("jax", Stride.ONE, Ceil.NEVER, "NHWC"),
        ("onnx", Stride.ONE, Ceil.DROPS, "NCHW"),
        ("caffe", Stride.ONE, Ceil.DROPS_IF_PADDED, "NCHW"),
    ],
)
def test_defaults(name: str, stride: Stride, ceil: Ceil, layout: str) -> None:
    spelling = DIALECTS[name].spelling("max")
    assert (spelling.stride, spelling.ceil, DIALECTS[name].layout(2)) == (stride, ceil, layout)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", {"torch": (14,), "keras": (14,), "jax": (27,), "onnx": (27,), "caffe": (27,)}),
        ("3/2", {"torch": (13,), "keras": (13,), "jax": (13,), "onnx": (13,), "caffe": (14,)}),
        ("3/2+1", {"torch": (14,), "keras": None, "jax": (14,), "onnx": (14,), "caffe": (15,)}),
        ("3/2+same", {"torch": None, "keras": (14,), "jax": (14,), "onnx": (14,), "caffe": None}),
        ("3/2+valid", {"torch": (13,), "keras": (13,), "jax": (13,), "onnx": (13,), "caffe": (14,)}),
        ("3/2+0:1", {"torch": None, "keras": None, "jax": (14,), "onnx": (14,), "caffe": None}),
        ("3/2+2", {"torch": None, "keras": None, "jax": (15,), "onnx": (15,), "caffe": (15,)}),
        ("3/1@2", {"torch": (24,), "keras": None, "jax": (24,), "onnx": (24,), "caffe": None}),
        ("3/2^", {"torch": (14,), "keras": None, "jax": None, "onnx": (14,), "caffe": (14,)}),
    ],
)
def test_same_words_in_every_dialect(text: str, expected: dict[str, tuple[int, ...] | None]) -> None:
    asked = Words.parse(text, 2)
    assert asked is not None
    found = {name: ours(name, "max", asked, (28, 28)) for name in NAMES}
    assert found == {name: "refused" if out is None else out * 2 for name, out in expected.items()}


def test_caffe_keeps_an_empty_window_where_nothing_is_padded() -> None:
    asked = Words((1, 1), (2, 2))
    assert ours("caffe", "max", asked, (2, 2)) == (2, 2)
    assert Window.parse("1/2^", 2).output_shape((2, 2)) == (1, 1)
    padded = Words((2, 2), (3, 3), ((1, 1), (0, 0)))
    assert ours("caffe", "max", padded, (2, 5)) == (1, 2)


@pytest.mark.parametrize(
    ("name", "operator", "text", "said"),
    [
        (
            "torch",
            "max",
            "3/2+same",
            "torch.max_pool: PyTorch has no padding word 'same'; it takes one number",
        ),
        (
            "torch",
            "max",
            "3+2",
            "PyTorch allows a padding at most half the window size (1 for size 3), got 2",
        ),
        ("torch", "avg", "3@2", "torch.avg_pool: PyTorch has no dilation"),
        ("torch", "lp", "3+1", "torch.lp_pool: PyTorch takes no padding in numbers"),
        ("torch", "min", "3", "PyTorch has no min pooling; write -max_pool(-x)"),
        ("torch", "conv", "3/2+same", "with stride 1 only"),
        ("keras", "max", "2^", "keras.MaxPooling: Keras always rounds the output length down"),
        ("keras", "max", "3+1", "Keras takes no padding in numbers, got 1; it takes 'same'"),
        ("keras", "conv", "3/2@2", "takes no stride above 1 together with a dilation"),
        ("onnx", "max", "2+2", "ONNX allows a padding smaller than the window size (1 for size 2), got 2"),
        ("jax", "lp", "2", "JAX has no lp pooling; write reduce_window"),
    ],
)
def test_refusals_name_the_rule(name: str, operator: str, text: str, said: str) -> None:
    asked = Words.parse(text, 2)
    assert asked is not None
    with pytest.raises(CenoteError) as caught:
        DIALECTS[name].window(operator, asked)
    assert said in str(caught.value)


def test_caffe_pools_two_axes_only() -> None:
    with pytest.raises(CenoteError, match="Caffe pools 2 axes, got 1"):
        DIALECTS["caffe"].window("max", Words((2,)))


def test_adaptive_and_global() -> None:
    everything, bins = Window.parse("*", 2), Window.parse(">7x7")
    assert all(row.adapts(everything) is everything for row in DIALECTS.values())
    assert DIALECTS["torch"].adapts(bins) is bins
    with pytest.raises(CenoteError, match="JAX has no adaptive pooling"):
        DIALECTS["jax"].adapts(bins)


def test_words_keep_what_was_left_out() -> None:
    assert Words.parse("3x2") == Words((3, 2))
    assert Words.parse("3/3+0@1", 2) == Words((3, 3), (3, 3), ((0, 0), (0, 0)), (1, 1))
    assert Words.parse("2^") == Words((2,), ceil=True)
    assert Words.parse(">7x7") is None
    assert Words.parse("*") is None
    with pytest.raises(CenoteError, match="join the axes with x"):
        Words.parse("2,3/1")
    with pytest.raises(CenoteError, match="stride has 1 entries for 2 axes"):
        Words((2, 2), (1,))


# --- live -------------------------------------------------------------------------------------------------


@pytest.mark.torch
@pytest.mark.parametrize("operator", ["max", "avg", "lp"])
def test_torch_live(operator: str) -> None:
    torch = framework("torch")
    functional = torch.nn.functional
    dilations = (1, 2) if operator == "max" else (1,)
    compared = 0
    for asked in words(dilations=dilations, ceils=(None, True)):
        padded = asked.padding is not None and asked.padding != ((0, 0), (0, 0))
        if operator == "lp" and padded:
            continue  # it has no such argument, the row refuses it: test_refusals_name_the_rule
        given: dict[str, Any] = {"stride": asked.stride, "ceil_mode": bool(asked.ceil)}
        if operator != "lp" and asked.padding is not None:
            given["padding"] = tuple(lo for lo, _ in asked.padding)  # type: ignore[misc]
        if asked.dilation is not None:
            given["dilation"] = asked.dilation
        for length in LENGTHS:
            x = torch.zeros(1, 1, length, length)

            def theirs(x: Any = x, given: dict[str, Any] = given, asked: Words = asked) -> tuple[int, ...]:
                if operator == "lp":
                    return tuple(functional.lp_pool2d(x, 2, asked.size, **given).shape[2:])
                return tuple(getattr(functional, f"{operator}_pool2d")(x, asked.size, **given).shape[2:])

            assert ours("torch", operator, asked, (length, length)) == outcome(theirs, (RuntimeError,)), (
                asked,
                length,
            )
            compared += 1
    assert compared > 300


@pytest.mark.torch
def test_torch_live_divisors_and_adaptive() -> None:
    torch = framework("torch")
    functional, row = torch.nn.functional, DIALECTS["torch"]
    ones = torch.ones(1, 1, 4, 4)
    corner = {
        "padded": functional.avg_pool2d(ones, 3, 2, 1)[0, 0, 0, 0],
        "inside": functional.avg_pool2d(ones, 3, 2, 1, count_include_pad=False)[0, 0, 0, 0],
        "number": functional.avg_pool2d(ones, 3, 2, 1, divisor_override=8)[0, 0, 0, 0],
    }
    # four ones, and one division, which IEEE rounds in one way only
    assert {name: float(value) for name, value in corner.items()} == {
        "padded": float(np.float32(4) / np.float32(9)),
        "inside": 1.0,
        "number": 0.5,
    }
    assert set(corner) == set(row.divisors)
    assert row.divisor == "padded"
    bins = functional.adaptive_max_pool2d(torch.zeros(1, 1, 28, 28), (7, 5)).shape[2:]
    assert tuple(bins) == row.adapts(Window.parse(">7x5")).output_shape((28, 28))


@pytest.mark.torch
def test_torch_live_convolution() -> None:
    torch = framework("torch")
    x = torch.zeros(1, 1, 9, 9)
    for size, stride, pad, dilation in itertools.product((1, 2, 3), (1, 2), (0, 1, 4, "same"), (1, 2)):
        asked = Words((size,) * 2, (stride,) * 2, (pad if isinstance(pad, str) else (pad, pad),) * 2, (dilation,) * 2)

        def theirs(
            size: int = size, stride: int = stride, pad: int | str = pad, dilation: int = dilation
        ) -> tuple[int, ...]:
            kernel = torch.zeros(1, 1, size, size)
            with warnings.catch_warnings():  # "same" with an even kernel warns of a copy
                warnings.simplefilter("ignore")
                out = torch.nn.functional.conv2d(x, kernel, stride=stride, padding=pad, dilation=dilation)
            return tuple(out.shape[2:])

        assert ours("torch", "conv", asked, (9, 9)) == outcome(theirs, (RuntimeError,)), asked


def test_flax_live() -> None:
    framework("jax")
    nn = framework("flax.linen")
    for size, stride, pad in itertools.product((1, 2, 3), (None, 1, 2), (None, "same", "valid", 1, 4)):
        resolved: Any = pad if pad is None or pad == "same" else (0, 0) if pad == "valid" else (pad, pad)
        asked = Words(
            (size,) * 2,
            None if stride is None else (stride,) * 2,
            None if resolved is None else (resolved,) * 2,
        )
        given = {} if pad is None else {"padding": ((pad, pad),) * 2 if isinstance(pad, int) else pad}
        for length in LENGTHS:
            if size > length and pad in (None, "valid"):
                continue  # JAX gives an empty array where the contract has an error
            x = np.zeros((1, length, length, 1), np.float32)
            out = nn.max_pool(x, asked.size, strides=asked.stride, **given).shape[1:3]
            assert ours("jax", "max", asked, (length, length)) == tuple(out), (asked, length)
    ones = np.ones((1, 2, 2, 1), np.float32)
    window = nn.avg_pool(ones, (3, 3), padding=((1, 1), (1, 1)))
    inside = nn.avg_pool(ones, (3, 3), padding=((1, 1), (1, 1)), count_include_pad=False)
    # XLA may multiply by a rounded 1/9 where it should divide: two roundings instead of one
    assert abs(float(window[0, 0, 0, 0]) - 4 / 9) <= 4 / 9 * np.finfo(np.float32).eps
    assert float(inside[0, 0, 0, 0]) == 1.0
    assert DIALECTS["jax"].divisor == "window"


def test_keras_live(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = next((name for name in ("jax", "torch", "tensorflow") if importlib.util.find_spec(name)), None)
    if backend is None:
        pytest.skip("no Keras backend is installed: the keras dialect row is not compared live")
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", backend))
    keras = framework("keras")
    for size, stride, pad in itertools.product((1, 2, 3), (None, 1, 2, 3), ("valid", "same")):
        asked = Words(
            (size,) * 2,
            None if stride is None else (stride,) * 2,
            ((0, 0) if pad == "valid" else pad,) * 2,  # type: ignore[arg-type]
        )
        for length in LENGTHS:
            if size > length and pad == "valid":
                continue  # the error is the backend's
            layer = keras.layers.MaxPooling2D(size, strides=stride, padding=pad)
            out = layer.compute_output_shape((1, length, length, 1))
            assert ours("keras", "max", asked, (length, length)) == tuple(out[1:3]), (asked, length)
    ones = np.ones((1, 4, 4, 1), np.float32)
    average = keras.ops.convert_to_numpy(keras.layers.AveragePooling2D(3, 2, padding="same")(ones))
    assert (average == 1).all()
    assert DIALECTS["keras"].divisor == "inside"


def test_onnx_live() -> None:
    onnx, runtime = framework("onnx"), framework("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4

    def run(asked: Words, length: int, word: str | None) -> tuple[int, ...]:
        given: dict[str, Any] = {"kernel_shape": asked.size, "ceil_mode": int(bool(asked.ceil))}
        if asked.stride is not None:
            given["strides"] = asked.stride
        if asked.dilation is not None:
            given["dilations"] = asked.dilation
        if word is not None:
            given["auto_pad"] = word
        elif asked.padding is not None:
            pairs: Any = asked.padding
            given["pads"] = [lo for lo, _ in pairs] + [hi for _, hi in pairs]
        tensor = onnx.helper.make_tensor_value_info
        float32 = onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("MaxPool", ["x"], ["y"], **given)],
            "pool",
            [tensor("x", float32, (1, 1, length, length))],
            [tensor("y", float32, None)],
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
        session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return tuple(session.run(None, {"x": np.zeros((1, 1, length, length), np.float32)})[0].shape[2:])

    for length in (5, 9):
        for asked in itertools.islice(words(dilations=(1, 2), ceils=(None, True)), 0, None, 3):
            expected = ours("onnx", "max", asked, (length, length))
            found = outcome(functools.partial(run, asked, length, None), (Exception,))
            if expected == "refused" and found != "refused":
                # where no window fits, ONNX Runtime divides a negative number towards zero and goes on
                assert found in ((0, 0), (1, 1)), (asked, length)
                continue
            assert expected == found, (asked, length)
        for pad, word in (("same", "SAME_UPPER"), ("same_lower", "SAME_LOWER")):
            asked = Words((3, 3), (2, 2), (pad, pad))
            assert ours("onnx", "max", asked, (length, length)) == run(asked, length, word)
    assert Padding.SAME_LOWER in DIALECTS["onnx"].spelling("max").padding
