"""Results as a section of a page in Markdown: what docs/lab.md shows."""

from __future__ import annotations

from collections.abc import Sequence

from .claims import CLAIMS, Ruling
from .digest import results_table
from .report.view import ResultsView
from .results import Results

_HEADS = {
    Ruling.SUPPORTED: "Supported",
    Ruling.NOT_SUPPORTED: "Not supported",
    Ruling.UNDECIDED: "Undecided",
}


def section(results: Results) -> str:
    """A heading, how it was run, the table of arms, and the claims by what the numbers say of them."""
    data, about, settings = results.data, results.environment, results.settings
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items() if name != "backend")
    parts = [
        f"### {data['name']}, network `{settings['model']}`",
        f"{data['note']}: {data['train']:,} images to train, {data['test']:,} to test; {settings['epochs']} epochs, "
        f"{len(results.seeds)} seeds. {about['cpu']}, {about['cores']} cores; {versions}.{_beside(results)}",
        f"```\n{about['command']}\n```" if about.get("command") else "",
        _table(results),
        *_claims(results),
    ]
    left_out = [f"- `{arm.name}`: {arm.reason}" for arm in results.arms.values() if arm.reason is not None]
    return "\n\n".join([*(part for part in parts if part), *(["Left out:", "\n".join(left_out)] if left_out else [])])


def overview(several: Sequence[Results]) -> str:
    """Every claim with what each of the results says of it."""
    found = [{one.claim.name: one for one in ResultsView(results).verdicts()} for results in several]
    heads = ["claim", *(str(results.data["name"]) for results in several)]
    rows = [
        [claim.sentence, *(of[claim.name].verdict.value if claim.name in of else "-" for of in found)]
        for claim in CLAIMS
        if any(claim.name in of for of in found)
    ]
    return "\n".join(_line(cells) for cells in (heads, ["---"] * len(heads), *rows))


def _beside(results: Results) -> str:
    jobs = max((run.jobs for arm in results.arms.values() for run in arm.runs.values()), default=1)
    return f" {jobs} trainings ran side by side, so seconds an epoch are not those of one alone." if jobs > 1 else ""


def _table(results: Results) -> str:
    titles, rows, right = results_table(results)
    rule = ["---:" if title in right else "---" for title in titles]
    return "\n".join(_line(cells) for cells in (titles, rule, *rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _claims(results: Results) -> list[str]:
    found = ResultsView(results).verdicts()
    parts = []
    for ruling, head in _HEADS.items():
        lines = [
            f"- {one.claim.sentence} ({one.claim.source}) {one.sentence}" for one in found if one.verdict is ruling
        ]
        if lines:
            parts += [f"**{head}**", "\n".join(lines)]
    return parts
