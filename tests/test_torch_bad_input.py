"""What is wrong, or merely odd, in an argument of cenote.torch: the kind of error that PyTorch raises, never a crash,
never a wrong number. Where one of the two takes what the other refuses, a rule here says so. A long file, for its rules
are one list that all its tests read."""

from __future__ import annotations

import copy
import importlib.util
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed: no comparison", allow_module_level=True)

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import cenote.torch
from cenote import CenoteError

pytestmark = [pytest.mark.torch]


class Index:
    """What Python takes for an int."""

    def __index__(self) -> int:
        return 2


ODD: dict[str, Any] = {
    "None": None,
    "2.0": 2.0,
    "2.5": 2.5,
    "True": True,
    "False": False,
    "-1": -1,
    "0": 0,
    "2**63": 2**63,
    "2**70": 2**70,
    "nan": math.nan,
    "inf": math.inf,
    "2j": 2j,
    "'2'": "2",
    "b'2'": b"2",
    "object": object(),
    "np.int64": np.int64(2),
    "np.int32": np.int32(2),
    "np.float64": np.float64(2),
    "array": np.array([2, 2]),
    "0-d array": np.array(2),
    "0-d tensor": torch.tensor(2),
    "tensor": torch.tensor([2, 2]),
    "Index": Index(),
    "Size": torch.Size((2, 2)),
    "list": [2, 2],
    "tuple": (2, 2),
    "one": (2,),
    "three": (2, 2, 2),
    "empty": (),
    "pairs": ((2, 2), (2, 2)),
    "a pair": ((2, 2),),
    "lists": [[2], [2]],
    "with float": (2, 2.0),
    "with None": (2, None),
    "with True": (True, 2),
    "with 0": (0, 2),
    "with -2": (-2, 2),
    "range": range(2, 4),
    "dict": {2: 2},
    "set": {2},
    "NumPy ints": [np.int64(2), np.int64(2)],
    "tensors": [torch.tensor(2)] * 2,
}
PLAIN = torch.randn(1, 2, 6, 8, generator=torch.Generator().manual_seed(0)).abs()
# function, words before the one that is tried, its name
PLACES: list[tuple[str, tuple[Any, ...], str]] = [
    *(("max_pool2d", (), "kernel_size"), ("max_pool2d", (2,), "stride"), ("max_pool2d", (3, 1), "padding")),
    *(("max_pool2d", (2, 1, 0), "dilation"), ("max_pool2d", (2, 2, 0, 1), "ceil_mode")),
    *(("max_pool2d", (2, 2, 0, 1, False), "return_indices"), ("avg_pool2d", (), "kernel_size")),
    *(("avg_pool2d", (2,), "stride"), ("avg_pool2d", (3, 1), "padding"), ("avg_pool2d", (3, 1, 0), "ceil_mode")),
    *(
        ("avg_pool2d", (3, 1, 0, False), "count_include_pad"),
        ("avg_pool2d", (3, 1, 0, False, True), "divisor_override"),
    ),
    *(("adaptive_max_pool2d", (), "output_size"), ("adaptive_avg_pool2d", (), "output_size")),
    *(("lp_pool2d", (), "norm_type"), ("lp_pool2d", (2,), "kernel_size"), ("lp_pool2d", (2, 2), "stride")),
    *(("max_pool1d", (), "kernel_size"), ("avg_pool1d", (), "kernel_size"), ("lp_pool1d", (2,), "kernel_size")),
    *(("adaptive_max_pool1d", (), "output_size"), ("adaptive_avg_pool1d", (), "output_size")),
]
# p = inf is the largest of all; PyTorch 2.6 raises to that power instead, and gives 1 or infinity.
KNOWS_INFINITE_NORM = F.lp_pool1d(torch.tensor([[[3.0, 2.0]]]), math.inf, 2).item() == 3
# PyTorch's own accidents: what it happens to trip over inside. Any error of ours that explains itself will do.
ACCIDENTS = (AttributeError, ZeroDivisionError, OverflowError)
WHOLE = ("np.int64", "np.int32", "0-d array", "0-d tensor", "Index", "NumPy ints", "tensors", "range", "one")


def taken_here(place: str, odd: str) -> bool:
    """What PyTorch refuses, and this takes: other spellings of the same ints, and the contract's own words."""
    return (
        (place == "output_size" and odd in ("None", "with None"))  # keeps an axis
        or (place == "padding" and odd == "pairs")  # which have no limit
        or (odd in WHOLE and place not in ("padding", "return_indices"))
        or (place == "norm_type" and odd == "2**70")
    )


def refused_here(place: str, odd: str) -> bool:
    """What PyTorch takes, and this refuses."""
    return (
        (place == "return_indices")  # True or False, nothing that counts as true
        or (place == "output_size" and odd in ("0", "with 0", "array", "tensor"))  # a map without cells; an array
        or (place == "norm_type" and odd in ("-1", "nan", "True", "0-d tensor"))  # p > 0, a number
    )


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch's, before it raises
        try:
            return function(*args)
        except Exception as error:
            return error


def compare(name: str, words: tuple[Any, ...], x: Any) -> tuple[Any, Any]:
    theirs, ours = (outcome(getattr(source, name), x, *words) for source in (F, cenote.torch))
    if isinstance(ours, Exception):
        assert isinstance(ours, CenoteError), repr(ours)
        assert name in str(ours) or "pool" in str(ours)
        assert "\n" not in str(ours)
    return theirs, ours


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("name", "words", "place"), PLACES)
def test_odd_words(name: str, words: tuple[Any, ...], place: str, odd: str) -> None:
    after = (2,) if place == "norm_type" else ()
    if (place, odd) == ("norm_type", "inf") and not KNOWS_INFINITE_NORM:
        pytest.skip("this release of PyTorch does not know the infinite norm")
    theirs, ours = compare(name, (*words, ODD[odd], *after), PLAIN[0] if "1d" in name else PLAIN)
    if isinstance(theirs, Exception) and isinstance(ours, Exception):
        # of several things that are wrong with a sequence either is named first; a word or a pair of padding is of the
        # right type here, if a wrong one
        either = isinstance(theirs, TypeError) and (
            odd in ("pairs", "a pair", "lists", "range")
            or ("1d" in name and isinstance(ODD[odd], tuple))
            or (place == "padding" and odd == "'2'")
        )
        assert isinstance(ours, type(theirs)) or isinstance(theirs, ACCIDENTS) or either, repr((theirs, ours))
    elif isinstance(theirs, Exception):
        assert taken_here(place, odd), repr((theirs, ours))
    elif isinstance(ours, Exception):
        assert refused_here(place, odd), repr((theirs, ours))
    else:
        for a, b in zip(_all(ours), _all(theirs), strict=True):
            torch.testing.assert_close(a, b)


def _all(result: Any) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


CALLS: list[tuple[str, tuple[Any, ...]]] = [
    *(("max_pool2d", (2,)), ("max_pool2d", (2, 2, 0, 1, False, True)), ("avg_pool2d", (2,))),
    *(("adaptive_max_pool2d", (2,)), ("adaptive_avg_pool2d", (2,)), ("lp_pool2d", (2, 2))),
]


@pytest.mark.parametrize("odd", ["None", "2.0", "True", "list", "array", "tuple", "'2'", "object"])
@pytest.mark.parametrize(("name", "words"), CALLS)
def test_what_is_no_tensor(name: str, words: tuple[Any, ...], odd: str) -> None:
    theirs, ours = compare(name, words, ODD[odd])
    assert isinstance(theirs, Exception)
    assert isinstance(ours, TypeError)


@pytest.mark.parametrize("dimensions", [0, 1, 2, 5, 6])
@pytest.mark.parametrize(("name", "words"), CALLS)
def test_dimensions(name: str, words: tuple[Any, ...], dimensions: int) -> None:
    theirs, ours = compare(name, words, torch.zeros((4,) * dimensions))
    assert isinstance(ours, type(theirs)), repr((theirs, ours))


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental:UserWarning")
@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "complex32", "complex64"])
def test_dtypes_that_neither_takes(name: str) -> None:
    dtype = getattr(torch, name)
    x = torch.zeros(1, 2, 4, 6, dtype=dtype)
    for function, words in CALLS:
        theirs, ours = compare(function, words, x)
        if name == "complex64" and "avg" in function:
            assert ours.dtype is dtype  # complex averages are in the contract
        elif isinstance(theirs, Exception):
            assert isinstance(ours, type(theirs)), repr((theirs, ours))


def test_results_that_do_not_fit() -> None:
    """RuntimeError, as PyTorch's allocator has it, and Python's MemoryError."""
    error = outcome(cenote.torch.adaptive_max_pool1d, PLAIN[0], 2**55)
    assert isinstance(error, MemoryError)
    assert isinstance(error, RuntimeError)


def layouts() -> Iterator[tuple[str, Tensor]]:
    plain = torch.randn(1, 2, 4, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # prototypes, says PyTorch
        yield "sparse", plain.to_sparse()
        yield "nested", torch.nested.nested_tensor([torch.randn(2, 4, 4), torch.randn(2, 6, 5)])
        yield "jagged", torch.nested.nested_tensor([torch.randn(2, 4, 4)] * 2, layout=torch.jagged)
        yield "mkldnn", plain.to_mkldnn()
        yield "quantized", torch.quantize_per_tensor(plain, 0.1, 10, torch.quint8)


@pytest.mark.parametrize(("name", "words"), CALLS)
def test_other_layouts_are_refused(name: str, words: tuple[Any, ...]) -> None:
    for layout, x in layouts():
        theirs, ours = compare(name, words, x)
        if layout == "quantized" and not isinstance(theirs, Exception):
            assert torch.equal(ours.int_repr(), theirs.int_repr())  # PyTorch's own kernel
            continue
        assert isinstance(ours, (TypeError, CenoteError)), layout
        assert "nested" in str(ours) or layout[:6] in str(ours) or "layout" in str(ours)


def test_quantized_tensors_go_to_pytorchs_kernels() -> None:
    """Or PyTorch has none, or cannot say it: then the error says what to pool instead."""
    x = dict(layouts())["quantized"]
    assert cenote.torch.explain(cenote.torch.max_pool2d, x, 2).provider == "torch"
    for call in (
        lambda: cenote.torch.min_pool2d(x, 2),
        lambda: cenote.torch.max_pool2d(x, 2, padding="same"),
        lambda: cenote.torch.adaptive_max_pool2d(x, 2),
        lambda: cenote.torch.explain(cenote.torch.adaptive_max_pool2d, x, 2),
    ):
        with pytest.raises(TypeError, match=r"the tensor is quantized.*pool x\.dequantize\(\)"):
            call()


@pytest.mark.filterwarnings("ignore")  # PyTorch's own, about its quantization
def test_a_converted_model_may_be_quantized() -> None:
    from torch.ao import quantization

    pools = nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(2)
    model = nn.Sequential(quantization.QuantStub(), nn.Conv2d(1, 2, 3), *pools, quantization.DeQuantStub()).eval()
    results = []
    for ours in (False, True):
        twin = copy.deepcopy(model)
        if ours:
            cenote.torch.convert(twin)
        twin.qconfig = quantization.get_default_qconfig("fbgemm")
        quantization.prepare(twin, inplace=True)
        image = torch.rand(2, 1, 20, 20, generator=torch.Generator().manual_seed(0))
        twin(image)
        quantization.convert(twin, inplace=True)
        results.append(twin(image))
    assert torch.equal(*results)


@pytest.mark.parametrize(("name", "words"), CALLS)
def test_other_layouts_go_on_as_before_while_installed(name: str, words: tuple[Any, ...]) -> None:
    """What PyTorch pools of quantized or mkldnn tensors, it still pools: install() changes plain tensors alone."""
    for layout, x in layouts():
        before = outcome(getattr(F, name), x, *words)
        with cenote.torch.installed():
            after = outcome(getattr(F, name), x, *words)
        if isinstance(before, Exception):
            assert isinstance(after, Exception), layout
            continue
        for a, b in zip(_all(after), _all(before), strict=True):
            assert isinstance(a, Tensor), repr((layout, after))
            a, b = ((t.dequantize() if t.is_quantized else t).to_dense() for t in (a, b))
            assert torch.equal(a, b), layout


# ---------------------------------------------------------------------------------------------------------- autograd


@pytest.mark.parametrize(("name", "words"), CALLS)
def test_gradients_of_every_sort(name: str, words: tuple[Any, ...]) -> None:
    """Expanded, overlapping, negated, channels-last, NaN and infinite gradients, of another dtype, of a wrong shape."""
    sorts: dict[str, Callable[[Any], Tensor]] = {
        "expanded": lambda s: torch.tensor(2.0).expand(s),
        "steps": lambda s: torch.randn(*s, 3, generator=torch.Generator().manual_seed(1))[..., 1],
        "overlapping": lambda s: torch.arange(60.0).as_strided(s, (0, 1, 1, 1)),
        "negated": lambda s: (
            torch.randn(s, generator=torch.Generator().manual_seed(1)).to(torch.complex64).mul(1j).conj().imag
        ),
        "channels last": lambda s: torch.arange(float(math.prod(s))).reshape(s).to(memory_format=torch.channels_last),
        "nan": lambda s: torch.full(s, math.nan),
        "inf": lambda s: torch.full(s, math.inf),
        "float64": lambda s: torch.ones(s, dtype=torch.float64),
        "wrong shape": lambda s: torch.ones(s[0], s[1], s[2] + 1, s[3]),
    }
    for sort, make in sorts.items():
        found = []
        for source in (F, cenote.torch):
            x = PLAIN.clone().requires_grad_()
            y = _all(getattr(source, name)(x, *words))[0]
            found.append(outcome(y.backward, make(tuple(y.shape))) or x.grad)
        if isinstance(found[0], Exception):
            assert isinstance(found[1], type(found[0])), sort
        else:
            # averages and norms multiply and divide in another order: some units of float32
            torch.testing.assert_close(found[1], found[0], rtol=1e-6, atol=1e-7, equal_nan=True, msg=sort)


def test_inputs_that_change_before_the_backward_pass() -> None:
    """A maximum and an average keep nothing of the input, so it may change; a norm does, and says so."""
    for name in ("max_pool2d", "avg_pool2d", "adaptive_max_pool2d"):
        x = PLAIN.clone().requires_grad_()
        (want,) = torch.autograd.grad(getattr(cenote.torch, name)(x, 2).sum(), x)
        middle = x * 1
        y = getattr(cenote.torch, name)(middle, 2)
        middle.zero_()
        assert torch.equal(torch.autograd.grad(y.sum(), x)[0], want)
    x = PLAIN.clone().requires_grad_()
    middle = x * 1
    y = cenote.torch.lp_pool2d(middle, 2, 2)
    middle.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    values, indices = F.max_pool2d(PLAIN, 2, return_indices=True)
    y = cenote.torch.max_unpool2d(values.clone().requires_grad_(), indices, 2)
    indices.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_results_that_change_before_the_backward_pass() -> None:
    for name, words in CALLS:
        x = PLAIN.clone().requires_grad_()
        y = _all(getattr(cenote.torch, name)(x, *words))[0]
        (want,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
        y.mul_(3)
        y.view(-1)[:5].mul_(1)
        assert torch.allclose(torch.autograd.grad(y.sum(), x)[0], 3 * want)


def test_graphs_are_freed() -> None:
    """Walked once, not twice; and nothing keeps a tensor alive (no cycle, which only the collector would find)."""
    import weakref

    for name, words in CALLS:
        x = PLAIN.clone().requires_grad_()
        middle = x * 1
        y = _all(getattr(cenote.torch, name)(middle, *words))[0]
        seen = weakref.ref(middle)
        y.sum().backward()
        with pytest.raises(RuntimeError, match="second time"):
            y.sum().backward()
        del middle, y
        assert seen() is None, name


# ------------------------------------------------------------------------------------------ other readers of functions


@pytest.mark.parametrize("kinds", ["max avg lp adaptive", "max avg lp unpool adaptive"])
def test_symbolic_tracing(kinds: str) -> None:
    """torch.fx meets our modules as it meets PyTorch's, and its graphs run and may be copied."""
    from torch_models import images, made

    for model in (made(cenote.torch, kinds), made(nn, kinds)):
        cenote.torch.convert(model)
        graph = torch.fx.symbolic_trace(model)
        for program in (graph, copy.deepcopy(graph)):
            assert torch.equal(program(images()), model(images()))


def test_functionalization() -> None:
    function = torch.func.functionalize(lambda x: cenote.torch.max_pool2d(x, 2).add_(1))
    assert torch.equal(function(PLAIN), F.max_pool2d(PLAIN, 2) + 1)


def test_subclasses_are_kept() -> None:
    """Also by unpooling."""

    class Tagged(Tensor):
        pass

    values, indices = F.max_pool2d(PLAIN, 2, return_indices=True)
    assert type(F.max_unpool2d(values.as_subclass(Tagged), indices, 2)) is Tagged
    assert type(cenote.torch.max_unpool2d(values.as_subclass(Tagged), indices, 2)) is Tagged


UNPOOL: dict[str, Callable[[Tensor, Tensor], tuple[Any, ...]]] = {
    "plain": lambda y, i: (y, i, 2),
    "int32": lambda y, i: (y, i.int(), 2),
    "float positions": lambda y, i: (y, i.float(), 2),
    "negative positions": lambda y, i: (y, i - 100, 2),
    "large positions": lambda y, i: (y, i + 1000, 2),
    "fewer positions": lambda y, i: (y, i[:, :1], 2),
    "no positions": lambda y, i: (y, None, 2),
    "negative size": lambda y, i: (y, i, -2),
    "stride 0": lambda y, i: (y, i, 2, 0),
    "float size": lambda y, i: (y, i, 2.0),
    "no size": lambda y, i: (y, i, None),
    "wide padding": lambda y, i: (y, i, 2, 2, 5),
    "one length": lambda y, i: (y, i, 2, 2, 0, (6,)),
    "lengths": lambda y, i: (y, i, 2, 2, 0, (6, 8)),
    "odd lengths": lambda y, i: (y, i, 2, 2, 0, (7, 9)),
    "long lengths": lambda y, i: (y, i, 2, 2, 0, (8, 10)),
    "a size": lambda y, i: (y, i, 2, 2, 0, torch.Size((1, 2, 6, 8))),
    "float lengths": lambda y, i: (y, i, 2, 2, 0, (6.0, 8.0)),
    "negative lengths": lambda y, i: (y, i, 2, 2, 0, (-6, 8)),
    "two dimensions": lambda y, i: (y[0, 0], i[0, 0], 2),
    "five dimensions": lambda y, i: (y[None], i[None], 2),
    "no batch": lambda y, i: (y[0], i[0], 2),
    "empty batch": lambda y, i: (y[:0], i[:0], 2),
    "half": lambda y, i: (y.half(), i, 2),
    "transposed": lambda y, i: (y.transpose(2, 3), i.transpose(2, 3), 2),
    "mixed formats": lambda y, i: (y.to(memory_format=torch.channels_last), i, 2),
}


@pytest.mark.parametrize("odd", UNPOOL)
def test_unpooling(odd: str) -> None:
    args = UNPOOL[odd](*F.max_pool2d(PLAIN, 2, return_indices=True))
    theirs, ours = (outcome(source.max_unpool2d, *args) for source in (F, cenote.torch))
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), repr((theirs, ours))
        assert isinstance(ours, CenoteError)
    else:
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((2.0,), "kernel_size"),
        ((0,), "kernel_size"),
        (((2, 2, 2),), "kernel_size"),
        ((2, 2, "same"), "padding"),
        ((2, 2, 0, (6.0, 8.0)), "output_size"),
    ],
)
def test_errors_name_what_the_caller_wrote(words: tuple[Any, ...], name: str) -> None:
    values, indices = F.max_pool2d(PLAIN, 2, return_indices=True)
    with pytest.raises(CenoteError, match=rf"^max_unpool2d: {name}"):
        cenote.torch.max_unpool2d(values, indices, *words)
    if len(words) == 1:
        with pytest.raises(CenoteError, match=rf"^max_pool2d: {name}"):
            cenote.torch.max_pool2d(PLAIN, *words)
    else:
        with pytest.raises(CenoteError, match="^max_unpool2d: index 1000"):
            cenote.torch.max_unpool2d(values, torch.full_like(indices, 1000), 2)


@pytest.mark.parametrize("place", ["input", "indices"])
def test_unpooling_refuses_other_layouts(place: str) -> None:
    values, indices = F.max_pool2d(torch.rand(1, 2, 4, 6), 2, return_indices=True)
    for _, x in layouts():
        args = (x, indices) if place == "input" else (values, x)
        with pytest.raises(CenoteError, match=f"^max_unpool2d: {place}"):
            cenote.torch.max_unpool2d(*args, 2)


def test_nodes_of_graphs_say_whose_they_are() -> None:
    """Eager ones and those of the registered operators: it is what profiles show."""
    from cenote.torch import library

    x = PLAIN.clone().requires_grad_()
    pooling = cenote.torch.max_pool2d.cenote
    text = library.spelled(pooling.request(4, pooling.words.fill((2,), {})))
    for y in (cenote.torch.max_pool2d(x, 2), library.pool(x, *text)):
        assert y.grad_fn is not None
        assert y.grad_fn.name() == "CenoteSelectBackward"
    assert "CenoteDown" in repr(cenote.torch.avg_pool2d(x, 2).grad_fn)
