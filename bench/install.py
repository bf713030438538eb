"""Install the peers into the running interpreter's environment, and name those that cannot be had.

``python bench/install.py``. PyTorch is installed by the Makefile, which knows where its CPU build comes from. Runs
before anything else is installed, so it needs the standard library alone.
"""

from __future__ import annotations

import subprocess
import sys

# The versions that answered the documented results; a patch release of the same line may take their place.
PEERS = {
    "JAX": ("jax==0.10.*", "jaxlib==0.10.*"),
    "Flax": ("flax==0.12.*",),
    "ONNX Runtime": ("onnxruntime==1.31.*", "onnx>=1.19,<2"),
    "OpenVINO": ("openvino==2026.4.*",),
    "TensorFlow": ("tensorflow-cpu==2.21.*",),
    "OpenCV": ("opencv-python-headless>=4.12",),
    "SciPy": ("scipy==1.17.*",),
    "scikit-image": ("scikit-image>=0.26",),
    "tinybrain": ("tinybrain==1.7.*",),
    "bfloat16 arrays": ("ml_dtypes>=0.5",),
    "the chart": ("matplotlib>=3.10",),
    "the explorer's page": ("playwright>=1.49",),
}


def install(specs: list[str]) -> bool:
    """One resolution of everything asked for, so that a later peer cannot break an earlier one."""
    command = [sys.executable, "-m", "pip", "install", "-q", *specs]
    return subprocess.run(command, check=False).returncode == 0


def main() -> int:
    """Everything at once; if that fails, one peer after the other, each together with those that are in."""
    if install([spec for specs in PEERS.values() for spec in specs]):
        print("peers installed:", ", ".join(PEERS))
        return 0
    accepted: list[str] = []
    for name, specs in PEERS.items():
        if install([*accepted, *specs]):
            accepted += specs
        else:
            print(f"*** {name} ({' '.join(specs)}) could not be installed and is left out ***")
    return 0  # a missing peer is named again in the results; it does not stop the others


if __name__ == "__main__":
    sys.exit(main())
