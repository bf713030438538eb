"""cenote.keras on every backend. Keras chooses its backend when it is imported, so each has a process of its own.

The tests themselves are in keras_inside/: parity with Keras's layers, the contract, layers, models, and what only
TensorFlow asks. Beside them run Keras's own tests of its pooling layers, from its wheel, with cenote's layers in their
place; a throw-away operator; and the page about Keras.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import cenote
from fresh import python
from test_new_operator import house  # noqa: F401  # a fixture

TESTS = Path(__file__).resolve().parent
INSIDE = TESTS / "keras_inside"
PAGE = TESTS.parent / "docs" / "keras.md"
BACKENDS = ("tensorflow", "torch", "jax")


def missing(backend: str) -> str | None:
    """Why cenote.keras cannot be tested on a backend."""
    for package in ("keras", backend):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed: cenote.keras is not tested on {backend}"
    if backend == "jax" and not list(Path(cenote.__file__).parent.glob("jax/_xla*.so")):
        return "cenote was built without jaxlib's headers: cenote.keras is not tested on jax"
    return None


pytestmark = [pytest.mark.keras, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """One after the other, for the processes that a test starts."""
    reason = missing(request.param)
    if reason is not None:
        pytest.skip(reason)
    monkeypatch.setenv("KERAS_BACKEND", request.param)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))  # Keras writes a file where it finds none
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    return request.param


def run(arguments: list[str], folder: Path) -> tuple[str, dict[str, int]]:
    """What a pytest of its own printed, and how many tests had which outcome."""
    paths = [str(INSIDE), str(TESTS), *(os.path.abspath(path) for path in sys.path if path)]
    report = folder / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=850,
    )
    said = done.stdout + done.stderr
    assert report.exists(), said
    suite = ET.parse(report).getroot()[0]
    counts = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    counts["passed"] = counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    reasons = sorted({str(one.get("message")) for one in suite.iter("skipped")})
    print(f"{counts}; skipped: {reasons}")
    assert done.returncode == 0, said[-20_000:]
    return said, counts


def test_inside(backend: str, tmp_path: Path) -> None:
    files = sorted(str(path) for path in INSIDE.glob("inside_*.py"))
    assert len(files) == 5
    _, counts = run(["-W", "default", "--rootdir", str(TESTS.parent), *files], tmp_path)
    assert counts["passed"] > (350 if backend == "tensorflow" else 230)


def test_keras_s_own_tests(backend: str, tmp_path: Path) -> None:
    """All of them, those that Keras skips on PyTorch included ("Same padding in Torch backend produces different
    results"): none fails, none is not applicable."""
    (folder,) = importlib.util.find_spec("keras").submodule_search_locations
    files = sorted(str(path) for path in Path(folder).glob("src/layers/pooling/*_test.py"))
    if not files:
        pytest.skip("this Keras has no tests in its wheel")
    said, counts = run(
        ["-W", "ignore", "-c", os.devnull, "--rootdir", str(tmp_path), "-p", "swapped", *files], tmp_path
    )
    print(said[-600:])
    assert counts["passed"] == counts["tests"]
    assert counts["tests"] >= 100
    made = re.search(r"(\d+) layers of cenote were made, of (\d+) classes", said)
    assert int(made[1]) >= 3 * counts["tests"]
    assert int(made[2]) >= 12
    assert ("12 tests run that Keras skips" in said) == (backend == "torch")


def test_a_throw_away_operator_has_layers(backend: str, house: Path) -> None:  # noqa: F811
    code = """
import keras, numpy as np, cenote.keras, inspect
x = keras.ops.convert_to_tensor(np.array([[1.0, 9, -2, 8], [3, 4, 5, 7]], "float32").reshape(1, 2, 4, 1))
def shown(y):
    return keras.ops.convert_to_numpy(y).ravel().tolist()
for form in ("", "Adaptive", "Global"):
    assert {f"{form}{op}Pooling{rank}D" for op in ("Spread", "Size") for rank in (1, 2, 3)} <= set(cenote.keras.__all__)
assert shown(cenote.keras.SizePooling2D(2)(x)) == [17, 22]
assert shown(cenote.keras.SizePool2D(3, 1, padding=1)(x)) == [17, 24, 35, 22, 17, 24, 35, 22]
assert shown(cenote.keras.AdaptiveSizePooling2D((1, 4))(x)) == [4, 13, 7, 15]
assert shown(cenote.keras.GlobalSizePooling2D()(x)) == [39]
assert "p" not in inspect.signature(cenote.keras.SizePooling2D).parameters
pools = [cenote.keras.SizePooling2D(2), cenote.keras.SizePooling2D((1, 2))]
if keras.config.backend() == "jax":  # no callbacks to Python there: a row without a compiled reducer is refused
    try:
        cenote.keras.SpreadPooling2D(2)(x)
    except TypeError as error:
        assert "no compiled reducer" in str(error)
else:
    assert shown(cenote.keras.SpreadPooling2D(2)(x)) == [8, 10]
    assert shown(cenote.keras.SpreadPool2D(3, 1, padding=1)(x)) == [8, 11, 11, 10, 8, 11, 11, 10]
    assert shown(cenote.keras.AdaptiveSpreadPooling2D((1, 4))(x)) == [2, 5, 7, 1]
    assert shown(cenote.keras.GlobalSpreadPooling2D()(x)) == [11]
    assert cenote.keras.explain(cenote.keras.SpreadPooling2D(2), x).provider == "reference"
    pools[0] = cenote.keras.SpreadPooling2D(2)
model = keras.Sequential([keras.Input((2, 4, 1)), keras.layers.Dense(1, kernel_initializer="ones"), *pools])
assert model.output_shape == (None, 1, 1, 1)
twin = keras.Sequential.from_config(model.get_config())
assert shown(twin.predict(x, verbose=0)) == shown(model.predict(x, verbose=0))
model.compile(keras.optimizers.SGD(1e-4), "mse")
losses = model.fit(x, np.zeros((1, 1, 1, 1)), epochs=3, verbose=0).history["loss"]
assert losses[-1] < losses[0]
print("done")
"""
    assert python(code, first=house).splitlines()[-1] == "done"


def test_numpy_and_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keras on NumPy has inference alone."""
    if importlib.util.find_spec("keras") is None:
        pytest.skip("keras is not installed: cenote.keras is not tested on NumPy")
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    code = """
import keras, numpy as np, cenote, cenote.keras
from cenote.keras import backends
x = np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype("float32")
parts = [cenote.keras.MaxPooling2D(2, dilation=2), cenote.keras.GlobalLpPooling2D()]
model = keras.Sequential([keras.Input((6, 6, 3)), *parts])
want = cenote.global_lp_pool(cenote.max_pool(x, 2, dilation=2, axes="NHWC"), axes="NHWC")
assert np.array_equal(model.predict(x, verbose=0), want)
assert cenote.keras.explain(parts[0], x).provider == "native"
backends.name = lambda: "openvino"
try:
    cenote.keras.MaxPooling2D(2)(x)
except ValueError as error:
    print(error)
"""
    assert "Keras runs on 'openvino'; set KERAS_BACKEND to one of torch, jax, tensorflow, numpy" in python(code)


def test_the_page_is_true(backend: str, tmp_path: Path) -> None:
    """Every block of the page runs, in the page's order; blocks that name a backend run on that one."""
    if backend == "jax":
        pytest.skip("test_framework_pages.py runs the page on JAX")
    blocks = re.findall(r"```python( \w+)?\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    code = "\n".join(text for where, text in blocks if where.strip() in ("", backend))
    assert len(blocks) == 5
    python(code, cwd=tmp_path)
