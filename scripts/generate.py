"""Write what follows from the catalogue and the dialects: type stubs, docs/operators.md, a table, the explorer's rows.

    python scripts/generate.py          write the files
    python scripts/generate.py --check  fail, naming them, when one is out of date

Nothing in these files is typed by hand, so a row that is added shows up everywhere.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cenote.catalogue import OPS, Op
from cenote.explorer import rows as explorer_rows
from cenote.ops.signature import FORMS, REQUIRED, arguments

ROOT = Path(__file__).resolve().parent.parent

_NOTE = '"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""'
_PADDING = 'Padding: TypeAlias = int | Literal["valid", "same", "same_lower"] | Sequence[int | tuple[int, int]]'

STUB_HEAD = f"""{_NOTE}

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .errors import CenoteError as CenoteError
from .errors import CenoteIndexError as CenoteIndexError
from .errors import CenoteMemoryError as CenoteMemoryError
from .errors import CenoteTypeError as CenoteTypeError
from .explorer import explore as explore
from .geometry import Slide as Slide
from .geometry import Spans as Spans
from .geometry import Split as Split
from .geometry import Window as Window
from .ops import empty_cache as empty_cache
from .ops import explain as explain
from .ops import get_cache_limit as get_cache_limit
from .ops import get_num_threads as get_num_threads
from .ops import info as info
from .ops import max_unpool as max_unpool
from .ops import output_shape as output_shape
from .ops import set_cache_limit as set_cache_limit
from .ops import set_num_threads as set_num_threads
from .ops import vjp as vjp

{_PADDING}

__version__: str
__all__: list[str]
"""


JAX_STUB_HEAD = f"""{_NOTE}

from collections.abc import Sequence
from typing import Literal, TypeAlias, overload

from jax import Array
from numpy.typing import ArrayLike, DTypeLike

from ..geometry import Window
from . import flax as flax
from .explain import explain as explain

{_PADDING}

__all__: list[str]
"""


def _stub_function(op: Op, form: str, select: str | None, returns: str, out: bool) -> str:
    lines = []
    keyword = False
    for argument in arguments(op, form):
        if argument.name == "out" and not out:
            continue
        if argument.default is not REQUIRED and not keyword:
            lines.append("    *,")
            keyword = True
        annotation, default = argument.annotation, f" = {argument.default!r}"
        if argument.default is REQUIRED:
            default = ""
        elif argument.name == "return_indices" and select is not None:
            annotation = "bool" if select == "bool" else f"Literal[{select}]"
            default = default if select == "False" else ""
        elif argument.name == "out" and select is not None:
            # what may be given follows from return_indices; where that is not known, nothing may
            pair = "tuple[NDArray[Any], NDArray[np.int64]]"
            annotation = {"True": f"{pair} | None", "False": "NDArray[Any] | None", "bool": "None"}[select]
        lines.append(f"    {argument.name}: {annotation}{default.replace(chr(39), chr(34))},")
    return "\n".join([f"def {op.function_name(form)}(", *lines, f") -> {returns}: ..."])


def stub(rows: Mapping[str, Op] = OPS) -> str:
    """The text of cenote/__init__.pyi."""
    return STUB_HEAD + _stub_functions(rows, "NDArray[Any]", "NDArray[np.int64]", True)


def jax_stub(rows: Mapping[str, Op] = OPS) -> str:
    """The text of cenote/jax/__init__.pyi: the same functions, without ``out``."""
    return JAX_STUB_HEAD + _stub_functions(rows, "Array", "Array", False)


def _stub_functions(rows: Mapping[str, Op], array: str, indices: str, out: bool) -> str:
    parts = [""]
    for form in FORMS:
        for op in rows.values():
            if not op.selects:
                parts.append(_stub_function(op, form, None, array, out))
                continue
            pair = f"tuple[{array}, {indices}]"
            parts.append("@overload\n" + _stub_function(op, form, "False", array, out))
            parts.append("@overload\n" + _stub_function(op, form, "True", pair, out))
            parts.append("@overload\n" + _stub_function(op, form, "bool", f"{array} | {pair}", out))
    return "\n".join(parts) + "\n"


def operators_page(rows: Mapping[str, Op] = OPS) -> str:
    """The text of docs/operators.md."""
    parts = [
        "# Operators",
        "",
        "Written from the catalogue by `make generate`. Every operator comes in three forms: sliding, adaptive and "
        "global, forward and (floats) backward, over one to three axes of any array.",
        "",
        support_table(rows),
    ]
    for op in rows.values():
        names = ", ".join(f"`{op.function_name(form)}`" for form in FORMS)
        own = [f"- `{p.name}={p.default!r}`: {p.doc}" for p in op.parameters]
        parts += [
            "",
            f"## {op.title}",
            "",
            f"{op.summary}",
            "",
            f"    {op.formula}",
            "",
            op.prose,
            "",
            f"- Functions: {names}",
            f"- Input: {', '.join(op.dtypes)}",
            f"- Result: {op.dtype_rule}",
            f"- NaN: {op.nan_rule}",
            f"- Gradient: {op.gradient_rule}",
            *own,
        ]
        parts += [f"- Source: {op.source}"] if op.source else []
        parts += [f"- {note}" for note in (op.torch_note, op.flax_note) if note]
    return "\n".join(parts) + "\n"


def support_table(rows: Mapping[str, Op] = OPS) -> str:
    """What is supported, a line per operator."""
    head = "| operator | functions | input | result | indices | gradient |\n|---|---|---|---|---|---|"
    lines = [head]
    for op in rows.values():
        names = "<br>".join(f"`{op.function_name(form)}`" for form in FORMS)
        kinds = ", ".join(_KIND_WORDS[kind] for kind in op.kinds)
        indices = "yes" if op.selects else "-"
        gradient = op.gradient_rule.replace("|", "\\|")  # a bare bar would end the cell
        lines.append(f"| {op.title} | {names} | {kinds} | {op.dtype_rule} | {indices} | {gradient} |")
    return "\n".join(lines)


_KIND_WORDS = {
    "bool": "bool",
    "signed": "int8 to int64",
    "unsigned": "uint8 to uint64",
    "float": "float16, bfloat16, float32, float64",
    "complex": "complex64, complex128",
}


def readme(text: str, rows: Mapping[str, Op] = OPS) -> str:
    """The README with its table replaced."""
    begin, end = "<!-- operators: begin -->", "<!-- operators: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{support_table(rows)}\n{end}{after}"


def files(rows: Mapping[str, Op] = OPS) -> dict[Path, str]:
    """Every generated file and what it should hold."""
    wanted = {
        ROOT / "src/cenote/__init__.pyi": stub(rows),
        ROOT / "docs/operators.md": operators_page(rows),
        ROOT / "src/cenote/keras/__init__.pyi": _beside("keras_stub").stub(),
        ROOT / "src/cenote/jax/__init__.pyi": jax_stub(rows),
        ROOT / "src/cenote/explorer" / explorer_rows.PATH: explorer_rows.text(),
    }
    with suppress(ImportError):  # JAX or the handlers are missing: that stub stays as it is
        wanted[ROOT / "src/cenote/jax/flax.pyi"] = _beside("flax_stub").stub()
    if importlib.util.find_spec("torch") is not None:  # where it is not, that stub stays as it is
        wanted[ROOT / "src/cenote/torch/__init__.pyi"] = _beside("torch_stub").stub()
    front = ROOT / "README.md"
    if front.exists():
        wanted[front] = readme(front.read_text(), rows)
    return wanted


def _beside(name: str) -> Any:
    """Another script, wherever Python looks for modules."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    check = parser.parse_args().check
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        name = path.relative_to(ROOT)
        if check:
            print(f"{name} is out of date; run: make generate", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files()[path])
            print(f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
