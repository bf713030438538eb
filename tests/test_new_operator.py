"""Adding an operator is adding a row: a throw-away one shows up everywhere, with no other file touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import cenote
from fresh import python

ROOT = Path(__file__).resolve().parent.parent

# The spread of a window, largest minus smallest: no compiled reducer has it, so it runs on its meaning.
SPREAD = '''
"""spread: largest tap minus smallest."""
import numpy as np
from .dtypes import zero
from .op import Op
from .selecting import same_dtype


def reference(taps):
    return (taps.values.max(axis=0) - taps.values.min(axis=0)).astype(taps.result)


def gradient(taps, y, g):
    values = taps.values
    at = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    return g * ((at == values.argmax(axis=0)) * 1.0 - (at == values.argmin(axis=0)) * 1.0)


ROW = Op(
    name="spread", title="Spread", summary="Largest value minus smallest of each window; 0 for an empty one.",
    prose="A throw-away operator.", formula="y = max - min", kinds=("signed", "float"), parameters=(), identity=zero,
    result_dtype=same_dtype, dtype_rule="same dtype", nan_rule="NaN propagates",
    gradient_rule="g to the largest, -g to the smallest", reference=reference, gradient=gradient,
)
'''
# The sum of absolute values: an existing reducer with its parameter fixed, so no C++ is needed.
SIZE = '''
"""size: lp with p = 1."""
import dataclasses
from .lp import ROW as LP

ROW = dataclasses.replace(
    LP, name="size", title="Size", summary="Sum of absolute values of each window; 0 for an empty one.",
    parameters=tuple(one for one in LP.parameters if one.name != "p"), fixed={"p": 1.0}, examples={},
)
'''


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the installed package with two more rows: two files, and two names in one list."""
    folder = tmp_path_factory.mktemp("house")
    package = folder / "cenote"
    shutil.copytree(Path(cenote.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "catalogue" / "spread.py").write_text(SPREAD)
    (package / "catalogue" / "size.py").write_text(SIZE)
    names = package / "catalogue" / "__init__.py"
    text = names.read_text()
    assert '"lp")' in text
    names.write_text(text.replace('"lp")', '"lp", "spread", "size")'))
    return folder


def test_functions(house: Path) -> None:
    code = """
import cenote, numpy as np, inspect
x = np.array([[1.0, 9, -2, 8], [3, 4, 5, 7]])
assert {f"{form}{op}_pool" for form in ("", "adaptive_", "global_") for op in ("spread", "size")} <= set(cenote.__all__)
assert cenote.spread_pool(x, 2).tolist() == [[8, 10]]
assert cenote.spread_pool(x, (3,), stride=1, padding=1).tolist() == [[8, 11, 11, 10], [1, 2, 3, 2]]
assert cenote.adaptive_spread_pool(x, (1, 4)).tolist() == [[2, 5, 7, 1]]
assert cenote.global_spread_pool(x.astype(np.int8)).tolist() == 11
assert cenote.size_pool(x, 2).tolist() == [[17, 22]]
assert cenote.size_pool(x, 2, dtype=np.float64).dtype == np.float64
assert "p" not in inspect.signature(cenote.size_pool).parameters
y, pullback = cenote.vjp(cenote.spread_pool, x, 2)
assert pullback(np.array([[1.0, 2]])).tolist() == [[-1, 1, -2, 2], [0, 0, 0, 0]]
y, pullback = cenote.vjp(cenote.size_pool, x, 2)
assert pullback(np.array([[1.0, 2]])).tolist() == [[1, 1, -2, 2], [1, 1, 2, 2]]
assert cenote.explain(cenote.spread_pool, x, 2).provider == "reference"
assert "native" in cenote.explain(cenote.spread_pool, x, 2).refusals
assert cenote.explain(cenote.size_pool, x, 2).provider == "native"
assert "divisor" not in inspect.signature(cenote.spread_pool).parameters
assert "Largest value minus smallest" in cenote.global_spread_pool.__doc__
try:
    cenote.spread_pool(x, 0)
except cenote.CenoteError as error:
    print(error)
"""
    assert python(code, first=house).startswith("spread_pool: size")


def test_a_parameter_is_given_or_fixed_but_not_both(house: Path) -> None:
    code = """
import dataclasses
from cenote.catalogue import OPS
for name, fixed in (("lp", {"p": 1.0}), ("avg", {"divisor": "window"})):
    try:
        dataclasses.replace(OPS[name], fixed=fixed)
    except ValueError as error:
        print(error)
"""
    assert python(code, first=house).splitlines() == [
        "Op lp: p is both a parameter and fixed; keep one of the two",
        "Op avg: divisor is both a parameter and fixed; keep one of the two",
    ]


def test_a_fixed_parameter_leaves_the_others_free(house: Path) -> None:
    code = """
import dataclasses, numpy as np
from cenote.catalogue import OPS
from cenote.ops import functions
norm = OPS["lp"]
row = dataclasses.replace(norm, name="sum_of_roots", parameters=tuple(p for p in norm.parameters if p.name != "p"),
                          fixed={"p": 0.5})
pool = functions({"sum_of_roots": row})["sum_of_roots_pool"]
y = pool(np.array([1.0, 4, 9, 16], np.float32), (2,), dtype=np.float64)
assert y.dtype == np.float64 and y.tolist() == [9, 49]
"""
    python(code, first=house)


def test_command_line(house: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([[1.0, 9, -2, 8], [3, 4, 5, 7]]))
    code = """
import json, sys, numpy as np
from cenote.cli import main

def cenote(*args):
    try:
        return main(list(args))
    except SystemExit as end:
        return end.code

assert not cenote("pool", "in.npy", "out.npy", "--op", "spread", "--window", "2x2", "--axes", "HW")
assert not cenote("shape", "28x28", "spread2")
print("result:", json.dumps(np.load("out.npy").tolist()))
assert not cenote("pool", "--help")
"""
    said = python(code, first=house, cwd=tmp_path)
    _, found, help_text = said.partition("result: [[8.0, 10.0]]")
    assert found
    assert "spread, size" in " ".join(help_text.split())


def test_documents_and_stub(house: Path) -> None:
    code = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("generate", {str(ROOT / "scripts" / "generate.py")!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for path, text in module.files().items():
    if path.suffix == ".json":  # of the frameworks, which a row of ours leaves as they are
        continue
    plain = text.replace("_", "").lower()  # SpreadPooling2D, too
    some = {{"torch": ("", "adaptive"), "flax": ("",)}}
    forms = some.get(path.stem if path.stem == "flax" else path.parent.name, ("", "adaptive", "global"))
    print(path.relative_to(module.ROOT).as_posix(), all(f"{{form}}spreadpool" in plain for form in forms))
"""
    said = dict(line.split() for line in python(code, first=house).splitlines())
    assert set(said.values()) == {"True"}
    stubs = {"src/cenote/__init__.pyi", "src/cenote/jax/__init__.pyi", "src/cenote/keras/__init__.pyi"}
    assert set(said) >= {*stubs, "docs/operators.md", "README.md"}


def test_the_tests_notice_a_row_without_cases(house: Path) -> None:
    """The table of cases refuses an operator that it does not know."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from cases import cases
from cenote.catalogue import OPS
for op in OPS:
    try:
        cases(op)
    except NotImplementedError as error:
        print(error)
"""
    said = python(code, first=house).splitlines()
    assert len(said) == 2
    assert "'spread'" in said[0]


def test_pytorch(house: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: cenote.torch cannot be imported")
    code = """
import torch, cenote.torch as F
x = torch.tensor([[[1.0, 9, -2, 8], [3, 4, 5, 7]]])
assert F.spread_pool2d(x, 2).tolist() == [[[8, 10]]]
assert F.adaptive_spread_pool2d(x, (1, 4)).tolist() == [[[2, 5, 7, 1]]]
assert F.size_pool2d(x, 2).tolist() == [[[17, 22]]]
assert F.SpreadPool2d(3, 1, 1)(x).tolist() == [[[8, 11, 11, 10], [8, 11, 11, 10]]]
assert repr(F.SizePool1d(2)) == "SizePool1d(kernel_size=2)"
a = x.clone().requires_grad_()
(F.spread_pool2d(a, 2) * torch.tensor([1.0, 2])).sum().backward()
assert a.grad.tolist() == [[[-1, 1, -2, 2], [0, 0, 0, 0]]]
(F.size_pool2d(a, 2) * torch.tensor([1.0, 2])).sum().backward()
assert a.grad.tolist() == [[[0, 2, -4, 4], [1, 1, 2, 2]]]
assert torch.autograd.gradcheck(lambda t: F.size_pool2d(t, 2), x.double().requires_grad_(), check_forward_ad=True)
assert torch.compile(lambda t: F.size_pool2d(t, 2) + F.spread_pool2d(t, 2), fullgraph=True)(x).tolist() == [[[25, 32]]]
assert F.explain(F.spread_pool2d, x, 2).provider == "reference"
for call in (lambda: torch.func.jvp(lambda t: F.spread_pool2d(t, 2), (x,), (x,)),
             lambda: torch.func.hessian(lambda t: F.spread_pool2d(t, 2).sum())(x)):
    try:
        call()
    except NotImplementedError as error:
        print(error)
"""
    said = python(code, first=house).splitlines()
    assert len(said) == 2
    assert all(line.startswith("spread_pool2d: spread pooling has no ") for line in said)


def test_jax(house: Path) -> None:
    pytest.importorskip("jax", reason="JAX is not installed: cenote.jax cannot be imported")
    if not list(Path(cenote.__file__).parent.glob("jax/_xla*.so")):
        pytest.skip("cenote was built without jaxlib's headers: cenote.jax cannot be imported")
    code = """
import jax, jax.numpy as jnp, cenote.jax
x = jnp.array([[1.0, 9, -2, 8], [3, 4, 5, 7]])
names = {f"{form}{op}_pool" for form in ("", "adaptive_", "global_") for op in ("spread", "size")}
assert names <= set(cenote.jax.__all__)
assert jax.jit(lambda x: cenote.jax.size_pool(x, 2))(x).tolist() == [[17, 22]]
assert cenote.jax.global_size_pool(x) == 39
assert cenote.jax.flax.size_pool(x[..., None], (2, 2), (2, 2))[..., 0].tolist() == [[17, 22]]
loss = lambda x: (cenote.jax.size_pool(x, 2) * jnp.array([1.0, 2])).sum()
assert jax.grad(loss)(x).tolist() == [[1, 1, -2, 2], [1, 1, 2, 2]]
assert jax.jvp(loss, (x,), (x,)) == (61, 61)
for call in (lambda: cenote.jax.spread_pool(x, 2), lambda: cenote.jax.flax.spread_pool(x, (2,))):
    try:
        call()
    except TypeError as error:
        print(error)
"""
    said = python(code, first=house).splitlines()
    assert len(said) == 2
    assert said[0].startswith("spread_pool: nobody can run this call inside JAX (xla: the row 'spread' names no")
    assert said[1].startswith("flax.spread_pool: nobody can run this call")
