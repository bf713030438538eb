"""The pooling of a PyTorch model, as it runs once on one image.

Every pooling of PyTorch's and of ``cenote.torch``'s, whoever calls it, is a function that a ``TorchFunctionMode`` sees
with its arguments; hooks on the modules say whose it is, and find modules of the user's own that call themselves pools.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cenote.errors import CenoteError
from cenote.ops.request import Request
from cenote.torch.functional import FUNCTIONS

from .fields import Field, Followed, Known, together
from .met import Array, Met, one_image, plain, words
from .torch_reading import SAMPLES, along, convolved, of_fractional, of_function, samples, tensors

FRAMEWORK: Final = "PyTorch"
KINDS: Final = (
    "pooling modules of torch.nn and cenote.torch, their functions, and modules with Pool in the name of their class"
)
_RANK: Final = re.compile(r"(?:Conv|BatchNorm|InstanceNorm|Pool|Dropout)([123])d$")
_CONVOLUTION: Final = re.compile(r"conv[123]d$")
_FRACTIONAL: Final = re.compile(r"fractional_max_pool([23])d$")
_HOMES: Final = ("torch.nn.modules.pooling", "cenote.torch")
# Functions that give every cell a value of that cell alone: the same cell of other maps, other channels of it.
_CELLWISE: Final = words(
    """relu relu_ relu6 leaky_relu leaky_relu_ elu elu_ celu selu gelu silu mish hardswish hardsigmoid hardtanh
    hardtanh_ softplus softsign logsigmoid sigmoid sigmoid_ tanh tanh_ prelu threshold clamp clamp_ clip clip_ abs
    neg exp log sqrt square dropout dropout_ dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout
    batch_norm local_response_norm add add_ sub sub_ mul mul_ div div_ true_divide multiply subtract divide pow
    __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ __imul__ __truediv__ __rtruediv__
    __itruediv__ __pow__ __neg__ rsub maximum minimum where nan_to_num clone contiguous detach to float half
    double bfloat16 type type_as"""
)


def look(model: nn.Module, image: Tensor) -> list[Met]:
    """Every run of a pooling layer on ``image`` (a batch of one), in that order. The model is left as it was."""
    watch = _Watch(model)
    with _as_it_was(model, image), _eager(model), watch.hooked(), watch:
        watch.begin(image)
        model(image)
    return watch.met


def fed(model: nn.Module, x: Any) -> tuple[Tensor, int]:
    """``x`` as a batch of one image where the model is, and how many images it held.

    What is no tensor comes in the dtype of the model's parameters, float32 where it has none.
    """
    parameter = next((one for one in model.parameters() if one.is_floating_point()), None)
    if not isinstance(x, Tensor):
        wanted = torch.float32 if parameter is None else parameter.dtype
        x = torch.as_tensor(np.ascontiguousarray(np.asarray(x)), dtype=wanted)
    if parameter is not None:
        x = x.to(parameter.device)
    found = (_RANK.search(base.__name__) for module in model.modules() for base in type(module).__mro__)
    rank = next((int(match[1]) for match in found if match), None)
    with torch.no_grad():
        return one_image(x, None if rank is None else rank + 2, "channels first")


@contextmanager
def _as_it_was(model: nn.Module, image: Tensor) -> Iterator[None]:
    """Evaluation without gradients; flags and the state of every generator of random numbers come back."""
    flags = [(module, module.training) for module in model.modules()]
    devices = {image.device, *(one.device for one in model.parameters())}
    cuda = [device for device in devices if device.type == "cuda"]
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=cuda), torch.no_grad():
        try:
            for module, _ in flags:
                module.training = False
            yield
        finally:
            for module, flag in flags:
                module.training = flag
            random.setstate(states[0])
            np.random.set_state(states[1])


@contextmanager
def _eager(model: nn.Module) -> Iterator[None]:
    """What torch.compile has made of a model shows nothing of its inside: its own code runs."""
    compiled = any(
        getattr(module, "_compiled_call_impl", None) is not None or hasattr(module, "_orig_mod")
        for module in model.modules()
    )
    with ExitStack() as stack:
        if compiled:  # which has imported the compiler; nobody else waits for that
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


class _Watch(TorchFunctionMode):  # type: ignore[misc]
    """Sees every function of PyTorch's that a model calls."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.met: list[Met] = []
        self._names = {id(module): name for name, module in model.named_modules()}
        self._model = model
        self._running: list[nn.Module] = []
        self._own: list[tuple[int, Array | None, Known, tuple[int, ...]]] = []  # of modules of the user's that pool
        self._within = 0  # modules whose own reading counts, not that of what they call
        self._quiet = False
        self._followed = Followed()

    def begin(self, image: Tensor) -> None:
        """The model's input, from which fields are counted."""
        with self._silent():
            self._followed.note(image, Field.start(image.shape[2:]))

    @contextmanager
    def _silent(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    # --- functions ---

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._quiet:
            return func(*args, **kwargs)
        name = str(getattr(func, "__name__", "")).removesuffix("_with_indices")
        fractional = _FRACTIONAL.match(name)
        if fractional is None and name not in FUNCTIONS:
            known = self._known(name, args, kwargs)  # before it runs: it may write into its input
            result = func(*args, **kwargs)
            self._note(result, known)
            return result
        args, kwargs, x = _input_first(args, kwargs)
        if fractional is not None and kwargs.get("_random_samples") is None and len(args) < SAMPLES:
            kwargs = {**kwargs, "_random_samples": samples(x, int(fractional[1]))}
        before, field = _maps(x, int(name[-2])), self._followed.of(x)
        result = func(*args, **kwargs)
        first = result[0] if isinstance(result, tuple) else result
        if not isinstance(first, Tensor):
            return result
        requests: tuple[Request, ...] = ()
        said: dict[str, str] = {}
        reason = ""
        try:
            if fractional is not None:
                said, requests = of_fractional(int(fractional[1]), args, kwargs, first)
            else:
                said, requests = of_function(name, x.ndim, args, kwargs)
        except (CenoteError, TypeError) as error:
            reason = " ".join(str(error).split())
        self._note(result, self._behind(field, requests, reason))
        if not self._within:
            met = self._seen(name, func, said, requests, reason, before, first, field, x)
            self.met.append(met)
        return result

    def _seen(
        self,
        name: str,
        func: Any,
        said: dict[str, str],
        requests: tuple[Request, ...],
        reason: str,
        before: Array | None,
        after: Tensor,
        field: Known | None,
        x: Tensor,
    ) -> Met:
        module = self._running[-1] if self._running else self._model
        where = self._names.get(id(module), "")
        if _is_pool(module):
            label, kind = where or "(the model)", _class(module)
        else:
            home = "cenote.torch" if getattr(func, "__module__", "") == "cenote.torch" else "torch.nn.functional"
            label, kind = f"{where}.{name}" if where else name, f"{home}.{name}"
        if before is None:
            reason = reason or "its maps cannot be read as numbers"
        known = field if field is not None else "what stands before it is not followed"
        rank = 0 if before is None else before.ndim - 1
        return Met(label, kind, said, requests, reason, before, _maps(after, rank), _shape(x), _shape(after), known)

    def _behind(self, field: Known | None, requests: tuple[Request, ...], reason: str) -> Known | None:
        if not isinstance(field, Field):
            return field
        if reason or len(requests) != 1:
            return reason or "windows are drawn at random"
        return field.slid(requests[0].window)

    def _known(self, name: str, args: Any, kwargs: Any) -> Known | None:
        """The field of what a function gives; None where its input does not come from the model's."""
        fields = [field for one in tensors((args, kwargs)) if (field := self._followed.of(one)) is not None]
        if not fields:
            return None
        if all(isinstance(field, str) for field in fields):
            return fields[0]
        if _CONVOLUTION.match(name) and isinstance(fields[0], Field):
            return convolved(fields[0], name, args, kwargs)
        if name in _CELLWISE or (name in ("cat", "concat", "concatenate") and along(args, kwargs) == 1):
            return together(fields, name)
        return f"{name} stands before it, through which fields are not followed"

    def _note(self, result: Any, known: Known | None) -> None:
        if known is not None:
            for one in tensors(result):
                whole = isinstance(known, str) or tuple(one.shape[-len(known.first) :]) == known.lengths
                self._followed.note(one, known if whole else "a function that changes lengths stands before it")

    # --- modules ---

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Hooks on every module, gone afterwards whatever happens."""
        with ExitStack() as stack:
            for module in self._model.modules():
                if not isinstance(module, torch.jit.ScriptModule):
                    before = module.register_forward_pre_hook(self._enter, with_kwargs=True)
                    stack.callback(before.remove)
                    after = module.register_forward_hook(self._leave, with_kwargs=True, always_call=True)
                    stack.callback(after.remove)
            yield

    def _is_own(self, module: nn.Module) -> bool:
        """Whether a module is the user's own pooling: by what it is made from, or by its name."""
        if _is_pool(module):
            return False
        name = type(module).__name__.lower()
        named = "pool" in name and "unpool" not in name and module is not self._model
        return named or _theirs(module) is not None

    def _enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._running.append(module)
        if self._is_own(module):
            x = next(tensors((args, kwargs)), None)
            with self._silent():
                field = None if x is None else self._followed.of(x)
                before = None if x is None else _maps(x)
                shape = () if x is None else _shape(x)
            self._own.append((len(self.met), before, field or "what stands before it is not followed", shape))
            self._within += _theirs(module) is not None

    def _leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if not self._running or self._running[-1] is not module:  # another hook has ended the call before ours
            return
        self._running.pop()
        y = next(tensors(output), None)
        if self._is_own(module):
            place, before, field, shape = self._own.pop()
            base = _theirs(module)
            self._within -= base is not None
            if y is not None and (base is not None or len(self.met) == place):
                reason = (
                    f"{type(module).__name__} is a subclass of {base} and may differ from it"
                    if base is not None
                    else f"{type(module).__name__} is no pooling that the contract knows"
                )
                name = self._names.get(id(module), "") or "(the model)"
                with self._silent():
                    after = _maps(y, 0 if before is None else before.ndim - 1)
                    met = Met(name, _class(module), {}, (), reason, before, after, shape, _shape(y), field)
                self.met.insert(place, met)
                self._note(y, field if isinstance(field, str) else f"{reason}, so fields are not followed through it")
        with self._silent():
            inside = any(self._followed.of(x) is not None for x in tensors((args, kwargs)))
            if inside and y is not None and self._followed.of(y) is None:
                self._note(y, f"{type(module).__name__} stands before it, whose inside cannot be seen")


def _input_first(args: Any, kwargs: Any) -> tuple[Any, dict[str, Any], Tensor]:
    if args:
        return args, kwargs, args[0]
    rest = dict(kwargs)
    x = rest.pop("input")
    return (x,), rest, x


# --- tensors ---


def _shape(x: Tensor) -> tuple[int, ...]:
    return tuple(x.shape[1:] if x.ndim > 1 and x.shape[0] == 1 else x.shape)


def _maps(x: Tensor, rank: int = 0) -> Array | None:
    """Channels and maps of the first image; ``rank`` is how many axes maps have where that is known."""
    try:
        one = x.detach().cpu()
        array = plain((one.float() if one.dtype == torch.bfloat16 else one).numpy())
    except (RuntimeError, TypeError):  # sparse, quantized, nested, of another device's memory
        return None
    batched = array.ndim == rank + 2 if rank else array.ndim > 3 or (array.ndim > 1 and array.shape[0] == 1)
    array = array[0] if batched and len(array) else array
    return array if 1 < array.ndim < 5 and (not rank or array.ndim == rank + 1) and array.size else None


# --- classes ---


def _is_pool(module: nn.Module) -> bool:
    """Whether a module is a pooling of PyTorch's or of ours, and nothing more."""
    kind = type(module)
    return kind.__module__ in _HOMES and "Pool" in kind.__name__


def _theirs(module: nn.Module) -> str | None:
    """The pooling class that a class of the user's is made from."""
    names = (base.__name__ for base in type(module).__mro__ if base.__module__ in _HOMES)
    return next((name for name in names if "Pool" in name and name[0] != "_"), None)


def _class(module: nn.Module) -> str:
    kind = type(module)
    home = "torch.nn" if kind.__module__ == _HOMES[0] else kind.__module__
    return f"{home}.{kind.__name__}"
