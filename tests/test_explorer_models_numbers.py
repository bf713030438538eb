"""What is told of a pooling layer in numbers: gradients against autograd, fields, bytes, and what is removed."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from cenote.explorer.models import ModelMaps, maps
from explorer_models import channel
from explorer_networks import F, Net, image, nn, torch

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    "module",
    [
        nn.MaxPool2d(3, 2),
        nn.MaxPool2d(2, 3),
        nn.MaxPool2d(2, 1, dilation=3),
        nn.AvgPool2d(2, 3),
        nn.AvgPool2d(3, 2, 1, ceil_mode=True),
        nn.LPPool2d(2, 3, 2),
        nn.AdaptiveMaxPool2d(3),
        nn.AdaptiveAvgPool2d(4),
        nn.FractionalMaxPool2d(2, output_size=5),
    ],
    ids=str,
)
def test_what_receives_gradient_is_what_autograd_says(module: Any) -> None:
    x = image(3, 11, 10)
    x[0, :4, :4] = 0  # ties, and a slope of 0 in norms
    torch.manual_seed(4)
    (layer,) = maps(module, x).layers
    torch.manual_seed(4)
    leaf = x[None].clone().requires_grad_()
    module(leaf).sum().backward()
    assert layer.receives == int((leaf.grad != 0).sum()) / leaf.numel()


def test_bytes_kept_are_offsets_or_indices() -> None:
    first, second, third = (
        maps(module, image(5, 40, 40)).layers[0] for module in (nn.MaxPool2d(2), nn.MaxPool2d(17), nn.AvgPool2d(2))
    )
    assert (first.bytes_before, first.bytes_after) == (5 * 1600 * 4, 5 * 400 * 4)
    assert (first.kept, first.kept_int64) == (5 * 400, 5 * 400 * 8)
    assert (second.kept, second.kept_int64) == (5 * 4 * 2, 5 * 4 * 8)  # 289 taps take two bytes
    assert (third.kept, third.kept_int64) == (0, 0)


def test_fields_and_jumps() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3), nn.MaxPool2d(2))
    found = maps(net, image(1, 28, 28)).layers
    assert [(layer.receptive, layer.jump) for layer in found] == [((4, 4), (2, 2)), ((10, 10), (4, 4))]
    assert "floor((26 + 0 + 0 - 2)/2) + 1 = 13" in found[0].arithmetic
    wide = maps(Net(), image(3, 24, 20)).layers
    # 3, 4; then 4 + 2*2 = 8 and the average 12; the sum has the wider of 12 and 4, pooled 14, then 18, of which the
    # second of two windows over 20 columns has 17 within the input; then everything
    assert [layer.receptive for layer in wide] == [(4, 4), (12, 12), (14, 14), (18, 17), (24, 20)]
    assert [layer.jump for layer in wide] == [(2, 2), (2, 2), (4, 4), (8, 8), (24, 16)]

    class Mixed(nn.Module):
        def forward(self, x: Any) -> Any:
            return F.max_pool2d(torch.flip(x, (2,)), 2)

    (layer,) = maps(Mixed(), image(1, 6, 6)).layers
    assert layer.receptive is None
    assert "flip" in layer.field_reason


def test_fields_are_what_an_input_cell_can_change() -> None:
    """Independent of the arithmetic: a convolution of ones and averages pass every change on."""
    net = nn.Sequential(
        nn.Conv2d(1, 1, 3, 2, 1, bias=False), nn.AvgPool2d(3, 2, 1), nn.Conv2d(1, 1, 2, dilation=2), nn.AvgPool2d(2, 1)
    )
    for module in net:
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
    x = image(1, 37, 41)
    leaf = x[None].clone().requires_grad_()
    y = net(leaf)
    spans = []
    for row in range(y.shape[2]):
        (grad,) = torch.autograd.grad(y[0, 0, row].sum(), leaf, retain_graph=True)
        rows = grad[0, 0].abs().sum(1).nonzero().flatten()
        spans.append(int(rows.max() - rows.min()) + 1)
    last = maps(net, x).layers[-1]
    assert last.receptive is not None
    assert last.receptive[0] == max(spans)


def test_what_is_removed_by_hand() -> None:
    x = torch.tensor([[[3.0, 0, 0, 0], [0, 4, 0, 0], [1, 1, 2, 2], [1, 1, 2, 2]], np.zeros((4, 4)).tolist()])
    whole = 9 + 16 + 4 + 16
    (largest,) = maps(nn.MaxPool2d(2), x).layers
    assert largest.removed is not None
    assert largest.removed.tolist() == [pytest.approx(1 - (16 + 0 + 1 + 4) / whole), 0.0]
    assert largest.energy.tolist() == [whole / 16, 0.0]
    (mean,) = maps(nn.AvgPool2d(2), x).layers
    assert mean.removed is not None
    assert mean.removed[0] == pytest.approx(1 - (4 * (7 / 4) ** 2 + 4 + 16) / whole)  # mean 7/4, 0, 1, 2
    (strided,) = maps(nn.AvgPool2d(1, 2), x).layers  # cells in no window are gone, the others whole
    assert strided.removed is not None
    assert strided.removed[0] == pytest.approx(1 - (9 + 1 + 4) / whole)
    (norm,) = maps(nn.LPPool2d(2, 2), -x).layers
    assert norm.removed is not None
    assert norm.removed[0] == pytest.approx(mean.removed[0])
    ranked = maps(nn.AvgPool2d(2), image(9, 6, 6), channels=3).layers[0]
    assert [ranked.channels[i].channel for i in ranked.by_energy] == np.argsort(-ranked.energy)[:3].tolist()
    assert ranked.removed is not None
    assert [ranked.channels[i].channel for i in ranked.by_removed] == np.argsort(-ranked.removed)[:3].tolist()


def test_what_overlapping_averages_remove_is_what_least_squares_cannot_find() -> None:
    x = image(2, 9, 7)
    (layer,) = maps(nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), x).layers
    pool = nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)
    matrix = pool(torch.eye(63, dtype=torch.float64).reshape(63, 1, 9, 7)).flatten(1).T.numpy()
    for one, left in zip(x.double().numpy(), layer.removed, strict=True):  # type: ignore[arg-type]
        back = np.linalg.lstsq(matrix, matrix @ one.ravel(), rcond=None)[0]
        assert left == pytest.approx(1 - (back**2).sum() / (one**2).sum(), abs=1e-9)  # float64 throughout


def test_nan_and_infinity_stay_what_they_are() -> None:
    x = image(3, 4, 4)
    x[0, 1, 1], x[1, 0, 0] = math.nan, math.inf
    (layer,) = maps(nn.MaxPool2d(2), x).layers
    assert math.isnan(layer.energy[0])
    assert math.isinf(layer.energy[1])
    assert layer.by_energy[-1] == [one.channel for one in layer.channels].index(0)
    assert math.isfinite(layer.low + layer.high)
    assert layer.notes == ()
    text = json.dumps(ModelMaps("m", "f", (3, 4, 4), (layer,)).packed(), allow_nan=False)
    assert '"energy": "NaN"' in text
    assert '"inf"' in text
    assert np.isnan(channel(layer, 0).before).sum() == 1


def test_large_maps_are_scaled_down_and_say_so() -> None:
    x = image(1, 300, 130)
    found = maps(nn.MaxPool2d(2), x)
    (layer,) = found.layers
    assert (layer.before, layer.after, layer.scaled) == ((300, 130), (150, 65), (3, 2))
    (one,) = layer.channels
    assert one.before.shape == (100, 44)  # the last column of blocks is one cell wide
    assert one.before[7, 5] == pytest.approx(x[0, 21:24, 15:18].double().mean().item())
    assert one.before[7, 43] == pytest.approx(x[0, 21:24, 129].double().mean().item())
    assert layer.energy[0] == pytest.approx(float((x.double() ** 2).mean()))  # of the whole map
    packed = found.packed()["layers"][0]
    assert packed["scaled"] == [3, 2]
    assert packed["channels"][0]["before"]["shape"] == [100, 44]
