"""Lists that are written more than once must agree: catalogue, ops.def, exported names, stub, documents."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import cenote
from cases import TYPES
from cenote import ops
from cenote.catalogue import OPS
from oracle import OPERATORS

ROOT = Path(__file__).resolve().parent.parent
FORMS = ("{}_pool", "adaptive_{}_pool", "global_{}_pool")
FUNCTIONS = [form.format(name) for form in FORMS for name in OPS]
STUB = Path(cenote.__file__).with_name("__init__.pyi")


def test_the_oracle_and_the_cases_know_every_row() -> None:
    assert tuple(OPS) == OPERATORS
    assert {name: set(types) for name, types in TYPES.items()} == {name: set(op.dtypes) for name, op in OPS.items()}


def test_ops_def_names_every_reducer() -> None:
    text = (ROOT / "csrc" / "ops.def").read_text()
    compiled = re.findall(r"^CENOTE_REDUCER\(\s*(\w+)\s*,.*?(\w+)\)", text, re.MULTILINE)
    assert {name for name, _ in compiled} == {op.reducer for op in OPS.values() if op.reducer}
    for op in OPS.values():
        if op.reducer:
            assert (dict(compiled)[op.reducer] == "winner") == op.selects


def test_names_of_the_catalogue_and_of_the_package() -> None:
    assert list(ops.functions()) == FUNCTIONS
    assert cenote.__all__[: len(FUNCTIONS)] == FUNCTIONS
    for name in FUNCTIONS:
        assert getattr(cenote, name).__name__ == name


def test_exported_names_are_all_there_and_all_that_is_there() -> None:
    assert len(set(cenote.__all__)) == len(cenote.__all__)
    assert all(hasattr(cenote, name) for name in cenote.__all__)
    rooms = {"catalogue", "cli", "demo", "dialects", "errors", "geometry", "native", "ops", "reference"}
    rooms |= {"torch", "jax", "keras", "explorer", "lab"}  # there once somebody has imported them
    public = {name for name in vars(cenote) if not name.startswith("_")} - rooms
    assert public == set(cenote.__all__) - {"__version__"}
    wanted = {"max_unpool", "vjp", "output_shape", "explain", "info", "set_num_threads", "get_num_threads"}
    wanted |= {"Slide", "Split", "Spans", "Window", "CenoteError", "CenoteTypeError", "CenoteIndexError", "__version__"}
    assert wanted <= set(cenote.__all__)


def stub_names() -> dict[str, list[ast.FunctionDef]]:
    """Public names of the stub; functions with all their overloads."""
    names: dict[str, list[ast.FunctionDef]] = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = []
        elif isinstance(node, ast.ImportFrom):
            names.update({alias.asname: [] for alias in node.names if alias.asname})
    return names


def test_the_stub_names_the_same() -> None:
    extra = {"Padding", "__all__"}
    assert set(stub_names()) - extra == set(cenote.__all__)
    assert STUB.with_name("py.typed").exists()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_stub_takes_the_same_arguments(name: str) -> None:
    real = inspect.signature(getattr(cenote, name)).parameters
    for node in stub_names()[name]:
        written = node.args
        assert [a.arg for a in written.args] == [n for n, p in real.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert [a.arg for a in written.kwonlyargs] == [n for n, p in real.items() if p.kind is p.KEYWORD_ONLY]
        for argument, default in zip(written.kwonlyargs, written.kw_defaults, strict=True):
            if default is not None:
                assert ast.literal_eval(default) == real[argument.arg].default
            else:  # an overload may insist on a keyword that says which of them is meant
                assert argument.arg == "return_indices"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "scripts" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date() -> None:
    wanted = generator().files()
    assert {path.relative_to(ROOT).as_posix() for path in wanted} >= {
        "src/cenote/__init__.pyi",
        "docs/operators.md",
        "README.md",
    }
    stale = [path.name for path, text in wanted.items() if path.read_text() != text]
    assert not stale, "run: make generate"
    assert STUB.read_text() == wanted[ROOT / "src/cenote/__init__.pyi"]


@pytest.mark.parametrize("page", ["docs/operators.md", "README.md"])
def test_the_documents_name_every_function(page: str) -> None:
    text = (ROOT / page).read_text()
    documented = set(re.findall(r"`((?:adaptive_|global_)?\w+_pool)`", text))
    assert set(FUNCTIONS) <= documented
    assert documented - set(FUNCTIONS) <= {"lp_pool"}  # torch's function of that name is spoken of too


TYPED = """
from typing import Any, assert_type
import numpy as np
from numpy.typing import NDArray
import cenote

x = np.zeros((4, 4), np.float32)
assert_type(cenote.max_pool(x, 2), NDArray[Any])
assert_type(cenote.max_pool([[1]], (1, 1), padding=((0, 1), 2)), NDArray[Any])
assert_type(cenote.max_pool(x, 2, return_indices=True), tuple[NDArray[Any], NDArray[np.int64]])
assert_type(cenote.global_min_pool(x, axes="HW", return_indices=True), tuple[NDArray[Any], NDArray[np.int64]])
assert_type(cenote.adaptive_avg_pool(x, (None, 2), divisor="padded"), NDArray[Any])
assert_type(cenote.lp_pool(x, cenote.Window.parse("2x2"), p=float("inf"), dtype=np.float64), NDArray[Any])
y, pullback = cenote.vjp(cenote.sum_pool, x, 2)
assert_type(pullback(y), NDArray[Any])
assert_type(cenote.output_shape((4, 4), 2), tuple[int, ...])
assert_type(cenote.Slide(3, pad="same").pads(7), tuple[int, int])
cenote.max_pool(x, 2.5)  # error
cenote.max_pool(x, 2, 2)  # error
cenote.avg_pool(x, 2, divisor="outside")  # error
cenote.sum_pool(x, 2, return_indices=True)  # error
cenote.max_pool(x, 2, return_indices=True, out=x)  # error
"""


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed: types are not checked")
def test_types_as_a_caller_sees_them(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [*command, "caller.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(STUB.parent.parent)} if "site-packages" not in STUB.parts else None,
        capture_output=True,
        text=True,
        timeout=240,
    )
    lines = TYPED.splitlines()
    wanted = {number for number, line in enumerate(lines, 1) if line.endswith("# error")}
    reported = {int(n) for n in re.findall(r"^caller\.py:(\d+): error", done.stdout, re.MULTILINE)}
    assert reported == wanted, done.stdout + done.stderr
