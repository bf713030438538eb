"""What cenote.jax needs before anything else: JAX, new enough, and the compiled handlers, made known to XLA."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Final

from ..native import get_num_threads, target

OLDEST: Final = (0, 5, 0)
_INSTALL: Final = "pip install 'cenote[jax]'"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def check_jax() -> None:
    """JAX and jaxlib of a version whose handlers are ours."""
    try:
        import jax
        import jaxlib
    except ImportError as error:
        raise ImportError(f"cenote.jax: JAX cannot be imported ({error}); {_INSTALL}") from error
    oldest = ".".join(map(str, OLDEST))
    for name, found in (("jax", jax.__version__), ("jaxlib", jaxlib.__version__)):
        if _version(found) < OLDEST:
            raise ImportError(f"cenote.jax: {name} is {found}, and {oldest} is the oldest that works; {_INSTALL}")


def load() -> None:
    """Register the handlers. Once per process: Python imports a module once."""
    check_jax()
    import jax

    try:
        _xla = import_module("._xla", __package__)
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}._xla":
            raise
        raise ImportError(
            "cenote.jax: this installation has no compiled handlers (cenote.jax._xla), because it was built without "
            "the headers of jaxlib; install a wheel, or build with "
            "pip install . -C cmake.define.CENOTE_XLA_INCLUDE=FOLDER, the include folder of jaxlib 0.5.0"
        ) from error
    _check_headers(Path(jax.ffi.include_dir()), _xla.api)
    for name, handler in _xla.handlers().items():
        jax.ffi.register_ffi_target(name, handler, platform="cpu")
    # A handler cannot ask Python: what the environment says is looked up now.
    get_num_threads()
    target()


def _check_headers(include: Path, ours: tuple[int, int]) -> None:
    """Handlers of a newer interface than jaxlib's own would stop its whole CPU backend, not only themselves."""
    try:
        text = (include / "xla" / "ffi" / "api" / "c_api.h").read_text()
    except OSError:
        return  # a jaxlib without its headers; its version has been looked at
    theirs = [re.search(rf"define XLA_FFI_API_{part} (\d+)", text) for part in ("MAJOR", "MINOR")]
    if None in theirs:
        return
    major, minor = (int(found[1]) for found in theirs if found is not None)
    if major != ours[0] or minor < ours[1]:
        raise ImportError(
            f"cenote.jax: its handlers speak version {ours[0]}.{ours[1]} of XLA's foreign function interface, this "
            f"jaxlib {major}.{minor}; install another jaxlib, or build cenote against the headers of jaxlib 0.5.0"
        )
