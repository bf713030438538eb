"""The command line: `cenote pool`, `shape`, `demo` and `info`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 (failed), 2 (usage) or 130 (interrupted)."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args == ["--version"]:  # answered before anything is loaded for it
        from cenote import __version__

        print(f"cenote {__version__}")
        return 0
    try:
        import PIL.Image  # noqa: F401
        import rich.console  # noqa: F401
        import typer  # noqa: F401
    except ImportError as error:
        missing = error.name or str(error)
        print(
            f"cenote: the command line needs {missing}, which is not installed; run: pip install 'cenote[cli]'",
            file=sys.stderr,
        )
        return 1
    from .app import run

    return run(args)
