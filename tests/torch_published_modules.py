"""PyTorch's published descriptions of its pooling modules (ModuleInfo) and of its functional tests, with cenote.torch's
classes and functions in PyTorch's place."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db
from torch.testing._internal.jit_metaprogramming_utils import create_input, get_nn_functional_tests

import cenote.torch
from torch_agreement import gradients, pair, same_bits, same_format
from torch_published import Tally

MODULES = {info.module_cls.__name__: info for info in module_db if "Pool" in info.module_cls.__name__}
FUNCTIONAL = [row for row in get_nn_functional_tests() if "pool" in row[0]]


class Case:
    """One published way of making and calling a module, for both."""

    def __init__(self, name: str, given: Any) -> None:
        made, called = given.constructor_input, given.forward_input
        self.ours = getattr(cenote.torch, name)(*made.args, **made.kwargs)
        self.theirs = getattr(nn, name)(*made.args, **made.kwargs)
        self.args, self.kwargs = called.args, called.kwargs
        self.reference = given.reference_fn
        self.p = getattr(self.theirs, "norm_type", None)
        self.told = f"{self.theirs!r} of {tuple(self.args[0].shape)}"

    @property
    def odd_lp(self) -> bool:
        """PyTorch has x^p, which is |x|^p only for even p."""
        return self.p is not None and self.p % 2 != 0

    def inputs(self) -> tuple[Any, ...]:
        """Without signs where signs make the difference."""
        return tuple(a.detach().abs() if self.odd_lp and isinstance(a, Tensor) else a for a in self.args)


def cases(name: str, dtype: torch.dtype = torch.float64) -> Iterator[Case]:
    """Training or not is the same to all of them."""
    torch.manual_seed(0)
    info = MODULES[name]
    for given in info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=False, training=True):
        yield Case(name, given)


def agree(got: Any, want: Any, exact: bool) -> bool:
    """Averages and lp of a few numbers of size 9: 1e-12 is a thousand units in float64, and a wrong tap is far more.
    In float32 the same thousand units."""
    for a, b in zip(pair(got), pair(want), strict=True):
        if a is None or b is None:
            if a is not b:
                return False
            continue
        near = 2000 * torch.finfo(a.dtype).eps if a.is_floating_point() else 0
        if not same_format(b, a) or not (same_bits(a, b) if exact else torch.allclose(a, b, rtol=near, atol=near)):
            return False
    return True


def forward(name: str, tally: Tally) -> None:
    """Module against module, and against the published reference where there is one."""
    for dtype in (torch.float32, torch.float64):
        for case in cases(name, dtype):

            def question(c: Case = case) -> str | None:
                x = c.inputs()
                exact = "Max" in name
                assert agree(c.ours(*x, **c.kwargs), c.theirs(*x, **c.kwargs), exact), c.told
                if c.reference is not None:
                    assert agree(c.ours(*x, **c.kwargs), c.reference(c.ours, *x, **c.kwargs), exact), c.told
                g = torch.ones_like(pair(c.theirs(*x, **c.kwargs))[0])
                mine, their = (gradients(m, x[0], g, *x[1:], **c.kwargs) for m in (c.ours, c.theirs))
                assert agree(mine, their, exact), f"gradient of {c.told}"
                return "signed lp" if c.odd_lp else None

            tally.ask(question)


def state(name: str, tally: Tally) -> None:
    """repr, state dict, pickle, torch.save, deepcopy, training flag, dtype moves: as PyTorch's module."""
    for case in cases(name):

        def question(c: Case = case) -> str | None:
            assert repr(c.ours) == repr(c.theirs)
            assert isinstance(c.ours, type(c.theirs))
            assert c.ours.state_dict() == c.theirs.state_dict()
            assert str(c.ours.load_state_dict(c.theirs.state_dict())) == "<All keys matched successfully>"
            assert {k: v for k, v in vars(c.theirs).items() if k not in vars(c.ours)} == {}
            buffer = io.BytesIO()
            torch.save(c.ours, buffer)
            buffer.seek(0)
            read = torch.load(buffer, weights_only=False)
            x = c.inputs()
            for twin in (pickle.loads(pickle.dumps(c.ours)), copy.deepcopy(c.ours), copy.copy(c.ours), read):
                assert type(twin) is type(c.ours)
                assert repr(twin) == repr(c.ours)
                assert same_bits(pair(twin(*x, **c.kwargs))[0], pair(c.ours(*x, **c.kwargs))[0])
            assert c.ours.eval().training is False
            assert same_bits(pair(c.ours.train()(*x))[0], pair(c.ours.eval()(*x))[0])
            assert c.ours.to(torch.float32).half() is c.ours
            return None

        tally.ask(question)


def derivatives(name: str, tally: Tally) -> None:
    """gradcheck in both modes, and of second order, of the module."""
    for case in cases(name):

        def question(c: Case = case) -> str | None:
            x = [a.detach().requires_grad_() if isinstance(a, Tensor) else a for a in c.args]
            called: Callable[..., Any] = lambda *a: pair(c.ours(*a, **c.kwargs))[0]  # noqa: E731
            # volumes have thousands of entries: random directions in their place, as for all second derivatives
            assert gradcheck(called, x, check_forward_ad=True, fast_mode=x[0].numel() > 300)
            assert gradgradcheck(called, x, check_fwd_over_rev=True, fast_mode=True)
            return None

        tally.ask(question)


def formats(name: str, tally: Tally) -> None:
    """Views with gaps, and channels last: the same numbers, in the format that PyTorch's module gives."""
    for case in cases(name, torch.float32):

        def question(c: Case = case) -> str | None:
            (x, *rest) = c.inputs()
            views = [x.repeat_interleave(2, -1)[..., ::2], x.transpose(-1, -2).contiguous().transpose(-1, -2)]
            if x.ndim > 3:
                views.append(x.to(memory_format=torch.channels_last if x.ndim == 4 else torch.channels_last_3d))
            kept = None
            for view in views:
                got, want = pair(c.ours(view, *rest))[0], pair(c.ours(x, *rest))[0]
                assert same_bits(got, want), c.told
                if not same_format(pair(c.theirs(view, *rest))[0], got):
                    kept = "format of volumes"
                    assert got.is_contiguous(memory_format=torch.channels_last_3d), f"{c.told}: {got.stride()}"
                    assert view.is_contiguous(memory_format=torch.channels_last_3d), f"{c.told}: {view.stride()}"
            return kept

        tally.ask(question)


def errors(name: str, tally: Tally) -> None:
    """The published errors of modules, in constructor or forward."""
    info = MODULES[name]
    if info.module_error_inputs_func is None:
        tally.not_applicable["no error inputs are published"] += 1
        return
    keywords = {"device": "cpu", "dtype": torch.float32, "requires_grad": False, "training": True}
    for error in info.module_error_inputs_func(info, **keywords):

        def question(e: Any = error) -> str | None:
            made, called = e.module_error_input.constructor_input, e.module_error_input.forward_input
            kinds: list[type[Exception]] = []
            for kind in (getattr(nn, name), getattr(cenote.torch, name)):
                try:
                    module = kind(*made.args, **made.kwargs)
                    assert e.error_on is ModuleErrorEnum.FORWARD_ERROR, f"{kind} is made of {made}"
                    module(*called.args, **called.kwargs)
                except Exception as raised:
                    kinds.append(type(raised))
                else:
                    raise AssertionError(f"{kind} raises nothing for {called}")
            assert issubclass(kinds[1], kinds[0]), f"{kinds[1]} for {kinds[0]}"
            assert issubclass(kinds[1], e.error_type)
            return None

        tally.ask(question)


def converted(name: str, tally: Tally) -> None:
    """PyTorch's own module after ``convert``, and within ``installed()``: what ours gives."""
    for case in cases(name, torch.float32):

        def question(c: Case = case) -> str | None:
            x = c.inputs()
            want, _ = pair(c.ours(*x, **c.kwargs))
            with cenote.torch.installed():
                rerouted, _ = pair(c.theirs(*x, **c.kwargs))
            # lp has no operator to reroute: PyTorch writes it with averages, and its powers stay PyTorch's
            assert agree(rerouted, want, exact="LP" not in name), f"installed: {c.told}"
            before = repr(c.theirs)
            report = cenote.torch.convert(c.theirs)
            assert list(report.changed) == [""]
            assert repr(c.theirs) == before
            assert same_bits(pair(c.theirs(*x, **c.kwargs))[0], want), f"converted: {c.told}"
            cenote.torch.restore(c.theirs)
            assert type(c.theirs) is getattr(nn, name)
            return None

        tally.ask(question)


def functional(row: tuple[Any, ...], tally: Tally) -> None:
    """One row of the published functional tests: here are those of lp_pool."""
    name, made, said = row[:3]
    function = getattr(cenote.torch, name, None)
    if function is None:
        tally.not_applicable[f"there is no {name} here"] += 1
        return

    def question() -> str | None:
        (x,), _ = create_input((made,), dtype=torch.float64)
        args, _ = create_input(said, dtype=torch.float64) if any(isinstance(a, Tensor) for a in said) else (said, None)
        x = x.detach().double()
        assert agree(function(x, *args), getattr(nn.functional, name)(x, *args), "max" in name), f"{name}{args}"
        assert gradcheck(lambda t: pair(function(t, *args))[0], x.requires_grad_(), fast_mode=x.numel() > 300)
        return None

    tally.ask(question)


CHECKS: dict[str, Callable[[str, Tally], None]] = {
    "forward, backward": forward,
    "state and repr": state,
    "derivatives": derivatives,
    "views and formats": formats,
    "error inputs": errors,
    "convert, install": converted,
}
