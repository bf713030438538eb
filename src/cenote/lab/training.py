"""Training one arm: compiled once, the weights made anew for every seed, the last epoch counts."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import bad
from .backend import load
from .datasets import Dataset

Array = NDArray[Any]
Build = Callable[[], Any]

#: Images a call when nothing is learned: the last call is filled up with empty ones, so no more than keeps cores busy.
BATCH: Final = 128


@dataclass(frozen=True, slots=True)
class Recipe:
    """How networks are trained: Adam on the cross-entropy, images in a new order in every epoch."""

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3


DEFAULT: Final = Recipe()


@dataclass(frozen=True, slots=True)
class Trained:
    """What one training gave; accuracies and losses are of the weights after the last epoch, without dropout."""

    losses: tuple[float, ...]
    """Mean loss of each epoch, as it was while the weights moved."""
    seconds_per_epoch: float
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


class Trainer:
    """One network, trained as often as one likes: what is compiled serves every seed."""

    def __init__(self, build: Build, data: Dataset, recipe: Recipe) -> None:
        self._keras = load()
        self._build, self._data, self._recipe = build, data, recipe
        with _seeded(0):
            self.model = build()
        self._logits = _gives_logits(self.model, data.x_train[:2])
        self.model.compile(
            optimizer=self._keras.optimizers.Adam(recipe.learning_rate),
            loss=self._keras.losses.SparseCategoricalCrossentropy(from_logits=self._logits),
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self._fresh_optimizer = [numbers(v).copy() for v in self.model.optimizer.variables]
        self._warm = False

    @property
    def batch_size(self) -> int:
        """As asked for, and no more than there are images."""
        return min(self._recipe.batch_size, len(self._data.x_train))

    def train(self, seed: int, tick: Callable[[int], None] = lambda epoch: None) -> Trained:
        """Fresh weights, all epochs, and a look at the result; ``tick`` is told of every epoch that is done."""
        data, size = self._data, self.batch_size
        if not self._warm:  # compiling is no part of an epoch
            self._fit(data.x_train[:size], data.y_train[:size])
            self._warm = True
        self._restart(seed)
        # Whole batches alone, for another size would be compiled anew; who is left out changes with every epoch.
        count = len(data.x_train) // size * size
        order, losses = np.random.default_rng(seed), []
        start = time.perf_counter()
        with _seeded(seed):
            for epoch in range(self._recipe.epochs):
                chosen = order.permutation(len(data.x_train))[:count]
                losses.append(self._fit(data.x_train[chosen], data.y_train[chosen]))
                tick(epoch)
        seconds = (time.perf_counter() - start) / self._recipe.epochs
        train, test = self.predict(data.x_train), self.predict(data.x_test)
        return Trained(
            tuple(losses),
            seconds,
            _loss(train, data.y_train),
            _accuracy(train, data.y_train),
            _loss(test, data.y_test),
            _accuracy(test, data.y_test),
        )

    def predict(self, x: Array) -> NDArray[np.float32]:
        """Probabilities, N x classes."""
        return probabilities(self.model, x, self._logits)

    def _fit(self, x: Array, y: Array) -> float:
        history = self.model.fit(x, y, batch_size=self.batch_size, epochs=1, shuffle=False, verbose=0)
        return float(history.history["loss"][-1])

    def _restart(self, seed: int) -> None:
        with _seeded(seed):
            fresh = self._build()
        # All of its state, dropout's generators too, goes into the network that is compiled already.
        for variable, value in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(value)
        for variable, start in zip(self.model.optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(start)


def probabilities(model: Any, x: Array, logits: bool | None = None) -> NDArray[np.float32]:
    """What a network says of images, N x classes, each row with the sum 1."""
    if logits is None:
        logits = _gives_logits(model, x[:2])
    found = []
    for start in range(0, len(x), BATCH):
        part = x[start : start + BATCH]
        whole = part if len(x) < BATCH else _padded(part)  # one size, so that it is compiled once
        found.append(numbers(model.predict_on_batch(whole))[: len(part)])
    said: NDArray[np.float32] = np.concatenate(found).astype(np.float32)
    if logits:
        said = np.exp(said - said.max(axis=1, keepdims=True))
        said /= said.sum(axis=1, keepdims=True)
    return said


def numbers(tensor: Any) -> Array:
    """A tensor or variable of whichever backend, as an array; it may share the tensor's memory."""
    return np.asarray(load().ops.convert_to_numpy(tensor))


def _padded(x: Array) -> Array:
    return np.concatenate([x, np.zeros((BATCH - len(x), *x.shape[1:]), x.dtype)])


def check(name: str, model: Any) -> None:
    """Refuse a network that answers yes or no class by class: read as one class of several it would be read wrongly."""
    keras, last = load(), model
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    if getattr(last, "activation", None) is keras.activations.sigmoid or model.output_shape[-1] < 2:
        raise bad(
            "lab",
            f"{name}: ends in a sigmoid or in one number, where one class of several is asked for",
            "end it with one number per class, and softmax or no activation",
        )


def _gives_logits(model: Any, x: Array) -> bool:
    """Whether softmax is still to come.

    It shows in the last layer, or in the answers: softmax may be inside another model, or have something behind it.
    """
    keras, last = load(), model.layers[-1]
    if isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax:
        return False
    said = numbers(model(x, training=False)).astype(np.float64)
    # Half precision is off by a few thousandths; logits of two images that add up to 1 by chance are nobody's.
    return not ((said >= 0).all() and np.allclose(said.sum(axis=-1), 1, atol=0.01))


def _accuracy(said: Array, truth: Array) -> float:
    return float(np.mean(said.argmax(axis=1) == truth))


def _loss(said: Array, truth: Array) -> float:
    of_truth = said[np.arange(len(truth)), truth].astype(np.float64)
    return float(np.mean(-np.log(np.maximum(of_truth, 1e-7))))


@contextmanager
def untouched() -> Iterator[None]:
    """Python's, NumPy's and PyTorch's own generators are the user's and go on as if nothing had been."""
    python, numpy = random.getstate(), np.random.get_state()
    torch = sys.modules["torch"] if load().backend.backend() == "torch" else None
    theirs = None if torch is None else torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if torch is not None:
            torch.set_rng_state(theirs)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Keras draws by this seed."""
    with untouched():
        load().utils.set_random_seed(seed)
        yield
