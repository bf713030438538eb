"""The built code: instructions of newer processors stand in the functions of their own target and nowhere else.

A function that several files share (a template of the standard library, say) is kept once by the linker, from whichever
file comes first. Compiled for AVX2 by accident, it ends processes on older processors, in code that has nothing to do
with targets. No test that runs on a newer processor would notice.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from cenote.native import _core

ROOT = Path(__file__).resolve().parent.parent
X86 = sys.platform == "linux" and platform.machine() == "x86_64"
pytestmark = pytest.mark.skipif(not X86, reason="AVX is a matter of x86-64, and this reads ELF files")

# By target: the widest registers, and whether EVEX encoding (AVX-512) is allowed.
WIDEST = {"avx2": "%ymm", "avx512": "%zmm"}
EVEX_ALLOWED = {"avx2": False, "avx512": True}
LEAST = 10_000  # instructions on the widest registers; each target has about ten times as many

# Inside the target's region all is in an unnamed namespace, which no other file can share. What stands outside of it,
# the question whether the processor is new enough above all, runs on every processor.
# Names are read as the compiler wrote them: in plain words the whole listing would be three times as long.
OWN = re.compile(r"(?<!\d)6cenote(?:4(avx2)|6(avx512))12_GLOBAL__N_1")
FUNCTION = re.compile(r"[0-9a-f]+ <(.*)>:\n?")
BEFORE_OPCODE = frozenset({"26", "2e", "36", "3e", "64", "65", "67"})  # may precede VEX and EVEX
VEX, EVEX = frozenset({"c4", "c5"}), "62"  # in 64-bit code these bytes begin nothing else


@dataclass
class Findings:
    """What a disassembly showed."""

    faults: list[str] = field(default_factory=list)
    functions: Counter[str] = field(default_factory=Counter)  # by target; "" is code for every processor
    widest: Counter[str] = field(default_factory=Counter)  # by target: instructions on its widest registers


def cannot(reason: str) -> NoReturn:
    """Skip, but not where nobody would read that."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (with CI set this is a failure)")
    pytest.skip(reason)


def tool(name: str) -> str:
    return shutil.which(name) or cannot(f"{name} is missing: install binutils to check the built code")


def encoding(code: str) -> str:
    first = code[:2]
    if first in BEFORE_OPCODE:
        first = next((byte for byte in code.split() if byte not in BEFORE_OPCODE), "")
    return "VEX" if first in VEX else "EVEX" if first == EVEX else ""


def disassembled(path: Path) -> Iterator[str]:
    command = [tool("objdump"), "--disassemble", "--insn-width=16", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        yield from run.stdout
    assert run.returncode == 0, shlex.join(command)


def in_plain_words(lines: list[str]) -> list[str]:
    said = subprocess.run([tool("c++filt")], input="\n".join(lines), capture_output=True, text=True, check=True).stdout
    return said.splitlines()


def examine(path: Path) -> Findings:
    found = Findings()
    function = target = ""
    for line in disassembled(path):
        if not line.startswith(" ") and (head := FUNCTION.fullmatch(line)) is not None:
            function = head[1]
            own = OWN.search(function)
            target = own[own.lastindex] if own else ""
            found.functions[target] += 1
            continue
        parts = line.rstrip("\n").split("\t")
        if len(parts) < 3:
            continue
        coded, instruction = encoding(parts[1]), parts[2]
        if target and WIDEST[target] in instruction:
            found.widest[target] += 1
        if coded and (not target or (coded == "EVEX" and not EVEX_ALLOWED[target])):
            found.faults.append(f"{function}: {instruction.strip()} ({coded})")
    found.faults = in_plain_words(found.faults)
    return found


def machine_code(path: Path, folder: Path) -> bytes:
    """The bytes of all functions, the same before and after the symbols are stripped."""
    out = folder / "code"
    subprocess.run([tool("objcopy"), "-O", "binary", "--only-section=.text", str(path), str(out)], check=True)
    return out.read_bytes()


def names_functions(path: Path) -> bool:
    run = subprocess.run([tool("objdump"), "--syms", str(path)], capture_output=True, text=True, check=True)
    return "SYMBOL TABLE:\nno symbols" not in run.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """The installed extension, read in the copy that has symbols still: the build folder's, of equal machine code."""
    folder = tmp_path_factory.mktemp("code")
    installed = Path(_core.__file__)
    wanted = machine_code(installed, folder)
    for path in (installed, *sorted(ROOT.glob(f"build/*/{installed.name}"))):
        if names_functions(path) and machine_code(path, folder) == wanted:
            return examine(path)
    cannot(f"{installed.name} has no symbols and is not what a folder in build/ holds: `make test` builds both")


def test_nothing_leaks(built: Findings) -> None:
    assert built.functions[""] > 100
    assert not built.faults, f"{len(built.faults)} instructions, among them\n" + "\n".join(built.faults[:20])


def test_targets_use_their_registers(built: Findings) -> None:
    assert {*_core.targets(usable=False)} == {"baseline", *WIDEST}
    for target in WIDEST:
        assert built.functions[target] > 100
        assert built.widest[target] > LEAST


LOOP = "void work(float* p, int n) { for (int i = 0; i < n; ++i) p[i] = p[i] * 3 + 1; }"
INNOCENT = f"""
namespace cenote {{
{LOOP}
namespace avx2 {{ namespace {{ __attribute__((target("avx2"))) {LOOP} }} void (*use)(float*, int) = work; }}
namespace avx512 {{ namespace {{ __attribute__((target("avx512f"))) {LOOP} }} void (*use)(float*, int) = work; }}
}}
"""
LEAKS = {
    # what a header included inside a target's region would be
    "a shared template": (
        f'template <class T> __attribute__((target("avx2"), noinline)) {LOOP.replace("float", "T")}\n'
        "namespace cenote::avx2 { void run(float* p) { work<float>(p, 9); } }",
        "void work<float>",
    ),
    # what asks for the processor must run on every processor
    "outside the unnamed namespace": (
        f'namespace cenote::avx2 {{ __attribute__((target("avx2"))) {LOOP} }}',
        "cenote::avx2::work",
    ),
    "AVX-512 in AVX2": (
        f'namespace cenote::avx2 {{ namespace {{ __attribute__((target("avx512f,avx512vl"))) {LOOP} }}'
        " void (*use)(float*, int) = work; }",
        "cenote::avx2::(anonymous namespace)::work",
    ),
}


def compiled(source: str, folder: Path) -> Path:
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    if shutil.which(compiler[0]) is None:
        cannot(f"{compiler[0]} is missing: it would compile what must be caught")
    path = folder / "object.o"
    command = [*compiler, "-x", "c++", "-std=c++17", "-O3", "-mprefer-vector-width=512", "-c", "-o", str(path), "-"]
    subprocess.run(command, input=source, text=True, check=True)
    return path


def test_innocent_object(tmp_path: Path) -> None:
    found = examine(compiled(INNOCENT, tmp_path))
    assert found.faults == []
    assert found.widest["avx2"] > 0
    assert found.widest["avx512"] > 0


@pytest.mark.parametrize("kind", LEAKS)
def test_leak_is_caught(kind: str, tmp_path: Path) -> None:
    source, function = LEAKS[kind]
    found = examine(compiled(source, tmp_path))
    assert found.faults
    assert all(fault.startswith(function) for fault in found.faults)
