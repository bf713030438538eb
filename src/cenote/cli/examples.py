"""The examples that ``--help`` prints; the tests run every one of them."""

from __future__ import annotations

from typing import Final

POOL: Final = (
    ("cenote pool photo.jpg small.png --size 2", "halve a photograph, brightest value of each 2x2"),
    ("cenote pool photo.jpg edges.png --window 3x3/2+1", "size 3x3, stride 2, padding 1"),
    ("cenote pool photo.jpg mean.png --op avg --size 3 --stride 2 --padding same", "average"),
    ("cenote pool photo.jpg tiny.webp --adaptive 7x7 --op avg", "7x7 results whatever the size"),
    ("cenote pool photo.jpg one.npy --global --op avg", "one value per channel"),
    ("cenote pool photo.jpg values.npy --size 2 --indices where.npy", "and where each maximum was"),
    ("cenote pool features.npy pooled.npy --size 2 --axes NHWC", "an array, channels last"),
    ("cenote pool photos/ small/ --size 4 --op avg", "a folder into a folder"),
)
SHAPE: Final = (
    ("cenote shape 28x28 conv3 pool2", "28 -> 26 -> 13, the first layers of every MNIST tutorial"),
    ("cenote shape 20x20 conv3+same pool2", "20 -> 20 -> 10"),
    ("cenote shape 224x224 conv7/2+3 pool3/2+1 conv3+1", "the head of a ResNet"),
    ("cenote shape 13x13 pool2^ 'avg>3x3' 'avg*'", "rounding up, adaptive, global"),
    ("cenote shape 28x28 conv3 pool2 --dialect all", "the same words in five frameworks"),
    ("cenote shape 112x112 pool3/2+1 --dialect keras", "or in one"),
)
EXPLORE: Final = (
    ("cenote explore", "a 4x4 by hand, as cenote-explorer.html"),
    ("cenote explore photo.jpg --size 3 --stride 2 --padding same --out photo.html", "your own image"),
    ("cenote explore features.npy --op avg --size 3 --ceil --axes NHWC --out features.html", "an array"),
    ("cenote explore model.keras --input seven.png --out model.html", "what a network's pools keep"),
    ("cenote explore photo.jpg --size 3 --stride 2 --out window.gif", "a picture of the windows"),
    ("cenote explore photo.jpg --serve", "in the browser, on 127.0.0.1 alone"),
)
DEMO: Final = (
    ("cenote demo", "handwritten digits"),
    ("cenote demo --image photo.jpg --out pictures", "your own image"),
)
LAB_RUN: Final = (
    ("cenote lab run --arms none,max-2/2,avg-2/2 --seeds 3 --epochs 5", "handwritten digits, three arms"),
    ("cenote lab run --data mnist --out mnist", "MNIST by Keras's download, the full set of arms"),
    ("cenote lab run --data photos/ --input 32x32x3 --model model.py:build", "your own images and network"),
    ("cenote lab run --out mnist --data mnist --resume", "go on where it was stopped"),
)
LAB_REPORT: Final = (("cenote lab report mnist", "write the report anew"),)
LAB_SUMMARY: Final = (
    ("cenote lab summary tutorial", "20x20 -> 20x20 -> 10x10 -> 10x10"),
    ("cenote lab summary digits --arm none", "the same without pooling"),
    ("cenote lab summary model.keras --input 20x20x3", "a saved network"),
)
LAB_PREDICT: Final = (("cenote lab predict cenote-lab/models/max-2_2.keras seven.png", "class, probabilities, time"),)
INFO: Final = (("cenote info", "as a table"), ("cenote info --json", "for programs"))


def epilog(examples: tuple[tuple[str, str], ...]) -> str:
    """The examples as a paragraph that is not re-wrapped (which is what the backspace says)."""
    lines = [line for command, what in examples for line in (f"  {command}", f"      {what}")]
    return "\n".join(["\b", "Examples:", *lines])
