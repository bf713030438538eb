"""PyTorch's published descriptions of its pooling operators (OpInfo), and the checks that it makes of them, with
cenote.torch in PyTorch's place. Importing this takes ten seconds: the descriptions of all operators are one file."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing._internal import composite_compliance
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_utils import TestGradients
from torch.testing._internal.opinfo.core import SampleInput
from torch.testing._internal.optests import aot_autograd_check, make_fx_check

import cenote.torch
from torch_agreement import gradients_agree, pair, same_bits, values_agree

INFOS = {"/".join(filter(None, (op.name, op.variant_test_name))): op for op in op_db if "pool" in op.name}


def info(name: str) -> Any:
    """PyTorch's description of one operator."""
    return INFOS[f"nn.functional.{name}"]


def ours(name: str) -> Callable[..., Any]:
    """The function of cenote.torch that this describes as well."""
    function: Callable[..., Any] = getattr(cenote.torch, name.split("/")[0])
    return function


def described(name: str) -> Any:
    """The same description with our function in it."""
    mine = copy.copy(info(name))
    mine.op = ours(name)
    return mine


@dataclass
class Tally:
    """One line of the table."""

    operator: str
    check: str
    passed: int = 0
    by_contract: Counter[str] = field(default_factory=Counter)
    not_applicable: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def ask(self, question: Callable[[], str | None]) -> None:
        """Count the answer: None is passed, a text the reason of a difference, AssertionError a failure."""
        try:
            reason = question()
        except AssertionError as error:
            self.failed.append(str(error).split("\n")[0])
        except Exception as error:
            self.failed.append(f"{type(error).__name__}: {error}".split("\n")[0])
        else:
            if reason is None:
                self.passed += 1
            else:
                self.by_contract[reason] += 1

    def row(self) -> str:
        """As the table shows it."""
        reasons = [f"{n} by contract: {why}" for why, n in self.by_contract.items()]
        reasons += [f"{n} not applicable: {why}" for why, n in self.not_applicable.items()]
        numbers = f"{self.operator:22} {self.check:22} {self.passed:6} passed {len(self.failed):3} failed"
        return "; ".join([numbers, *reasons])


MANY = 60


@cache
def _published(name: str, dtype: torch.dtype) -> tuple[Any, ...]:
    torch.manual_seed(0)
    return tuple(info(name).sample_inputs("cpu", dtype))


class Draw:
    """PyTorch's sample inputs of an operator on the CPU: all, or where there are many (they are all combinations of a
    few words) every so manieth; a step that shares no factor with their numbers meets each word many times."""

    def __init__(self, name: str, every: int = 1, other_dtypes: int = 1) -> None:
        self.name = name
        many = len(_published(name, torch.float32)) > MANY
        self.every, self.other_dtypes = (every, other_dtypes) if many else (1, 1)

    def __call__(self, dtype: torch.dtype = torch.float32, requires_grad: bool = False) -> Iterator[Any]:
        """In one dtype; those besides float32 and float64 may take longer steps."""
        step = self.every * (1 if dtype in (torch.float32, torch.float64) else self.other_dtypes)
        for sample in _published(self.name, dtype)[::step]:
            x = sample.input.detach().requires_grad_(requires_grad)
            yield SampleInput(x, args=sample.args, kwargs=sample.kwargs)


def dtypes(name: str, *, floats: bool = False) -> list[torch.dtype]:
    """Those that the description claims for the CPU."""
    claimed = info(name).backward_dtypes if floats else info(name).dtypes
    return sorted((d for d in claimed if d.is_floating_point or not floats), key=str)


def as_bits(x: Tensor) -> Tensor:
    """Floats as integers of their size."""
    return x.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[x.itemsize]) if x.is_floating_point() else x


def with_awkward_numbers(x: Tensor, seed: int) -> Tensor:
    """The same tensor full of ties, with some NaN, infinities and zeros of both signs if it may have them."""
    draw = torch.Generator().manual_seed(seed)
    few = torch.randint(-2, 3, x.shape, generator=draw).to(x.dtype)
    if x.is_floating_point():
        where = torch.rand(x.shape, generator=draw)
        few = torch.where(where < 0.08, torch.nan, few)
        few = torch.where(where > 0.95, -torch.inf, few)
        few = torch.where((where > 0.5) & (few == 0), -few, few).to(x.dtype)
    return torch.empty_like(x).copy_(few)


# ------------------------------------------------------------------------------------------------------- the checks


def values(name: str, tally: Tally, draw: Draw) -> None:
    """Every dtype that is claimed, every sample: values, indices, dtype, shape and memory format."""
    for dtype in dtypes(name):
        for sample in draw(dtype):
            tally.ask(lambda s=sample: values_agree(name, ours(name), info(name).op, s))


def awkward(name: str, tally: Tally, draw: Draw) -> None:
    """The same windows over ties, NaN, infinities and both zeros; with indices, the very bits that lie there."""
    for dtype in dtypes(name):
        for seed, sample in enumerate(draw(dtype)):

            def question(s: Any = sample, seed: int = seed) -> str | None:
                s.input = with_awkward_numbers(s.input, seed)
                answer = values_agree(name, ours(name), info(name).op, s)
                y, indices = pair(ours(name)(s.input, *s.args, **s.kwargs))
                if indices is not None and answer is None:
                    rank = int(name[-2])
                    there = as_bits(s.input).flatten(-rank).gather(-1, indices.flatten(-rank)).view(y.shape)
                    assert (as_bits(y) == there).all(), "the bits at the index"
                return answer

            tally.ask(question)


def gradient(name: str, tally: Tally, draw: Draw) -> None:
    """First gradients against PyTorch's."""
    for dtype in dtypes(name, floats=True):
        for sample in draw(dtype):
            tally.ask(lambda s=sample: gradients_agree(name, ours(name), info(name).op, s))


def rerouted(name: str, tally: Tally, draw: Draw) -> None:
    """PyTorch's own function within ``installed()``; where it is covered, that is our function."""

    def their(*args: Any, **kwargs: Any) -> Any:
        with cenote.torch.installed():
            return info(name).op(*args, **kwargs)

    for dtype in dtypes(name):
        for sample in draw(dtype):
            tally.ask(lambda s=sample: values_agree(name, their, info(name).op, s))
            if dtype.is_floating_point:
                tally.ask(lambda s=sample: gradients_agree(name, their, info(name).op, s))


def errors(name: str, tally: Tally, draw: Draw) -> None:
    """Every error input: our error is an instance of the kind that PyTorch raises now, and that it says it raises."""
    if info(name).error_inputs_func is None:
        tally.not_applicable["no error inputs are published"] += 1
        return
    for number, error in enumerate(info(name).error_inputs("cpu")):

        def question(e: Any = error, number: int = number) -> str | None:
            s = e.sample_input
            told = f"error input {number}: {name}({tuple(s.input.shape)}, {s.args}, {s.kwargs})"
            theirs = raised(info(name).op, s)
            if theirs is None:
                raise AssertionError(f"{told}: PyTorch itself raises nothing")
            mine = raised(ours(name), s)
            if mine is None and s.input.numel() == 0 and 0 in s.input.shape[: -int(name[-2])]:
                return "no channels"
            assert mine is not None, f"{told} raises nothing, PyTorch {type(theirs).__name__}: {theirs}"
            kinds = (type(theirs), e.error_type)
            for kind in kinds:
                assert isinstance(mine, kind), f"{told} raises {type(mine).__name__}, PyTorch {kind.__name__}: {mine}"
            return None

        tally.ask(question)


def raised(function: Callable[..., Any], sample: Any) -> Exception | None:
    """What the call raises."""
    try:
        function(sample.input, *sample.args, **sample.kwargs)
    except Exception as error:
        return error
    return None


def noncontiguous(name: str, tally: Tally, draw: Draw) -> None:
    """A view with gaps gives what the plain tensor gives, forward and backward."""
    for sample in draw():

        def question(s: Any = sample) -> str | None:
            view = s.noncontiguous()
            want, got = (pair(ours(name)(t.input, *t.args, **t.kwargs)) for t in (s, view))
            assert same_bits(got[0], want[0]), "values of a view"
            assert got[1] is None or same_bits(got[1], want[1]), "indices of a view"
            g = torch.randn_like(want[0])
            dx = [_gradient(name, t, g) for t in (s, view)]
            assert same_bits(*dx), "gradients of a view"
            return None

        tally.ask(question)


def _gradient(name: str, s: Any, g: Tensor) -> Tensor:
    x = s.input.detach().requires_grad_()
    (dx,) = torch.autograd.grad(pair(ours(name)(x, *s.args, **s.kwargs))[0], x, g)
    return dx


def negative_view(name: str, tally: Tally, draw: Draw) -> None:
    """A tensor with the negative bit (the imaginary part of a conjugate) is what it stands for."""
    for sample in draw(torch.float64):

        def question(s: Any = sample) -> str | None:
            x = torch.complex(torch.zeros_like(s.input), -s.input).conj().imag
            assert x.is_neg()
            got, want = (pair(ours(name)(t, *s.args, **s.kwargs)) for t in (x, s.input))
            assert same_bits(got[0], want[0])
            assert got[1] is None or same_bits(got[1], want[1])
            return None

        tally.ask(question)


def steps(x: Tensor) -> list[int]:
    """The strides that mean something: none where there is one element, or nothing at all."""
    return [stride for stride, length in zip(x.stride(), x.shape, strict=True) if length > 1 and x.numel()]


def fake(name: str, tally: Tally, draw: Draw) -> None:
    """Fake tensors have the shape, dtype and memory format that real ones get."""
    for dtype in dtypes(name):
        for sample in draw(dtype):

            def question(s: Any = sample) -> str | None:
                with FakeTensorMode() as mode:
                    args = [mode.from_tensor(a) if isinstance(a, Tensor) else a for a in (s.input, *s.args)]
                    pretended = pair(ours(name)(*args, **s.kwargs))
                for a, b in zip(pretended, pair(ours(name)(s.input, *s.args, **s.kwargs)), strict=True):
                    assert (a is None) == (b is None)
                    if a is not None:
                        assert (a.shape, a.dtype) == (b.shape, b.dtype), f"{a.shape} {a.dtype} for {b.shape} {b.dtype}"
                        assert steps(a) == steps(b), f"strides {a.stride()} for {b.stride()}"
                return None

            tally.ask(question)


def subclasses(name: str, tally: Tally, draw: Draw) -> None:
    """Wrapper subclasses see every operator, and results do not depend on who is wrapped (composite compliance)."""
    # Their check knows views by their names alone; an operator of ours may be called "select" and be none.
    is_view = composite_compliance.is_view_fn
    composite_compliance.is_view_fn = lambda f: f.namespace == "aten" and is_view(f)
    try:
        _subclasses(name, tally, draw)
    finally:
        composite_compliance.is_view_fn = is_view


def _subclasses(name: str, tally: Tally, draw: Draw) -> None:
    for sample in draw():

        def question(s: Any = sample) -> str | None:
            composite_compliance.check_with_mode(ours(name), (s.input, *s.args), s.kwargs, torch.testing.assert_close)
            return None

        tally.ask(question)


def proxies(name: str, tally: Tally, draw: Draw) -> None:
    """make_fx with symbolic shapes, and what is traced gives the same results."""
    for sample in draw():

        def question(s: Any = sample) -> str | None:
            make_fx_check(ours(name), (s.input, *s.args), s.kwargs, "symbolic", randomize_data=False)
            return None

        tally.ask(question)


def ahead_of_time(name: str, tally: Tally, draw: Draw) -> None:
    """AOTAutograd with dynamic shapes, forward and backward."""
    for sample in draw(requires_grad=True):

        def question(s: Any = sample) -> str | None:
            aot_autograd_check(ours(name), (s.input, *s.args), s.kwargs, dynamic=True)
            return None

        tally.ask(question)


def _checker(kind: str, flag: str, **keywords: Any) -> Callable[[str, Tally, Draw], None]:
    def check(name: str, tally: Tally, draw: Draw) -> None:
        mine = described(name)
        if not getattr(mine, flag):
            tally.not_applicable[f"{flag} is not claimed"] += 1
            return
        skip = next((d for d in mine.skips if d.cls_name in ("TestBwdGradients", "TestFwdGradients")), None)
        if skip is not None:
            tally.not_applicable["PyTorch skips it: samples with repeated indices have no numerical derivative"] += 1
            return
        case = TestGradients()
        for sample in draw(torch.float64, requires_grad=True):

            def question(s: Any = sample) -> str | None:
                mine.sample_inputs = lambda *_, **__: iter([s])
                more = {k: getattr(mine, v) if isinstance(v, str) else v for k, v in keywords.items()}
                case._check_helper("cpu", torch.float64, mine, mine.op, kind, **more)
                return None

            tally.ask(question)

    return check


CHECKS: dict[str, Callable[[str, Tally, Draw], None]] = {
    "values": values,
    "ties, NaN, infinities": awkward,
    "gradients": gradient,
    "error inputs": errors,
    "noncontiguous": noncontiguous,
    "negative views": negative_view,
    "fake tensors": fake,
    "composite compliance": subclasses,
    "make_fx": proxies,
    "AOTAutograd": ahead_of_time,
    "gradcheck": _checker("gradcheck", "supports_autograd", check_batched_grad="check_batched_grad"),
    "gradcheck, forward": _checker(
        "gradcheck",
        "supports_forward_ad",
        check_forward_ad=True,
        check_backward_ad=False,
        check_batched_grad=False,
        check_batched_forward_grad="check_batched_forward_grad",
    ),
    "gradgradcheck": _checker("bwgrad_bwgrad", "supports_gradgrad"),
    "forward over reverse": _checker("fwgrad_bwgrad", "supports_fwgrad_bwgrad"),
}
