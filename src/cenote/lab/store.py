"""The folder of an experiment. Every file gets its name when it is whole: a process that is killed leaves no half.

``settings.json`` says what the experiment is, ``runs/ARM-SEED.json`` holds one training each, ``latency.json`` the
times, ``models/ARM.keras`` the network of the first seed, ``results.json`` everything together.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, Self

from ..errors import CenoteError, bad
from .results import FILE, Run, latency_of, run_as_dict, run_of

SETTINGS: Final = "settings.json"
_LATENCY: Final = "latency.json"
_LOCK: Final = ".lock"
_RUNS: Final = "runs"
_MODELS: Final = "models"
_TEMPORARY: Final = ".part-"
_UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, AttributeError)


class StoreError(CenoteError):
    """The folder cannot be used; nothing in it was changed."""


def _refused(problem: str, way_out: str) -> StoreError:
    return StoreError(str(bad("lab", problem, way_out)))


class Store:
    """A folder that is ready: made by ``prepare``, and this process's alone until ``close``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another run have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @classmethod
    def prepare(cls, folder: Path, settings: Mapping[str, Any], *, resume: bool, needed: int) -> Store:
        """Make the folder, or go on in it; ``needed`` is how many bytes will be written, about.

        Raises ``StoreError`` before anything is trained: the folder holds something else, another experiment or this
        one without ``resume``; it cannot be written to; or the disk has no room.
        """
        store = cls(folder)
        there = store._settings()
        if there is None and folder.exists() and (not folder.is_dir() or store._strangers()):
            raise _refused(f"{folder} holds other things", "name a folder that is new or empty with --out")
        if there is not None:
            if not resume:
                raise _refused(f"{folder} holds an experiment already", "go on with --resume, or name another --out")
            different = differences(there, settings)
            if different:
                raise _refused(
                    f"{folder} is of other settings ({'; '.join(different)})", "use its settings, or another --out"
                )
        store._room(needed)
        for name in (_RUNS, _MODELS):
            _disk(folder, lambda name=name: (folder / name).mkdir(parents=True, exist_ok=True))  # type: ignore[misc]
        store._alone()
        try:
            if store._settings() != there:  # before the lock was ours
                raise _refused(f"another run began in {folder} at the same moment", "wait for it, then look again")
            for left in folder.rglob(f"{_TEMPORARY}*"):  # of a process that was killed
                _disk(left, lambda left=left: left.unlink(missing_ok=True))  # type: ignore[misc]
            if there is None:
                store.write_json(SETTINGS, settings)
        except BaseException:
            store.close()
            raise
        return store

    def _strangers(self) -> bool:
        """Whether the folder holds what a run that was killed in its first moment would not have left there.

        Folders called runs and models are not ours by their names: they hold nothing before there are settings.
        """
        found = [path for path in self.folder.iterdir() if path.name != _LOCK]
        own = [path for path in found if path.name in (_RUNS, _MODELS) and path.is_dir()]
        found = [*(path for path in found if path not in own), *(inner for path in own for inner in path.iterdir())]
        return any(not path.name.startswith(_TEMPORARY) for path in found)

    def _settings(self) -> dict[str, Any] | None:
        path = self.folder / SETTINGS
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise _refused(f"{path} cannot be read ({error})", "name another folder with --out") from error
        if not isinstance(found, dict):
            raise _refused(f"{path} holds no settings", "name another folder with --out")
        return found

    def _room(self, needed: int) -> None:
        place = self.folder
        while not place.exists():
            place = place.parent
        for part in (place, self.folder / _RUNS, self.folder / _MODELS):
            if part.exists() and not os.access(part, os.W_OK | os.X_OK):
                raise _refused(f"{part} cannot be written to", "name another folder with --out")
        free = shutil.disk_usage(place).free
        if free < needed:
            raise _refused(
                f"{place} has {free >> 20} MB left, about {needed >> 20} MB are needed",
                "make room, or name another --out",
            )

    def _alone(self) -> None:
        """Two runs in one folder would train the same twice; a lock goes with its process, however that ends."""
        try:
            import fcntl
        except ImportError:  # a system without such locks
            return
        _disk(self.folder, self._open_lock)
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise _refused(f"another run is at work in {self.folder}", "wait for it, or name another --out") from None
        except OSError as error:  # some network disks know no locks
            self.close()
            said = error.strerror or error
            raise _refused(f"{self.folder} cannot be locked ({said})", "name a folder on a local disk") from error

    def _open_lock(self) -> None:
        self._lock = (self.folder / _LOCK).open("wb")

    # --- what is written ---

    def save_run(self, arm: str, run: Run) -> None:
        """One finished training."""
        self.write_json(f"{_RUNS}/{slug(arm)}-{run.seed}.json", {"arm": arm, **run_as_dict(run)})

    def save_latency(self, found: Mapping[str, Any]) -> None:
        """All arms at once, for they were measured together."""
        self.write_json(_LATENCY, found)

    def save_results(self, results: Mapping[str, Any]) -> None:
        """Everything together."""
        self.write_json(FILE, results)

    def save_model(self, arm: str, save: Callable[[Path], None]) -> None:
        """``save`` writes to the path it is given."""
        self._write(self.model_path(arm), save)

    def write_json(self, name: str, value: Any) -> None:
        """A JSON file."""
        self.write(name, json.dumps(value, indent=1, default=_plain, allow_nan=False).encode())

    def write(self, name: str, content: bytes) -> None:
        """A file of the folder."""
        self._write(self.folder / name, lambda path: _synced(path, content))

    def _write(self, path: Path, save: Callable[[Path], None]) -> None:
        def whole() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Keras insists on the ending of a file's name.
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY, suffix=path.suffix)
            os.close(handle)
            temporary = Path(name)
            try:
                save(temporary)
                os.chmod(temporary, 0o666 & ~_umask())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

        _disk(path, whole)

    # --- what is there ---

    def runs(self) -> dict[str, dict[int, Run]]:
        """Finished trainings by arm and seed."""
        found: dict[str, dict[int, Run]] = {}
        for path in sorted((self.folder / _RUNS).glob("*.json")):
            try:
                value = json.loads(path.read_text(encoding="utf-8"))
                run = run_of(value)
            except _UNREADABLE as error:
                raise _refused(f"{path} cannot be read ({error!r})", "remove it: it is trained again") from error
            found.setdefault(value["arm"], {})[run.seed] = run
        return found

    def latency(self) -> dict[str, dict[int, tuple[tuple[float, ...], ...]]] | None:
        """Times by arm, if they were measured."""
        path = self.folder / _LATENCY
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            return {arm: latency_of(rounds) for arm, rounds in value.items()}
        except FileNotFoundError:
            return None
        except _UNREADABLE as error:
            raise _refused(f"{path} cannot be read ({error!r})", "remove it: it is measured again") from error

    def model_path(self, arm: str) -> Path:
        """Where the network of an arm's first seed is."""
        return self.folder / _MODELS / f"{slug(arm)}.keras"


def slug(arm: str) -> str:
    """An arm as a file's name: no arm has an underscore where another has a slash.

    >>> slug("max-3/2-same")
    'max-3_2-same'
    """
    return arm.replace("/", "_")


def differences(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What two settings do not share, in words."""
    wanted = json.loads(json.dumps(wanted, default=_plain))
    found = []
    for name in (*there, *(name for name in wanted if name not in there)):
        a, b = there.get(name), wanted.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            found += [f"{name}.{said}" for said in differences(a, b)]
        elif a != b:
            found.append(f"{name}: {_short(a, b)} there, {_short(b, a)} here")
    return found


def _short(value: Any, other: Any) -> str:
    """A long text is cut to where the two part."""
    text, length = str(value), 54
    if len(text) <= length + 6:
        return text
    same = next((i for i, (a, b) in enumerate(zip(text, str(other), strict=False)) if a != b), length)
    at = max(0, min(same - 10, len(text) - length))
    return "..." * (at > 0) + text[at : at + length] + "..." * (at + length < len(text))


def _plain(value: Any) -> Any:
    """NumPy's numbers, paths and tuples."""
    return value.item() if hasattr(value, "item") else str(value)


def _synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def _disk(path: Path, action: Callable[[], None]) -> None:
    try:
        action()
    except OSError as error:
        raise _refused(
            f"{path} cannot be written ({error.strerror or error})", "make room, then go on with --resume"
        ) from error
