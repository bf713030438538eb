"""The page about the command line: every command on it runs, and prints what it says there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli_process import Here, noise

PAGE = Path(__file__).parents[1] / "docs" / "command_line.md"


def sessions() -> Iterator[tuple[str, str]]:
    """(command, output) in the page's order."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def settled(text: str) -> str:
    """Without what differs from run to run: times, speeds, widths of the columns that hold them, sizes of pages."""
    text = re.sub(r"[\d.e+]+ (ns|µs|us|ms|s)\b", "TIME", text)
    text = re.sub(r"[\d.]+ [GMk]?(pixels|values)/s", "SPEED", text)
    text = re.sub(r"at most [\d.e-]+", "at most SO MUCH", text)
    text = re.sub(r"\(\d+ KB\)", "(SIZE)", text)
    return "\n".join(" ".join(re.sub("─+", "-", line).split()) for line in text.strip().splitlines())


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: the demo on the page cannot run")
    monkeypatch.chdir(tmp_path)
    here = Here(tmp_path, capsys)
    Image.fromarray(noise(427, 640, 3)).save("photo.jpg")
    Path("photos").mkdir()
    Image.fromarray(noise(427, 640, 3)).save("photos/summer.jpg")
    Image.fromarray(noise(200, 300, 3)).save("photos/detail.png")
    Image.fromarray(noise(427, 640)).save("photos/gray.webp")
    np.save("features.npy", noise(2, 12, 12, 5))
    found = list(sessions())
    assert len(found) >= 10
    for command, output in found:
        ran = here(*shlex.split(command)[1:])
        assert settled(ran.out + ran.err) == settled(output), command
