"""Write the tables of docs/lab.md from the results of runs: python scripts/lab_page.py FOLDER...

Each run's results.json is kept beside the page (docs/lab/NAME/results.json), so that the tables can be made again:
python scripts/lab_page.py, without a folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cenote.lab import load_results
from cenote.lab.markdown import overview, section

ROOT = Path(__file__).resolve().parents[1]
PAGE, KEPT = ROOT / "docs" / "lab.md", ROOT / "docs" / "lab"
BEGIN, END = "<!-- results: begin -->\n", "<!-- results: end -->"


def page(text: str, folders: list[Path]) -> str:
    """The page with the tables of these runs between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    results = [load_results(folder) for folder in folders]
    parts = [overview(results), *map(section, results)] if results else []
    return before + BEGIN + "\n\n".join(parts) + "\n" + END + after


def _small(results: dict[str, Any]) -> dict[str, Any]:
    """Without the digits of a call's seconds that no clock has measured: they are half of the file."""
    for arm in results["arms"].values():
        arm["latency"] = {
            batch: [[round(seconds, 7) for seconds in calls] for calls in rounds]
            for batch, rounds in arm["latency"].items()
        }
    return results


def main(arguments: list[str]) -> None:
    for folder in map(Path, arguments):
        results = load_results(folder)
        kept = KEPT / str(results.data["name"]).replace(" ", "_")
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "results.json").write_text(json.dumps(_small(results.as_dict()), separators=(",", ":")) + "\n")
    folders = sorted(path.parent for path in KEPT.glob("*/results.json"))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), folders), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
