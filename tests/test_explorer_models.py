"""The pooling of models of PyTorch: maps against passes made by hand, words, models left as they were, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cenote.errors import CenoteError, CenoteTypeError
from cenote.explorer.models import maps
from explorer_models import channel, unpacked
from explorer_networks import F, Net, image, nn, torch

pytestmark = pytest.mark.torch


def test_maps_are_those_of_passes_made_layer_by_layer() -> None:
    torch.manual_seed(0)
    net, x = Net(), image(3, 24, 20)
    found = maps(net, x, channels=8)
    net.eval()
    with torch.no_grad():
        a = F.relu(net.first(x[None]))
        b = F.max_pool2d(a, 2)
        c = F.relu(net.inner[0](b))
        d = F.avg_pool2d(c, 3, 1, 1)
        e = net.norm(d + b)
        f = F.max_pool2d(e, 2)
        g = F.lp_pool2d(f, 2, 2)
        h = F.adaptive_avg_pool2d(g, 1)
    titles = ["pool (call 1 of 2)", "inner.2", "pool (call 2 of 2)", "lp_pool2d", "adaptive_avg_pool2d"]
    assert [layer.title for layer in found.layers] == titles
    for layer, before, after in zip(found.layers, (a, c, e, f, g), (b, d, f, g, h), strict=True):
        assert sorted(one.channel for one in layer.channels) == list(range(8))
        for one in layer.channels:  # the same kernels on the same numbers: the same bits
            assert one.before.dtype == np.float32
            assert np.array_equal(one.before, before[0, one.channel].numpy())
            assert one.after is not None
            assert np.array_equal(one.after, after[0, one.channel].numpy())
        assert layer.input_shape == tuple(before.shape[1:])
        assert layer.output_shape == tuple(after.shape[1:])
        assert (layer.reason, layer.notes) == ("", ())
        both = torch.cat([before.flatten(), after.flatten()])
        assert (layer.low, layer.high) == (float(both.min()), float(both.max()))
    kinds = [layer.kind.rpartition(".")[2] for layer in found.layers]
    assert kinds == ["MaxPool2d", "AvgPool2d", "MaxPool2d", "lp_pool2d", "adaptive_avg_pool2d"]
    assert found.layers[1].words == {"kernel_size": "3", "stride": "1", "padding": "1"}


def test_words_are_read_as_the_adapter_reads_them() -> None:
    import cenote.torch as ours

    for module in (
        nn.MaxPool2d(3, 2, 1, dilation=2, ceil_mode=True, return_indices=True),
        nn.AvgPool2d((3, 2), 2, (1, 0), True, False),
        nn.AvgPool2d(2, divisor_override=3),
        nn.LPPool2d(3, 2, 1),
        nn.AdaptiveMaxPool2d((3, None)),
        ours.MinPool2d(3, 2, padding="same"),
        ours.AvgPool2d(3, 2, padding=((0, 1), (1, 0)), divisor="window"),
    ):
        (layer,) = maps(module, image(2, 9, 8).abs()).layers
        kind = ours.convert(module) and module.pooling  # the module is one of ours by now
        words = tuple(getattr(module, name) for name in kind.spelled.names)
        asked = kind.spelled.request(4, words)
        assert layer.request is not None
        assert (layer.request.op, layer.request.window) == (asked.op, asked.window)
        assert layer.request.words.params == asked.words.params
        assert layer.reason == ""
        assert layer.notes == ()


def test_a_model_is_left_as_it_was() -> None:
    net = Net().train()
    net.inner.eval()
    flags = [module.training for module in net.modules()]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(3)
    random = torch.get_rng_state()
    x = image(3, 16, 16)
    maps(nn.Sequential(net, nn.Identity()), x)
    with pytest.raises(CenoteError):
        maps(net, image(4, 16, 16))  # of other channels
    maps(nn.FractionalMaxPool2d(2, output_ratio=0.5), x)
    assert [module.training for module in net.modules()] == flags
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.is_grad_enabled()
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called")
    assert not any(getattr(module, name) for module in net.modules() for name in hooks)
    assert not torch.overrides._get_current_function_mode_stack()


def test_pools_that_the_contract_does_not_know_are_there_with_a_reason() -> None:
    class Twice(nn.MaxPool2d):
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    class SoftPool(nn.Module):
        def forward(self, x: Any) -> Any:
            return x[:, :, ::2, ::2]

    class PoolStage(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = nn.AvgPool2d(2)

        def forward(self, x: Any) -> Any:
            return F.max_pool2d(self.inside(x), 2)

    found = maps(nn.Sequential(Twice(2), SoftPool(), PoolStage()), image(2, 16, 16)).layers
    assert [layer.name for layer in found] == ["0", "1", "2.inside", "2.max_pool2d"]
    assert "subclass of MaxPool2d" in found[0].reason
    assert "no pooling that the contract knows" in found[1].reason
    for layer in found[:2]:
        assert layer.removed is None
        assert layer.receives is None
        assert layer.channels[0].before.shape == layer.before
        assert layer.channels[0].after is not None
    assert "Twice" in found[2].field_reason
    assert found[3].reason == ""


def test_fractional_windows_are_drawn_as_pytorch_draws_them() -> None:
    x = image(4, 13, 11)
    module = nn.FractionalMaxPool2d((3, 2), output_size=(5, 4))
    torch.manual_seed(11)
    (layer,) = maps(module, x).layers
    torch.manual_seed(11)
    wanted = module(x[None])[0]
    assert (layer.reason, layer.notes) == ("", ())  # the contract's windows gave the same numbers
    assert all(np.array_equal(one.after, wanted[one.channel].numpy()) for one in layer.channels)
    samples = torch.rand(1, 2, 3)
    volume = nn.FractionalMaxPool3d(2, output_size=3, _random_samples=samples)
    assert maps(volume, image(2, 7, 8, 9)).layers[0].notes == ()


def test_other_ranks_and_dtypes() -> None:
    one = maps(nn.MaxPool1d(3, 2), image(4, 20)).layers[0]
    assert (one.before, one.after) == ((20,), (9,))
    volume = maps(nn.Sequential(nn.Conv3d(1, 2, 3), nn.AvgPool3d(2)), image(1, 8, 9, 10)).layers[0]
    assert (volume.before, volume.after) == ((6, 7, 8), (3, 3, 4))
    half = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AvgPool2d(2)).to(torch.bfloat16)
    layer = maps(half, np.ones((1, 8, 8))).layers[0]  # numbers come in the dtype of the weights
    assert layer.notes == ()
    whole = maps(nn.MaxPool2d(2), torch.arange(32, dtype=torch.int64).reshape(2, 4, 4)).layers[0]
    assert channel(whole, 1).after.tolist() == [[21, 23], [29, 31]]  # type: ignore[union-attr]


def test_compiled_models_show_their_inside() -> None:
    net = torch.compile(nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2)), backend="eager")
    assert [layer.op for layer in maps(net, image(1, 8, 8)).layers] == ["max"]


def test_batches_show_their_first_image() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2))
    batch = image(4, 1, 8, 8)
    found, alone = maps(net, batch), maps(net, batch[0].numpy())
    assert found.notes == ("4 images were given; the first is shown",)
    assert alone.notes == ()
    assert all(
        np.array_equal(a.before, b.before)
        for a, b in zip(found.layers[0].channels, alone.layers[0].channels, strict=True)
    )


def test_refusals() -> None:
    with pytest.raises(CenoteError, match="no pooling ran in Sequential; looked for: pooling modules of torch.nn"):
        maps(nn.Sequential(nn.Conv2d(1, 1, 3)), image(1, 8, 8))
    for thing in (3, "model", np.ones(3), None):
        with pytest.raises(CenoteTypeError, match="pass a torch.nn.Module or a Keras 3 model"):
            maps(thing, image(1, 8, 8))
    with pytest.raises(CenoteTypeError, match="model is the class Net"):
        maps(Net, image(3, 8, 8))
    with pytest.raises(
        CenoteError, match=r"was fed a Tensor of shape \(1, 5, 8, 8\) and dtype torch.float32 .*channels"
    ) as caught:
        maps(Net(), image(5, 8, 8))
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(CenoteError, match=r"x has shape \(8, 8\); the model wants 3 dimensions"):
        maps(Net(), image(8, 8))
    with pytest.raises(CenoteError, match="the batch is empty"):
        maps(Net(), image(0, 3, 8, 8))
    with pytest.raises(CenoteTypeError, match="needs an input"):
        maps(Net(), None)
    with pytest.raises(CenoteError, match="no array of numbers"):
        maps(Net(), "a picture")
    with pytest.raises(CenoteError, match="channels"):
        maps(Net(), image(3, 16, 16), channels=0)


def test_a_page_about_a_model_begins_with_its_first_layer() -> None:
    found = maps(nn.Sequential(nn.Conv2d(1, 3, 3), nn.AvgPool2d(3, 2, 1)), image(1, 12, 12))
    state = found.first_state("mine")
    assert state is not None
    assert state["op"] == "avg"
    assert state["words"] == {
        "form": "slide",
        "size": [3, 3],
        "stride": [2, 2],
        "padding": [[1, 1], [1, 1]],
        "dilation": [1, 1],
        "ceil": None,
        "divisor": "padded",
    }
    (layer,) = found.layers
    assert np.array_equal(unpacked(state["values"]), layer.channels[layer.by_energy[0]].before)
    kept = maps(nn.AdaptiveMaxPool2d((3, None)), image(2, 9, 8)).packed()["layers"][0]
    assert kept["asked"]["words"]["form"] == "adaptive"
    assert kept["asked"]["words"]["size"] == [3, 8]  # an axis that is kept, cell by cell
