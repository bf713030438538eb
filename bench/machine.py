"""What the numbers were made on and with; nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

_CPU = Path("/sys/devices/system/cpu")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def processors() -> list[int]:
    """The processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def use_processors(threads: int) -> list[int]:
    """Bind the process to as many processors as threads, on different cores if it can: equal threads for everybody."""
    usable = processors()
    if threads >= len(usable) or not hasattr(os, "sched_setaffinity"):
        return usable
    cores: dict[str, int] = {}
    for number in usable:
        topology = _CPU / f"cpu{number}" / "topology"
        core = _read(topology / "physical_package_id") + "/" + (_read(topology / "core_id") or str(number))
        cores.setdefault(core, number)
    first = list(cores.values())
    chosen = (first + [number for number in usable if number not in first])[:threads]
    os.sched_setaffinity(0, chosen)
    return chosen


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+)([KMG]?)", text)
    return int(found[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[found[2]] if found else 0


def caches() -> dict[str, int]:
    """Bytes of L1d, L2 and L3 as one processor sees them."""
    found = {}
    for folder in sorted((_CPU / "cpu0" / "cache").glob("index*")):
        if _read(folder / "type") != "Instruction":
            found[f"L{_read(folder / 'level')}"] = _bytes(_read(folder / "size"))
    return found


def _model() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.processor() or platform.machine()


def _vectors() -> list[str]:
    flags = set(re.findall(r"^(?:flags|Features)\s*:\s*(.*)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)[:1])
    words = set(" ".join(flags).split())
    known = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "avx512_fp16")
    return [name for name in (*known, "asimd", "sve") if name in words]


def _memory() -> int:
    found = re.search(r"MemTotal:\s*(\d+) kB", _read(Path("/proc/meminfo")))
    return int(found[1]) << 10 if found else 0


def machine() -> dict[str, Any]:
    """Model, cores, caches, memory, governor, operating system."""
    return {
        "cpu": _model(),
        "architecture": platform.machine(),
        "vectors": _vectors(),
        "processors": len(processors()),
        "virtual": "hypervisor" in _read(Path("/proc/cpuinfo")),
        "caches": caches(),
        "memory": _memory(),
        "governor": _read(_CPU / "cpu0" / "cpufreq" / "scaling_governor") or "unknown",
        "huge_pages": _read(Path("/sys/kernel/mm/transparent_hugepage/enabled")),
        "system": f"{platform.system()} {platform.release()}",
        "libc": "-".join(platform.libc_ver()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
