"""Models and programs that are there already: convert, restore, install, explain, and what leaves this machine."""

from __future__ import annotations

import copy
import importlib.util
import io
import pickle
import warnings
from types import ModuleType
from typing import Any

import pytest

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed: no comparison"),
]


def network(torch: ModuleType) -> Any:
    """Nested, shared, in a list, in a dictionary; a subclass, and one that has no counterpart."""
    nn = torch.nn

    class Mine(nn.MaxPool2d):
        pass

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared = nn.MaxPool2d(2)
            self.again = self.shared
            self.blocks = nn.ModuleList([nn.Sequential(nn.Conv2d(1, 3, 3), nn.AvgPool2d(2, ceil_mode=True))])
            self.heads = nn.ModuleDict({"a": nn.AdaptiveAvgPool2d((None, 2)), "b": nn.AdaptiveMaxPool2d(1)})
            self.mine = Mine(2, 1)
            self.fractional = nn.FractionalMaxPool2d(1, 1)
            self.norm = nn.LPPool2d(2, 2)

        def forward(self, x: Any) -> Any:
            x = self.mine(self.again(self.blocks[0](self.shared(x))))
            return self.heads["a"](x).mean((2, 3)), self.heads["b"](x), self.norm(x)

    torch.manual_seed(0)
    return Net()


def test_convert_and_restore(torch: ModuleType, ours: ModuleType) -> None:
    net, x = network(torch), torch.rand(2, 1, 30, 30)
    calls: list[str] = []
    net.shared.register_forward_hook(lambda *_: calls.append("shared"))
    net.blocks.eval()
    before, keys = net(x), list(net.state_dict())
    parts = {name: id(module) for name, module in net.named_modules()}
    report = ours.convert(net)
    assert report.changed == {
        "shared": "torch.nn.MaxPool2d -> cenote.torch.MaxPool2d",
        "blocks.0.1": "torch.nn.AvgPool2d -> cenote.torch.AvgPool2d",
        "heads.a": "torch.nn.AdaptiveAvgPool2d -> cenote.torch.AdaptiveAvgPool2d",
        "heads.b": "torch.nn.AdaptiveMaxPool2d -> cenote.torch.AdaptiveMaxPool2d",
        "norm": "torch.nn.LPPool2d -> cenote.torch.LPPool2d",
    }
    assert set(report.left) == {"mine", "fractional"}
    assert "subclass of MaxPool2d" in report.left["mine"]
    assert "Mine is a subclass" in str(report)
    assert {name: id(module) for name, module in net.named_modules()} == parts
    assert net.again is net.shared
    assert type(net.shared) is ours.MaxPool2d
    assert not net.blocks[0][1].training
    assert list(net.state_dict()) == keys
    calls.clear()
    for got, want in zip(net(x), before, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-7)  # averages and norms of a handful of numbers
    assert calls == ["shared", "shared"]
    again = ours.convert(net)
    assert not again.changed
    assert again.left == report.left
    for twin in (copy.deepcopy(net.heads), pickle.loads(pickle.dumps(net.heads))):
        assert type(twin["a"]) is ours.AdaptiveAvgPool2d
        assert repr(twin) == repr(net.heads)
    assert len(ours.restore(net).changed) == 5
    assert type(net.shared) is torch.nn.MaxPool2d
    for got, want in zip(net(x), before, strict=True):
        assert torch.equal(got, want)
    assert not ours.restore(net).changed


def test_restore_leaves_what_pytorch_cannot_say(torch: ModuleType, ours: ModuleType) -> None:
    net = torch.nn.Sequential(
        ours.MaxPool2d(3, padding="same"),
        ours.AvgPool2d(2, dilation=2),
        ours.MinPool2d(2),
        ours.MaxPool2d(2, padding=1),
    )
    report = ours.restore(net)
    assert list(report.changed) == ["3"]
    assert {name: reason.split()[0] for name, reason in report.left.items()} == dict.fromkeys("012", "PyTorch's") | {
        "2": "PyTorch"
    }
    single = torch.nn.MaxPool2d(2)
    assert str(ours.convert(single)) == "(the model)  torch.nn.MaxPool2d -> cenote.torch.MaxPool2d"
    with pytest.raises(TypeError, match="convert: model is a torch.nn.Module, got 3"):
        ours.convert(3)


def test_install(torch: ModuleType, ours: ModuleType) -> None:
    functional, kept = torch.nn.functional, []
    x = torch.rand(2, 3, 9, 9)
    calls = {
        "max_pool1d": lambda t: functional.max_pool1d(t[0], 2),
        "max_pool2d": lambda t: functional.max_pool2d(t, 3, 2, 1),
        "max_pool3d": lambda t: functional.max_pool3d(t, 2),
        "avg_pool1d": lambda t: functional.avg_pool1d(t[0], 2),
        "avg_pool2d": lambda t: functional.avg_pool2d(t, 2),
        "avg_pool3d": lambda t: functional.avg_pool3d(t, 2),
        "adaptive_avg_pool1d": lambda t: functional.adaptive_avg_pool1d(t[0], 4),
        "adaptive_avg_pool2d": lambda t: functional.adaptive_avg_pool2d(t, 1),
        "adaptive_avg_pool3d": lambda t: functional.adaptive_avg_pool3d(t, 1),
        "adaptive_max_pool1d": lambda t: functional.adaptive_max_pool1d(t[0], 4),
        "adaptive_max_pool2d": lambda t: functional.adaptive_max_pool2d(t, 4),
        "adaptive_max_pool3d": lambda t: functional.adaptive_max_pool3d(t, 2),
        "lp_pool2d": lambda t: functional.lp_pool2d(t, 2, 2),
    }
    pair = lambda t: functional.max_pool2d(t, 2, return_indices=True)  # noqa: E731
    theirs = {name: call(x) for name, call in calls.items()}
    theirs_pair = pair(x)
    before = torch._C._dispatch_dump_table("aten::max_pool2d")
    with ours.installed(), torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        assert ours.is_installed()
        ours.install()  # again does no harm
        for name, call in calls.items():
            leaf = x.clone().requires_grad_()
            kept.clear()
            y = call(leaf)
            if "lp" not in name:
                assert [t.dtype for t in kept] == ([torch.uint8] if "max" in name else [])
            with torch.no_grad():
                plain = call(x)
            with torch.inference_mode():
                inferred = call(x)
            for found in (y, plain, inferred):
                torch.testing.assert_close(found, theirs[name], rtol=1e-5, atol=1e-6)
            y.sum().backward()
            assert leaf.grad.abs().sum() > 0
        assert all(torch.equal(a, b) for a, b in zip(pair(x), theirs_pair, strict=True))
        # who ran: an average of int64, which the two round in different directions
        assert functional.avg_pool2d(torch.tensor([[[1, 2], [2, 2]]]), 2).item() == 2
    assert not ours.is_installed()
    assert functional.avg_pool2d(torch.tensor([[[1, 2], [2, 2]]]), 2).item() == 1
    assert torch._C._dispatch_dump_table("aten::max_pool2d") == before
    ours.uninstall()


def test_install_within_function_transforms_and_compilers(torch: ModuleType, ours: ModuleType) -> None:
    functional, func = torch.nn.functional, torch.func
    x = torch.rand(2, 2, 6, 6, dtype=torch.float64)

    def loss(t: Any) -> Any:
        y = functional.max_pool2d(t, 3, 2, 1) ** 3
        return y.sum() + (functional.avg_pool2d(t, 2) ** 3).sum() + (functional.adaptive_max_pool2d(t, 2) ** 2).sum()

    transforms = [
        lambda: func.vmap(func.grad(loss))(x),
        lambda: func.hessian(loss)(x[:1, :1]),
        lambda: func.jacfwd(loss)(x),
        lambda: func.vmap(lambda t: functional.max_pool2d(t, 2))(x),
        lambda: torch.compile(loss, fullgraph=True, backend="aot_eager")(x),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit, in torch.func's own tables
        want = [transform() for transform in transforms]
        torch.compiler.reset()
        with ours.installed():
            got = [transform() for transform in transforms]
    torch.compiler.reset()
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_explain(torch: ModuleType, ours: ModuleType) -> None:
    x = torch.zeros(1, 2, 8, 8)
    answer = ours.explain(ours.MaxPool2d(3, 2, 1), x)
    assert (answer.provider, answer.door, answer.window) == ("native", "eager", "3x3/2x2+1x1")
    theirs = ours.explain(torch.nn.functional.max_pool2d, x, 2)
    assert theirs.provider == "torch"
    assert "install()" in theirs.refusals["native"]
    assert set(theirs.covered) == set(ours.COVERED)
    assert "inductor" in str(theirs) or "compiled before" in str(theirs)
    with pytest.raises(TypeError, match="pooling function or module"):
        ours.explain(torch.relu, x)


def test_other_devices_keep_pytorchs_kernels(torch: ModuleType, ours: ModuleType) -> None:
    """No such device is needed: a tensor without memory says that it is on one."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        x = torch.empty(1, 2, 8, 8, device="cuda")
        y = ours.max_pool2d(x, 3, 2, 1)
        assert (y.device.type, tuple(y.shape)) == ("cuda", (1, 2, 4, 4))
        assert ours.explain(ours.max_pool2d, x, 2).provider == "torch"
        assert "cuda" in ours.explain(ours.max_pool2d, x, 2).refusals["native"]
        for call in (lambda: ours.max_pool2d(x, 3, padding="same"), lambda: ours.min_pool2d(x, 2)):
            with pytest.raises(NotImplementedError, match="the tensor is on cuda"):
                call()
        assert ours.max_pool2d(torch.empty(1, 2, 8, 8), 2).shape == (1, 2, 4, 4)


@pytest.mark.parametrize("dynamo", [True, False])
def test_onnx(torch: ModuleType, ours: ModuleType, dynamo: bool) -> None:
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package, reason=f"{package} is not installed: no export")
    import onnx

    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.AvgPool2d(2, padding=1), nn.AdaptiveAvgPool2d(1))
    ours.convert(net)
    x = torch.rand(1, 1, 12, 12)

    def exported() -> Any:
        file = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own
            torch.onnx.export(net, (x,), file, dynamo=dynamo, verbose=False)
        return onnx.load_from_string(file.getvalue())

    operators = {node.op_type for node in exported().graph.node}
    assert {"MaxPool", "AveragePool"} <= operators
    assert operators & {"GlobalAveragePool", "ReduceMean"}
    ours.restore(net)
    with ours.installed(), pytest.raises(Exception, match=r"(?s)call cenote.torch.uninstall\(\) first"):
        exported()
    net[1] = ours.MaxPool2d(3, padding="same")
    with pytest.raises(Exception, match="PyTorch's own function does not take padding='same'"):
        exported()
