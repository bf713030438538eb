"""The explorer's modules in Node: a module's text runs beside them, fed and read as JSON.

NaN, the infinities and -0 travel as the words that engine/arrays.js `spelled` writes; exactly these words, wherever
they stand, become numbers again on the other side.
"""

from __future__ import annotations

import functools
import json
import math
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

import cenote

#: The modules as they are installed; found without importing cenote.explorer, which may want more than NumPy.
STATIC = Path(cenote.__file__).parent / "explorer" / "static"

_OLDEST = 18
_PATIENCE = 120  # seconds
_WORDS = {"NaN": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}
_RUNNER = """
import { readFileSync } from "node:fs";
import { spelled } from "./engine/arrays.js";
import main from "./main.mjs";
const words = { NaN: NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 };
const revived = (_, value) => (typeof value === "string" && Object.hasOwn(words, value) ? words[value] : value);
const plain = (_, value) =>
  typeof value === "number" ? spelled(value) : ArrayBuffer.isView(value) ? Array.from(value) : value;
const result = await main(JSON.parse(readFileSync(0, "utf8"), revived));
process.stdout.write(JSON.stringify(result === undefined ? null : result, plain));
"""


@functools.lru_cache(maxsize=1)
def node() -> str | None:
    """Where Node is, if it is new enough."""
    found = shutil.which("node")
    if found is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=_PATIENCE).stdout
    digits = said.strip().removeprefix("v").split(".")[0]
    return found if digits.isdecimal() and int(digits) >= _OLDEST else None


#: For tests that need it.
needs_node = pytest.mark.skipif(
    node() is None, reason=f"there is no Node from {_OLDEST} on: the explorer's modules are not run outside a browser"
)


def copy(folder: Path) -> Path:
    """The modules in a folder that may be written to, and whose package.json tells Node what they are."""
    shutil.copytree(STATIC, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


def run(module_source: str, payload: Any = None) -> Any:
    """What the function that the module exports as its default makes of ``payload``.

    The module's imports are seen from static/: ``import { pool } from "./engine/pooling.js";``.
    """
    program = node()
    assert program is not None, "call run() in tests marked needs_node"
    with tempfile.TemporaryDirectory(prefix="cenote-node-") as name:
        folder = copy(Path(name) / "static")
        (folder / "main.mjs").write_text(module_source, encoding="utf-8")
        (folder / "run.mjs").write_text(_RUNNER, encoding="utf-8")
        done = subprocess.run(
            [program, "run.mjs"],
            cwd=folder,
            input=dumps(payload),
            capture_output=True,
            encoding="utf-8",
            timeout=_PATIENCE,
        )
        if done.returncode:
            said = done.stderr.replace(folder.as_uri() + "/", "static/")
            raise AssertionError(f"the module failed in Node:\n{said}\nIt was:\n{module_source}")
    try:
        return revived(json.loads(done.stdout))
    except json.JSONDecodeError as error:
        raise AssertionError(f"the module wrote something else to stdout: {done.stdout[:500]!r} ({error})") from None


def dumps(payload: Any) -> str:
    """JSON with the numbers spelled that JSON has no words for."""
    return json.dumps(_spelled(payload), allow_nan=False, separators=(",", ":"))


def _spelled(value: Any) -> Any:
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return "-0" if value == 0 and math.copysign(1, value) < 0 else value
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    return value


def revived(value: Any) -> Any:
    """Words become numbers again."""
    if isinstance(value, str):
        return _WORDS.get(value, value)
    if isinstance(value, dict):
        return {key: revived(item) for key, item in value.items()}
    return [revived(item) for item in value] if isinstance(value, list) else value
