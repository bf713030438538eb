"""Python in a fresh process: what an import loads, what a changed copy of the package does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def python(code: str, *, first: Path | None = None, cwd: Path | None = None) -> str:
    """Standard output of `code`, run where `import cenote` finds what it finds here, or `first` before that."""
    paths = [str(first)] if first else []
    paths += [os.path.abspath(path) for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
