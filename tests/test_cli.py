"""The command line as a whole: version, help, examples, exit codes, JSON, and what happens without the extras."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cenote
from cenote.catalogue import OPS
from cenote.cli import examples
from cenote.dialects import DIALECTS
from cli_process import Here, environment, noise, process

EVERY_EXAMPLE = [
    (name, command)
    for name, found in (
        ("pool", examples.POOL),
        ("shape", examples.SHAPE),
        ("demo", examples.DEMO),
        ("info", examples.INFO),
    )
    for command, _ in found
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Here(tmp_path, capsys)


def test_version_and_info_as_processes(tmp_path: Path) -> None:
    assert process("--version", cwd=tmp_path).worked().out == f"cenote {cenote.__version__}\n"
    found = json.loads(process("info", "--json", cwd=tmp_path).worked().out)
    assert found == json.loads(json.dumps(cenote.info().as_dict()))


def test_version_loads_no_command_line_library(tmp_path: Path) -> None:
    code = (
        "import sys; from cenote.cli import main; main(['--version']); "
        "print(sorted({'typer', 'rich', 'PIL', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1] == "[]"


def test_the_installed_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("cenote")
    if not script.exists():
        pytest.skip("cenote is not installed as a command beside this Python")
    done = subprocess.run(
        [script, "shape", "28x28", "conv3", "pool2", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["layers"][-1]["output"] == [13, 13]


def test_info_is_a_table(here: Here) -> None:
    out = here("info").worked().out
    for name in ("version", "compiler", "targets compiled", "targets usable", "target", "threads"):
        assert f"{name} " in out


@pytest.mark.parametrize("name", ["pool", "shape", "demo", "info"])
def test_help_shows_the_examples(here: Here, name: str) -> None:
    out = here(name, "--help").worked().out
    for own, command in EVERY_EXAMPLE:
        assert (f"  {command}\n" in out) == (own == name)


def unwrapped(text: str) -> str:
    """Help as one line: where it is broken differs between versions of typer."""
    return " ".join(text.split())


def test_help_names_what_the_tables_hold(here: Here) -> None:
    assert f"Operator: {', '.join(OPS)}." in unwrapped(here("pool", "--help").worked().out)
    shape = here("shape", "--help").worked().out
    assert all(name in shape for name in (*OPS, *DIALECTS))
    assert here().worked().out == here("--help").worked().out
    assert here("-h").worked().out == here("--help").worked().out


@pytest.mark.parametrize(("name", "command"), EVERY_EXAMPLE, ids=[command for _, command in EVERY_EXAMPLE])
def test_examples_run(here: Here, name: str, command: str) -> None:
    Image.fromarray(noise(60, 90, 3)).save("photo.jpg")
    np.save("features.npy", noise(2, 12, 12, 5))
    (here.folder / "photos").mkdir()
    Image.fromarray(noise(12, 20)).save("photos/gray.png")
    Image.fromarray(noise(20, 12, 3)).save("photos/colour.tiff")
    if command == "cenote demo":
        pytest.importorskip("sklearn", reason="scikit-learn is not installed: the demo has no digits to show")
    words = shlex.split(command)
    assert words[:2] == ["cenote", name]
    assert here(*words[1:]).worked().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nonsense", "no such command 'nonsense'"),
        ("--nonsense", "no such option"),
        ("pool --nonsense", "no such option"),
        ("pool", "missing argument"),
        ("shape", "missing argument"),
        ("pool a.png", "the window is missing; give --size 2"),
        ("pool a.png --size 2", "an input and an output are needed"),
        ("pool a.png b.png --size 2 --global", "--size and --global contradict each other"),
        ("pool a.png b.png --window 2 --adaptive 3", "--window and --adaptive contradict"),
        ("pool a.png b.png --window 3 --stride 2", "--stride cannot be added to --window"),
        ("pool a.png b.png --global --padding 1", "--padding belong to a sliding window"),
        ("pool a.png b.png --stride 2", "the window is missing"),
        ("pool a.png b.png --size 0", "size is at least 1, got 0"),
        ("pool a.png b.png --size -1", "--size '-1' cannot be read"),
        ("pool a.png b.png --size 2.5", "--size '2.5' cannot be read; write 3 or 3x2"),
        ("pool a.png b.png --size two", "--size 'two' cannot be read"),
        ("pool a.png b.png --size 2 --stride 0", "stride is at least 1, got 0"),
        ("pool a.png b.png --size 2 --padding -1", "--padding '-1' cannot be read"),
        ("pool a.png b.png --size 2 --padding reflect", "--padding 'reflect' cannot be read; write 1, 1x0, 0:1"),
        ("pool a.png b.png --size 2 --padding same --ceil", "joins a padding word and ^"),
        ("pool a.png b.png --size 2 --dilation 0", "dilation is at least 1, got 0"),
        ("pool a.png b.png --size 2 --padding 1x1x1", "padding has 3 entries for 1 axes"),
        ("pool a.png b.png --size 99999999999999999999", "beyond 2^63"),
        ("pool a.png b.png --adaptive 0", "parts is at least 1, got 0"),
        ("pool a.png b.png --window 3+", "cannot read the window '3+'"),
        ("pool a.png b.png --size 2 --op median", "--op median: no such operator; write one of max, min"),
        ("pool a.png b.png --size 2 --divisor padded", "--divisor is not for max; it is for avg"),
        ("pool a.png b.png --size 2 --op avg --divisor 0", "divisor is a finite number other than 0"),
        ("pool a.png b.png --size 2 --op avg --divisor all", "divisor 'all' is no divisor rule"),
        ("pool a.png b.png --size 2 --op lp --p 0", "p is greater than 0, got 0"),
        ("pool a.png b.png --size 2 --op lp --p nan", "p is greater than 0, got nan"),
        ("pool a.png b.png --size 2 --op lp --p two", "p is a number, got 'two'"),
        ("pool a.png b.png --size 2 --op avg --dtype object", "dtype object cannot be computed"),
        ("pool a.png b.png --size 2 --op avg --dtype flot", "dtype 'flot' is no dtype"),
        ("pool a.png b.png --size 2 --op avg --indices i.npy", "avg pooling picks no values"),
        ("pool a.png b.png --size 2 --max-pixels 0", "max-pixels"),
        ("shape 28x28", "missing argument"),
        ("shape 28,28 pool2", "'28,28' is no input shape"),
        ("shape 28x28 dense10", "'dense10' is no layer; write conv, pool, max"),
        ("shape 28x28 pool", "'pool' is no layer"),
        ("shape 28x28 pool0", "pool0: size is at least 1, got 0"),
        ("shape 28x28 conv30", "conv30: the output length of axis 0 would be -1"),
        ("shape 28x28 pool2+same^", "a word fixes the rounding"),
        ("shape 28x28 conv*", "a convolution has a kernel"),
        ("shape 28 pool3x3", "has 2 axes where 1 are pooled"),
        ("shape 28x28 pool2 --dialect mxnet", "--dialect mxnet: no such framework; write one of torch, keras"),
    ],
)
def test_usage_errors(here: Here, words: str, said: str) -> None:
    here(*words.split()).failed(2, said)
    assert here.names() == set()


def test_usage_error_of_a_process_is_one_line(tmp_path: Path) -> None:
    process("pool", "a.png", "b.png", "--size", "2.5", cwd=tmp_path).failed(2, "cenote pool: --size '2.5'")
    process("nonsense", cwd=tmp_path).failed(2, "no such command", "see cenote --help")


def test_missing_extra_says_what_to_install(tmp_path: Path) -> None:
    blocker = tmp_path / "blocked"
    blocker.mkdir()
    (blocker / "typer.py").write_text("raise ImportError('blocked', name='typer')\n")
    code = f"import sys; sys.path.insert(0, {str(blocker)!r}); from cenote.cli import main; sys.exit(main(['info']))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "cenote: the command line needs typer, which is not installed; run: pip install 'cenote[cli]'\n"
    )


def test_a_fault_of_our_own_is_one_line_too(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a\nb")

    monkeypatch.setattr(cenote, "info", broken)
    here("info").failed(1, "a fault of cenote itself (RuntimeError: a b)", "CENOTE_TRACEBACK=1")
    monkeypatch.setenv("CENOTE_TRACEBACK", "1")
    assert "Traceback" in here("info").err


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m cenote shape 28x28 {'conv3+1 ' * 2000} | head -n 1"
    done = subprocess.run(command, shell=True, env=environment(), cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_new_row_is_on_the_command_line(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    own = replace(OPS["lp"].parameters[0], name="strength", doc="How strong.", read=lambda who, value: float(value))
    row = replace(OPS["max"], name="loudest", summary="The loudest.", parameters=(*OPS["max"].parameters, own))
    monkeypatch.setitem(OPS, "loudest", row)
    out = unwrapped(here("pool", "--help").worked().out)
    assert "loudest" in out
    assert "--strength" in out
    assert "(loudest) How strong." in out
    assert "loudest" in here("shape", "--help").worked().out
    assert "14 x 14" in here("shape", "28x28", "loudest2").worked().out
    here("pool", "a.png", "b.png", "--size", "2", "--strength", "1").failed(
        2, "--strength is not for max; it is for loudest"
    )
