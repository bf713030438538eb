"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from . import explorer, table
from .adapters import peak
from .adapters.table import cases as all_cases
from .results import read, to_json


def parser() -> argparse.ArgumentParser:
    """Its words."""
    top = argparse.ArgumentParser(
        prog="python -m bench", description="Time cenote against other libraries and against the memory's own limit."
    )
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="time everything and write JSON (the default)")
    run.add_argument("--only", metavar="REGEX", default="", help="rows whose id has it, or whose group is it")
    run.add_argument("--quick", action="store_true", help="a few rows, fewer rounds: about three minutes")
    run.add_argument("--threads", type=int, default=2, metavar="N", help="for everybody (default 2)")
    run.add_argument("--peers", metavar="REGEX", default="", help="peers whose name matches")
    run.add_argument("--seed", type=int, default=1, help="of the data and of the order of turns")
    run.add_argument("--out", type=Path, default=Path("build/bench/benchmarks.json"), metavar="FILE.json")
    run.add_argument("--list", action="store_true", help="print the rows and stop")
    report = commands.add_parser("report", help="write docs/benchmarks.md and its chart from JSON")
    report.add_argument("file", type=Path)
    report.add_argument("--docs", type=Path, default=Path("docs"), help="folder to write to")
    compare = commands.add_parser("compare", help="judge two runs by ratios to a peer in the same run")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    compare.add_argument("--peer", default="stream", help="stream (the default), or a column such as torch")
    compare.add_argument("--least", type=float, default=0.05, help="smallest slow-down that counts (0.05: 5 %%)")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given.insert(0, "run")
    chosen = parser().parse_args(given)
    return {"run": _run, "report": _report, "compare": _compare}[chosen.command](chosen)


def _run(chosen: argparse.Namespace) -> int:
    wanted = re.compile(chosen.only)
    rows = [row for row in table.workloads() if wanted.search(row.id) or wanted.fullmatch(row.group)]
    cases = [case for case in all_cases() if wanted.search(case.id) or wanted.fullmatch(case.group)]
    networks = [network for network in peak.MEASURED if wanted.search(peak.name(network))]
    pages = explorer.cases(lambda case: wanted.search(case.id) is not None)
    if chosen.quick:
        rows, cases = [row for row in rows if row.quick], [case for case in cases if case.quick]
        networks = networks[:1]
    if chosen.list:
        names = [*(row.id for row in rows), *(case.id for case in cases), *map(peak.name, networks)]
        print(*names, *(page.id for page in pages), sep="\n")
        return 0
    anything = rows or cases or networks or pages
    if not anything or chosen.threads < 1:
        print("bench: --threads is at least 1" if anything else "bench: no row matches", file=sys.stderr)
        return 2
    from . import run
    from .adapters import run as inside
    from .peers import peers

    def say(text: str) -> None:
        print(text, flush=True)

    among = re.compile(chosen.peers)
    candidates = [peer for peer in peers() if rows and among.search(peer.name)]
    found = run.assemble(chosen.threads, candidates, say)
    done = run.run(rows, found, run.QUICK if chosen.quick else run.FULL, chosen.seed, say)
    if cases or networks:
        done = inside.added(done, cases, networks, inside.QUICK if chosen.quick else inside.FULL, say)
    if pages:
        done = explorer.added(done, pages, explorer.QUICK_RUNS if chosen.quick else explorer.RUNS, say)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(to_json(done), encoding="utf-8")
    count = len(rows) + len(cases) + len(networks) + len(pages)
    say(f"{count} rows in {done.settings['seconds']:.0f} s, written to {chosen.out}")
    return 0


def _report(chosen: argparse.Namespace) -> int:
    from .report import write

    for path in write(read(chosen.file), chosen.docs):
        print(f"written: {path}")
    return 0


def _compare(chosen: argparse.Namespace) -> int:
    from .compare import compare

    outcome = compare(read(chosen.old), read(chosen.new), chosen.peer, chosen.least)
    print(outcome.text())
    return 1 if outcome.slower else 0
