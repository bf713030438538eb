"""What an installation of cenote.jax must have, and what is said where something is missing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import cenote
from cases import cenote_window
from cenote.catalogue import OPS
from cenote.ops.request import Request
from fresh import python
from jax_here import HANDLERS, jax, marks
from strategies import placed

pytestmark = marks
ROOT = Path(__file__).resolve().parent.parent


def test_the_handlers_are_in_the_installed_package() -> None:
    assert len(HANDLERS) == 1
    from cenote.jax import _xla

    assert Path(_xla.__file__) == HANDLERS[0]
    assert _xla.version == cenote.__version__


def test_they_are_compiled_for_the_oldest_jaxlib_that_is_claimed() -> None:
    from cenote.jax import _xla

    assert _xla.api == (0, 1)  # of jaxlib 0.5.0; its successors take it too
    oldest = ".".join(map(str, cenote.jax.ready.OLDEST))
    text = (ROOT / "pyproject.toml").read_text()
    assert f'jax = ["jax>={oldest[:3]}' in text
    for name in ("CMakeLists.txt", "Makefile", "docs/jax.md"):
        assert oldest in (ROOT / name).read_text(), name


def test_importing_cenote_does_not_import_jax() -> None:
    loaded = json.loads(python("import sys, json, cenote; print(json.dumps(sorted(sys.modules)))"))
    assert not [name for name in loaded if name.startswith(("jax", "cenote.jax", "flax"))]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the installed package."""
    shutil.copytree(Path(cenote.__file__).parent, tmp_path / "cenote", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


SAYS = "\ntry:\n    import cenote.jax\nexcept ImportError as error:\n    print(error)\nelse:\n    print('imported')\n"


def test_an_installation_without_handlers_says_what_is_missing(copy: Path) -> None:
    for handlers in copy.glob("cenote/jax/_xla*.so"):
        handlers.unlink()
    said = python(SAYS, first=copy)
    assert said.startswith("cenote.jax: this installation has no compiled handlers (cenote.jax._xla)")
    assert "CENOTE_XLA_INCLUDE" in said
    assert python("import cenote, numpy; print(cenote.max_pool(numpy.eye(4), 2).sum())", first=copy).strip() == "2.0"


def test_handlers_of_another_build_are_refused(copy: Path) -> None:
    """Their memory would be laid out in another way."""
    (handlers,) = copy.glob("cenote/jax/_xla*.so")
    data = handlers.read_bytes()
    version = cenote.__version__.encode()
    assert version in data
    handlers.write_bytes(data.replace(version, b"9" * len(version)))
    assert "are not of one build; install cenote again" in python(SAYS, first=copy)


def test_a_jax_that_is_too_old_or_missing() -> None:
    old = "import sys, types\nimport cenote, jax\njax.__version__ = '0.4.38'" + SAYS
    assert python(old).startswith("cenote.jax: jax is 0.4.38, and 0.5.0 is the oldest that works; pip install")
    none = "import sys\nsys.modules['jax'] = None" + SAYS
    assert python(none).startswith("cenote.jax: JAX cannot be imported")
    assert "pip install 'cenote[jax]'" in python(none)


def test_a_jaxlib_with_an_older_interface_is_refused(tmp_path: Path) -> None:
    """Such handlers would take the whole CPU backend down."""
    folder = tmp_path / "xla" / "ffi" / "api"
    folder.mkdir(parents=True)
    for major, minor, fine in ((0, 1, True), (0, 7, True), (0, 0, False), (1, 3, False)):
        (folder / "c_api.h").write_text(f"#define XLA_FFI_API_MAJOR {major}\n#define XLA_FFI_API_MINOR {minor}\n")
        if fine:
            cenote.jax.ready._check_headers(tmp_path, (0, 1))
        else:
            with pytest.raises(ImportError, match=f"speak version 0.1 .* this jaxlib {major}.{minor}"):
                cenote.jax.ready._check_headers(tmp_path, (0, 1))
    cenote.jax.ready._check_headers(tmp_path / "nowhere", (0, 1))


# A call, on its way to C++.


def unpacked(text: str) -> list[list[list[int]]]:
    """Every table of a call, axis by axis, written without a look at the code that packs them."""
    queue = [int(word) for word in text.split(" ")][5:]
    axes = []
    for _ in range(queue.pop(0)):
        _, _, n = queue.pop(0), queue.pop(0), queue.pop(0)
        tables = []
        for _ in range(6):
            values: list[int] = []
            for _ in range(queue.pop(0)):
                first, delta, count = queue.pop(0), queue.pop(0), queue.pop(0)
                values += [first + i * delta for i in range(count)]
            assert len(values) == n
            tables.append(values)
        axes.append(tables)
    assert not queue
    return axes


def text_of(op: str, window: Any, lengths: tuple[int, ...], **own: Any) -> str:
    request = Request.sliding(f"{op}_pool", OPS[op], len(lengths), window, **own)
    return cenote.jax.plan.attributes(request.call(lengths, np.dtype(np.float32)))["call"]


@given(window=placed())
def test_plans_lose_nothing(window: Any) -> None:
    made = cenote_window(window.rules)
    got = unpacked(text_of("max", made, window.lengths))
    for axis, table in zip(got, made.spans(window.lengths), strict=True):
        want = [table.start, table.count, table.step, table.padded, table.window, table.skipped]
        assert axis == [w.tolist() for w in want]


def test_numbers_of_operators_keep_every_bit() -> None:
    for own in ({"p": 0.1}, {"p": float("inf")}, {"p": 5e-324 + 1}):
        assert np.array(int(text_of("lp", (2,), (8,), **own).split()[4])).view(np.float64) == own["p"]
    for divisor in (0.1, -3, 1e18):
        assert np.array(int(text_of("avg", (2,), (8,), divisor=divisor).split()[3])).view(np.float64) == divisor


def test_an_ordinary_window_is_a_short_text() -> None:
    request = Request.sliding("max_pool", OPS["max"], 4, 3, stride=2, padding=1)
    call = request.call((1, 1, 1000, 2000), np.dtype(np.float32))
    assert len(cenote.jax.plan.attributes(call)["call"]) < 300


GOOD = [0, 0, 1, 0, 0, 1, -1, 8, 4, 1, 0, 2, 4, 1, 2, 0, 4, 1, 1, 0, 4, 1, 2, 0, 4, 1, 2, 0, 4, 1, 0, 0, 4]


def called(text: str, shape: tuple[int, ...] = (2, 4)) -> Any:
    result = jax.ShapeDtypeStruct(shape, np.float32)
    x = np.arange(16, dtype=np.float32).reshape(2, 8)
    return jax.jit(lambda x: jax.ffi.ffi_call("cenote_pool", result)(x, call=text))(x).block_until_ready()


def words(*numbers: int) -> str:
    return " ".join(map(str, numbers))


def test_a_plan_written_by_hand() -> None:
    assert called(words(*GOOD)).tolist() == [[1, 3, 5, 7], [9, 11, 13, 15]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "max_pool 2x2",
        words(*GOOD[:-1]),
        words(*GOOD, 0),
        words(*GOOD) + " ",
        words(*GOOD).replace(" ", "  "),
        words(*GOOD).replace(" 8 ", " 99999999999999999999 "),
        words(99, *GOOD[1:]),
        words(0, 9, *GOOD[2:]),
        words(*GOOD[:5], 4, *GOOD[6:]),  # axes
        words(*GOOD[:5], 2, *GOOD[6:], *GOOD[6:]),  # axes that do not ascend
        words(*GOOD[:6], 0, *GOOD[7:]),
        words(*GOOD[:6], -(2**63), *GOOD[7:]),
        words(*GOOD[:7], -8, *GOOD[8:]),
        words(*GOOD[:8], 2**62, *GOOD[9:]),
        words(*GOOD[:8], 5, *GOOD[9:]),
        words(*GOOD[:11], 3, *GOOD[12:]),  # beyond the input
        words(*GOOD[:11], -2, *GOOD[12:]),
        words(*GOOD[:11], 2**62, *GOOD[12:]),
        words(*GOOD[:12], 5, *GOOD[13:]),  # a run that is too long
        words(*GOOD[:12], -4, *GOOD[13:]),
        words(*GOOD[:14], 3, *GOOD[15:]),  # more taps than there are
    ],
)
def test_a_broken_plan_is_an_error_and_reads_nothing(text: str) -> None:
    """It comes from outside: a program may have been stored, and changed."""
    with pytest.raises(Exception, match="cenote: "):  # XLA's own error
        called(text)


@pytest.mark.parametrize(
    ("shape", "said"),
    [((2, 5), "does not fit the plan"), ((3, 4), "differ in shape"), ((4,), "a result lacks an axis")],
)
def test_a_broken_call_is_an_error(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(Exception, match=said):
        called(words(*GOOD), shape)


# The house.


def test_private_names_of_jax_are_in_one_file() -> None:
    sources = sorted((ROOT / "src" / "cenote" / "jax").glob("*.py"))
    assert sources
    private = {path.name for path in sources if re.search(r"jax\._src|\bjax\.interpreters\.\w+\._", path.read_text())}
    assert private == {"compat.py"}


def test_operators_are_never_listed_by_name() -> None:
    """An operator that nobody here has heard of has its functions, in both spellings; see test_new_operator.py."""
    for path in (ROOT / "src" / "cenote" / "jax").glob("*.py"):
        assert not re.search(r"[\[(]\"(max|min|avg|lp)\", \"", path.read_text()), path


def test_without_private_names_results_are_the_same() -> None:
    """As in a JAX that has lost them: only what is spread over devices is gathered first."""
    code = """
import builtins, os
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
import cenote, jax, numpy as np

real, refused = builtins.__import__, set()

def without(name, names=None, locals=None, fromlist=(), level=0):
    if (names or {}).get("__name__") == "cenote.jax.compat" and name.startswith(("jax._src", "jax.experimental")):
        refused.add(name)
        raise ImportError(name)
    return real(name, names, locals, fromlist, level)

builtins.__import__ = without
import cenote.jax

x = np.random.default_rng(0).standard_normal((8, 3, 9, 9)).astype(np.float32)
y, pullback = cenote.vjp(cenote.max_pool, x, 3, stride=2)
f = lambda x: cenote.jax.max_pool(x, 3, stride=2)
slope = jax.grad(lambda x: (f(x) ** 2).sum())
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("a",))
spread = jax.device_put(x, jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("a")))
for given in (x, spread):
    assert (np.asarray(f(given)) == y).all() and (np.asarray(jax.jit(f)(given)) == y).all()
    assert (np.asarray(slope(given)) == pullback(2 * y)).all()
with jax.disable_jit():
    assert (np.asarray(f(x)) == y).all()
print(sorted(refused))
"""
    said = python(code)
    assert "jax._src.dispatch" in said
    assert "jax.experimental" in said
