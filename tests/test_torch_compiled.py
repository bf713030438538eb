"""cenote.torch in torch.compile, torch.export, torch.jit.trace and an export to ONNX: the same values as without."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed: no comparison", allow_module_level=True)

import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.export import Dim

import cenote.torch
from fresh import python
from torch_models import gradients, images, made

pytestmark = [
    pytest.mark.torch,
    # PyTorch's compiler, exporters and tracer announce their own future here, nothing of ours.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch.*"),
]
KINDS = "max avg lp unpool adaptive"
NO_UNPOOL = "max avg lp adaptive"


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.compiler.reset()
    yield
    torch.compiler.reset()
    torch.set_num_threads(threads)


def same(got: tuple[float, list[Tensor]], want: tuple[float, list[Tensor]], within: float = 0.0) -> bool:
    """Loss and gradients; ``within`` is relative to the largest entry of each."""
    pairs = [(torch.tensor(got[0]), torch.tensor(want[0])), *zip(got[1], want[1], strict=True)]
    return all((a - b).abs().max() <= within * b.abs().max() for a, b in pairs)


@pytest.mark.parametrize(
    ("backend", "within"),
    # The graphs run the same kernels in the same order. Inductor fuses what lies between them, and convolutions and
    # sums of its own come in another order: some units of float32, over five layers.
    [("eager", 0.0), ("aot_eager", 0.0), ("inductor", 2e-5)],
)
def test_forward_and_backward_in_one_graph(backend: str, within: float) -> None:
    want = gradients(made(cenote.torch), images())
    compiled = torch.compile(made(cenote.torch), backend=backend, fullgraph=True)
    assert same(gradients(compiled, images()), want, within)
    again = torch.compile(made(cenote.torch), backend=backend, fullgraph=True)
    with torch.no_grad():
        assert torch.allclose(again(images()), made(cenote.torch)(images()), rtol=1e-4, atol=1e-5)


def test_converted_and_rerouted_models_in_one_graph() -> None:
    want = gradients(made(cenote.torch, "max avg"), images())
    model = made(nn, "max avg")
    cenote.torch.convert(model)
    assert same(gradients(torch.compile(model, backend="aot_eager", fullgraph=True), images()), want)
    torch.compiler.reset()
    with cenote.torch.installed():
        model = torch.compile(made(nn, "max avg"), backend="aot_eager", fullgraph=True)
        assert same(gradients(model, images()), want)


FUNCTIONS: dict[str, Callable[[Tensor], Any]] = {
    "max": lambda x: cenote.torch.max_pool2d(x, 2),
    "max with indices": lambda x: cenote.torch.max_pool2d(x, (3, 2), stride=1, dilation=2, return_indices=True),
    "min by name": lambda x: cenote.torch.min_pool2d(x, kernel_size=3, padding=1, ceil_mode=True),
    "same": lambda x: cenote.torch.avg_pool2d(x, 3, padding="same"),
    "pairs": lambda x: cenote.torch.avg_pool2d(x, 3, padding=((2, 1), (0, 3)), divisor="window"),
    "lp": lambda x: cenote.torch.lp_pool2d(x, 2.5, 2),
    "adaptive": lambda x: cenote.torch.adaptive_avg_pool2d(x, (None, 3)),
    "adaptive max": lambda x: cenote.torch.adaptive_max_pool2d(x, [2, 3], return_indices=True),
    "whole map": lambda x: cenote.torch.avg_pool2d(x, x.shape[2:]),
    "half of it": lambda x: cenote.torch.max_pool2d(x, (x.shape[2] // 2, x.shape[3] // 2)),
    "integers": lambda x: cenote.torch.avg_pool2d((x * 9).to(torch.int8), 2, dtype=torch.float32),
    "unpool": lambda x: cenote.torch.max_unpool2d(
        *cenote.torch.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_in_one_graph(name: str) -> None:
    """Each of them at several sizes: the second compilation leaves the sizes open."""
    function = FUNCTIONS[name]
    compiled = torch.compile(function, backend="aot_eager", fullgraph=True)
    for n, side in ((2, 9), (3, 12), (4, 15)):
        x = torch.randn(n, 3, side, side + 1)
        for got, want in zip(_all(compiled(x)), _all(function(x)), strict=True):
            assert got.dtype is want.dtype
            assert torch.equal(got, want)
            assert got.stride() == want.stride()


def _all(result: Any) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def test_the_first_call_of_a_process_may_be_compiled() -> None:
    """Nothing has to have run without the compiler before."""
    said = python(
        """
import torch, cenote.torch
for name, words in (("max_pool2d", (2,)), ("lp_pool1d", (2, 2)), ("adaptive_avg_pool2d", (3,))):
    function = getattr(cenote.torch, name)
    x = torch.arange(64.0).reshape((1, 1, 8, 8) if "2d" in name else (1, 1, 64))
    got = torch.compile(lambda x: function(x, *words), backend="eager", fullgraph=True)(x)
    assert torch.equal(got, function(x, *words))
print("all")
"""
    )
    assert said.split() == ["all"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x, k: cenote.torch.max_pool2d(x, k), [2, 3, 4]),
        (lambda x, k: cenote.torch.max_pool2d(x, (k, 2), stride=k - 1, padding=(k // 2, 0)), [2, 3, 4]),
        (lambda x, p: cenote.torch.lp_pool2d(x, p, 2), [1.5, 2.5, 3.0]),
        (lambda x, n: cenote.torch.adaptive_max_pool2d(x, n), [2, 3, 5]),
        (lambda x, d: cenote.torch.avg_pool2d(x, 2, divisor_override=d), [2, 3, -5]),
    ],
)
def test_numbers_that_come_as_arguments(function: Callable[[Tensor, Any], Tensor], words: list[Any]) -> None:
    """From the second value on, PyTorch's compiler leaves a number open; windows are constants of a graph."""
    compiled = torch.compile(function, backend="aot_eager", fullgraph=True)
    x = torch.randn(2, 3, 9, 11).abs()
    for word in words:
        assert torch.equal(compiled(x, word), function(x, word)), word


def test_new_sizes_do_not_recompile() -> None:
    """One graph for the first size, one for all others: as with PyTorch's own modules."""
    compilations = {}
    for pools in (cenote.torch, nn):
        torch.compiler.reset()
        counter = CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(made(pools, NO_UNPOOL), backend=counter, fullgraph=True)
        for n, side in ((4, 16), (2, 20), (3, 24), (5, 28), (6, 33), (7, 17)):
            got = gradients(compiled, images(n, side))
            if pools is cenote.torch:
                assert same(got, gradients(made(pools, NO_UNPOOL), images(n, side)))
        compilations[pools] = counter.frame_count
    assert compilations[cenote.torch] == compilations[nn] == 2


def test_empty_batches_in_a_graph() -> None:
    """With Inductor, which checks the strides that it was told of."""
    compiled = torch.compile(lambda x: cenote.torch.max_pool2d(x, 2).relu() + 1, fullgraph=True)
    for n in (0, 2, 0):
        assert compiled(torch.randn(n, 3, 4, 4)).shape == (n, 3, 2, 2)


@pytest.mark.parametrize("strict", [True, False])
def test_export(strict: bool) -> None:
    """Without padding words, with them, with open sizes; saved and read again."""
    model = made(cenote.torch).eval().requires_grad_(False)
    exported = torch.export.export(model, (images(),), strict=strict)
    buffer = io.BytesIO()
    torch.export.save(exported, buffer)
    buffer.seek(0)
    for program in (exported, torch.export.load(buffer), exported.run_decompositions()):
        assert torch.equal(program.module()(images(seed=4)), model(images(seed=4)))


class Plain(nn.Module):
    """Windows whose number of outputs is plain arithmetic of the length (no rounding up)."""

    def forward(self, x: Tensor) -> Tensor:
        y = cenote.torch.max_pool2d(x, 3, 2, 1)
        y = cenote.torch.avg_pool2d(y, 3, 1, 1, count_include_pad=False)
        return cenote.torch.adaptive_avg_pool2d(cenote.torch.lp_pool2d(y, 3, 2), 3)


@pytest.mark.parametrize("strict", [True, False])
def test_export_with_open_sizes(strict: bool) -> None:
    named = {0: Dim("n", min=1, max=64), 2: Dim("h", min=12, max=100), 3: Dim("w", min=12, max=100)}
    program = torch.export.export(Plain(), (images(),), dynamic_shapes=(named,), strict=strict).module()
    for n, side in ((1, 16), (3, 21), (7, 100)):
        assert torch.equal(program(images(n, side)), Plain()(images(n, side)))
    # ceil_mode puts a condition on the length that PyTorch's solver cannot prove for its own operators either
    model = made(cenote.torch, NO_UNPOOL).eval().requires_grad_(False)
    found = dict.fromkeys((0, 2, 3), Dim.AUTO)
    program = torch.export.export(model, (images(),), dynamic_shapes=(found,), strict=strict).module()
    for n, side in ((2, 16), (3, 21), (7, 33)):
        assert torch.equal(program(images(n, side)), model(images(n, side)))


class Shaped(nn.Module):
    """Windows and bins that come from shapes."""

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return (
            cenote.torch.avg_pool2d(x, x.shape[2:], divisor_override=x.shape[2]),
            cenote.torch.max_pool2d(x, (x.shape[2], 2)),
            cenote.torch.adaptive_max_pool2d(x, y.shape[2:]),
        )


@pytest.mark.parametrize("strict", [True, False])
def test_export_of_windows_that_come_from_shapes(strict: bool) -> None:
    x, y = torch.randn(2, 3, 8, 9), torch.randn(2, 3, 4, 5)
    program = torch.export.export(Shaped(), (x, y), strict=strict).module()
    assert all(map(torch.equal, program(x, y), Shaped()(x, y)))
    # with open sizes the windows fix them: they are constants of a graph
    program = torch.export.export(
        Shaped(), (x, y), strict=strict, dynamic_shapes=({0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO}, {2: Dim.AUTO})
    ).module()
    assert all(map(torch.equal, program(x, y), Shaped()(x, y)))


def test_trace() -> None:
    """torch.jit.trace keeps the registered operators: another batch, gradients, and after a round trip. (PyTorch cannot
    trace its own unpooling, whose checks want numbers.)"""
    for model in (made(cenote.torch, NO_UNPOOL).eval(), made(cenote.torch, NO_UNPOOL).train()):
        traced = torch.jit.trace(model, images())
        buffer = io.BytesIO()
        torch.jit.save(traced, buffer)
        buffer.seek(0)
        for program in (traced, torch.jit.load(buffer)):
            assert torch.equal(program(images(2, seed=9)), model(images(2, seed=9)))
            assert same(gradients(program, images(2, seed=9)), gradients(model, images(2, seed=9)))


@pytest.mark.parametrize("dynamo", [True, False])
def test_onnx(dynamo: bool) -> None:
    """What was converted is exported with ONNX's own operators, and ONNX Runtime gives the same numbers."""
    if dynamo:
        pytest.importorskip("onnxscript")
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()
    want = model(images())
    cenote.torch.convert(model)
    file = io.BytesIO()
    if dynamo:
        torch.onnx.export(model, (images(),), verbose=False).save(file)
    else:
        torch.onnx.export(model, (images(),), file, dynamo=False)
    session = runtime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: images().numpy()})
    # another program's convolution: some units of float32
    torch.testing.assert_close(torch.from_numpy(got), want.detach(), rtol=1e-5, atol=1e-6)
    assert type(model[1]) is cenote.torch.MaxPool2d  # still


def test_script_says_what_to_do() -> None:
    """torch.jit.script reads source code, which ours is not for; after restore() PyTorch's modules are scripted."""
    model = nn.Sequential(nn.MaxPool2d(2))
    cenote.torch.convert(model)
    with pytest.raises(RuntimeError):
        torch.jit.script(model)
    cenote.torch.restore(model)
    assert torch.equal(torch.jit.script(model)(images()), model(images()))
