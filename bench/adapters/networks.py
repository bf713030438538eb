"""Networks in PyTorch on the CPU: as they are, after ``cenote.torch.install()``, and converted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from ..contestant import Contestant, load
from ..data import Array
from ..workload import shape_text
from .calls import TORCH, entering
from .case import Case, Kit
from .small import INSTALLED, torch_turn

BEFORE: Final = "before"
CONVERTED: Final = "convert"
VARIANTS: Final = (BEFORE, INSTALLED, CONVERTED)
_CLASSES: Final = 10


@dataclass(frozen=True, slots=True)
class Network:
    """A network and the shape of its input; what has no weights is differentiated by its input."""

    name: str
    title: str
    build: Callable[[], Any]
    shape: tuple[int, ...]
    weights: bool = True

    @property
    def text(self) -> str:
        """For tables."""
        return f"{self.title}, input {shape_text(self.shape)}"


def _convolution(before: int, after: int, rank: int) -> Any:
    nn = load("torch.nn")
    kind = getattr(nn, f"Conv{rank}d")
    return nn.Sequential(kind(before, after, 3, padding=1), nn.ReLU())


def vgg() -> Any:
    """Convolutions of 3x3 in five stages, each of which ends with a maximum of 2x2."""
    nn = load("torch.nn")
    layers, channels = [], 3
    for stage in ((32,), (64,), (128, 128), (128, 128), (128, 128)):
        for width in stage:
            layers.append(_convolution(channels, width, 2))
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, _CLASSES))


def unet() -> Any:
    """Volumes down by maxima of 2x2x2, up by transposed convolutions, joined with what was there on the way down."""
    nn, cat = load("torch.nn"), load("torch").cat
    widths = (8, 16, 32)

    def twice(before: int, after: int) -> Any:
        return nn.Sequential(_convolution(before, after, 3), _convolution(after, after, 3))

    class UNet(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.MaxPool3d(2)
            self.down = nn.ModuleList(twice(a, b) for a, b in pairwise((1, *widths)))
            pairs = list(pairwise(widths))
            self.lift = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, 2) for a, b in pairs)
            self.up = nn.ModuleList(twice(2 * a, a) for a, _ in pairs)
            self.head = nn.Conv3d(widths[0], 2, 1)

        def forward(self, x: Any) -> Any:
            kept = []
            for depth, stage in enumerate(self.down):
                x = stage(self.pool(x) if depth else x)
                kept.append(x)
            for skip, lift, stage in list(zip(kept, self.lift, self.up, strict=False))[::-1]:
                x = stage(cat([skip, lift(x)], 1))
            return self.head(x)

    return UNet()


def sppf() -> Any:
    """YOLO's pyramid without its convolutions: three maxima of 5x5, one of the other, side by side."""
    nn, cat = load("torch.nn"), load("torch").cat

    class Pyramid(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.MaxPool2d(5, 1, 2)

        def forward(self, x: Any) -> Any:
            first = self.pool(x)
            second = self.pool(first)
            return cat([x, first, second, self.pool(second)], 1)

    return Pyramid()


VGG: Final = Network("vgg", "VGG-like, 32 to 128 channels", vgg, (8, 3, 128, 128))
UNET: Final = Network("unet3d", "3-D U-Net-like, 8 to 32 channels", unet, (1, 1, 48, 64, 64))
SPPF: Final = Network("sppf", "SPPF alone", sppf, (8, 256, 20, 20), weights=False)


def case(network: Network, training: bool, quick: bool) -> Case:
    """One row: inference, or a training step."""
    step = "training step" if network.weights else "forward and backward"
    return Case(
        f"torch-{network.name}-" + ("step" if training else "inference"),
        f"{network.text}, {step if training else 'inference'}",
        "torch-networks",
        INSTALLED,
        (BEFORE,),
        lambda kit: contestants(network, training, kit),
        patience=5 if network.weights else 1,
        quick=quick,
    )


def prepared(network: Network, variant: str, seed: int = 0) -> tuple[Any, Any]:
    """A network with the weights and the input that all variants have."""
    framework = load("torch")
    framework.manual_seed(seed)
    net, x = network.build(), framework.randn(network.shape)
    if variant == CONVERTED:
        report = load(TORCH).convert(net)
        if not report.changed:
            raise ValueError("convert found nothing to change")
    return net, x


def contestants(network: Network, training: bool, kit: Kit) -> list[Contestant]:
    """The three variants, each with weights of its own that begin alike."""
    found = []
    for variant in VARIANTS:
        net, x = prepared(network, variant)
        call, arrays = stepping(net, x) if training else _inference(net, x)
        enter = torch_turn(kit.threads, variant == INSTALLED)
        found.append(entering(Contestant(variant, call, arrays, enter=enter, keep=[net, x]), kit.threads))
    return found


def _inference(net: Any, x: Any) -> tuple[Callable[[], Any], Callable[[Any], list[Array]]]:
    inference_mode = load("torch").inference_mode
    net.eval()

    def call() -> Any:
        with inference_mode():
            return net(x)

    return call, lambda y: [y.numpy()]


def stepping(net: Any, x: Any) -> tuple[Callable[[], Any], Callable[[Any], list[Array]]]:
    """A training step: forward, backward, and the optimizer; without weights the gradient of the input."""
    framework = load("torch")
    weights = list(net.parameters())
    if not weights:
        x.requires_grad_()
        dy = framework.randn(net(x).shape)

        def both() -> Any:
            y = net(x)
            return y, framework.autograd.grad(y, x, dy)[0]

        return both, lambda result: [part.detach().numpy() for part in result]

    net.train()
    optimizer = framework.optim.SGD(weights, lr=1e-3, momentum=0.9)

    def step() -> Any:
        optimizer.zero_grad()
        loss = net(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss, [weight.grad for weight in weights]

    return step, lambda result: [part.detach().numpy() for part in (result[0], *result[1])]
