"""A page as a notebook shows it: in a frame that may run its own scripts and reach nothing, or as a picture, or text.

Notebooks that are not trusted, and pages made of notebooks, take scripts and frames away: then the picture is shown.
"""

from __future__ import annotations

import base64
import html
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.errors import CenoteError

from . import compiled

if TYPE_CHECKING:
    from .exploration import Exploration

#: Scripts run in an origin of their own: allow-same-origin would let them read the notebook and its cookies.
SANDBOX: Final = "allow-scripts allow-downloads"
#: Pixels: the controls and both grids without scrolling, on a usual screen.
HEIGHT: Final = 760

_SMALL: Final = 64  # cells that text still shows


def bundle(exploration: Exploration) -> dict[str, str]:
    """The page as a frame, as a picture and as text, by media type: a notebook shows the richest that it dares to.

    The picture in pixels needs Pillow and is left out without it; the drawn one needs nothing. Of a state that the page
    alone computes, an image behind a filter, there is neither.
    """
    try:
        drawn = exploration.svg()
    except CenoteError:  # a state that only the page computes: a filter goes before the pooling
        drawn = None
    found = {
        "text/html": frame(exploration.html(), title=exploration.title, drawn=drawn),
        "text/plain": text(exploration),
    }
    if drawn is not None:
        found["image/svg+xml"] = drawn
        if find_spec("PIL") is not None:
            found["image/png"] = _base64(exploration.png())
    return found


def frame(document: str, *, title: str, drawn: str | None) -> str:
    """An ``iframe`` that holds the whole document. Sizes are attributes, for a notebook's policy may forbid styles.

    A notebook that is not trusted still prefers HTML, takes frames out of it and shows what is left: so the picture
    stands there too, in ``noscript``, which such cleaning opens and a browser that runs scripts does not show.
    """
    named = html.escape(title)
    address = f"data:image/svg+xml;base64,{_base64((drawn or '').encode())}"
    picture = f'<noscript><img src="{address}" alt="{named}"></noscript>' if drawn else ""
    return (
        f'<iframe srcdoc="{html.escape(document)}" sandbox="{SANDBOX}" title="{named}" '
        f'width="100%" height="{HEIGHT}" frameborder="0" loading="lazy"></iframe>'
        f"{picture}"
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def text(exploration: Exploration) -> str:
    """The call and its shapes; of small arrays the numbers too, as the compiled core computes them."""
    about = str(exploration)
    try:
        given = compiled.cells_of(exploration.state)
        made, _ = compiled.pooled(exploration.state)
    except CenoteError:  # a state that only the page computes: a filter goes before the pooling
        return about
    if max(given.size, made.size) > _SMALL:
        return about
    return f"{about}\n\n{_numbers(given)}\n\n{_numbers(made)}"


def _numbers(array: NDArray[Any]) -> str:
    return np.array2string(array, precision=4, suppress_small=False, floatmode="maxprec", threshold=_SMALL + 1)
