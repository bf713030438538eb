"""Print what pyproject.toml asks for, one requirement per line: ``requirements.py dev demo``.

A name is an extra, or ``build-system``. Extras that name other extras of this package are followed, and the
package itself is left out, so the printed list can be installed before there is anything to install it for.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(document: dict, name: str) -> list[str]:
    """What the extra ``name`` needs, the package's own dependencies not included."""
    if name == "build-system":
        return document["build-system"]["requires"]
    project = document["project"]
    found: list[str] = []
    for line in project["optional-dependencies"][name]:
        own = re.fullmatch(rf"{project['name']}\[(.+)\]", line)
        if own:
            for other in own[1].split(","):
                found += requirements(document, other.strip())
        else:
            found.append(line)
    return found


def main(names: list[str]) -> int:
    document = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    try:
        lists = [requirements(document, name) for name in names]
    except KeyError as missing:
        known = ", ".join(["build-system", *document["project"]["optional-dependencies"]])
        print(f"requirements.py: no extra {missing}; there are {known}", file=sys.stderr)
        return 2
    lines = document["project"]["dependencies"] + [line for lines in lists for line in lines]
    print(*dict.fromkeys(lines), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
