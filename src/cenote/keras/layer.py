"""The base of all layers: what makes a Keras layer of a pooling."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from ..errors import bad, bad_type
from . import backends, theirs
from .arguments import Pooling, Shape
from .kinds import Kind


class PoolingLayer(keras.layers.Layer):
    """Pools by the contract, on whatever backend Keras runs. ``kind`` says which layer it is."""

    kind: ClassVar[Kind]

    def _start(self, given: dict[str, Any], further: dict[str, Any]) -> None:
        """What ``__init__`` does; each class has one of its own for the sake of its signature."""
        pooling = Pooling.read(self.kind, given, keras.config.image_data_format())
        super().__init__(**({"name": given["name"], **further} if "name" in given else further))
        self.take(pooling)
        self.input_spec = keras.layers.InputSpec(ndim=self.kind.rank + 2)
        if self.kind.masks:
            self.supports_masking = True
        if type(self).build is keras.layers.Layer.build:  # Keras's own pooling layers are built when made, too
            self.built = True

    def take(self, pooling: Pooling) -> None:
        """Pool like this from now on."""
        self._pooling = pooling
        for name, value in pooling.config:
            super().__setattr__(name, value)
        unknown = (None,) * (self.kind.rank + 2)
        self._hosted = backends.hosted(pooling.request, self.compute_dtype, unknown)
        self._met = False
        self.supports_jit = self._hosted is None

    def __setattr__(self, name: str, value: Any) -> None:
        # Keras's layers look at their attributes at every call. Here an argument that is set later is read at once:
        # otherwise the layer would say one thing and do another.
        pooling: Pooling | None = self.__dict__.get("_pooling")
        if pooling is None or name not in pooling.parts:
            super().__setattr__(name, value)
        else:
            self.take(Pooling.read(self.kind, {**pooling.parts, name: value}, keras.config.image_data_format()))

    def call(self, inputs: Any) -> Any:
        """The pooled input."""
        return self._pooled(inputs)

    def _pooled(self, inputs: Any) -> Any:
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        request = self._pooling.request_for(dtype, self.compute_dtype)
        self._meet(dtype, inputs.shape)
        away = backends.elsewhere(inputs)
        if away is not None:
            return self._theirs(away)(inputs)
        result = backends.pool(request, inputs)
        return tuple(map(self._shown, result)) if request.words.select else self._shown(result)

    def _theirs(self, away: str) -> Any:
        """Keras's own layer, for tensors that cenote's kernels cannot reach."""
        unsaid = theirs.unsaid(self._pooling)
        if unsaid is not None:
            raise bad_type(type(self).__name__, f"{away}; {unsaid}", "move the input to the CPU")
        return theirs.made(self._pooling, self.name, self.dtype_policy)

    @property
    def pooling(self) -> Pooling:
        """What the layer was given, read."""
        return self._pooling

    def _shown(self, y: Any) -> Any:
        return y if self._pooling.keepdims else keras.ops.squeeze(y, self._pooling.request.axes)

    def _meet(self, dtype: str, shape: Any) -> None:
        """Note whether such input leaves the graph: Keras asks before it compiles, TensorFlow before it saves."""
        if backends.name() != "tensorflow":
            return
        hosted = backends.hosted(self._pooling.request_for(dtype, self.compute_dtype), dtype, tuple(shape))
        self._hosted = (self._hosted if self._met else None) or hosted
        self._met = True
        if hosted is not None and backends.is_exporting():
            self._check_export()
        self.supports_jit = self._hosted is None

    def _check_export(self) -> None:
        """What a new process could not run is refused before it is written."""
        if self._hosted is not None:
            raise bad(
                type(self).__name__,
                f"layer {self.name!r} cannot be exported: its result is computed by a call of Python, which the file "
                f"would keep by name only and a new process could not find ({self._hosted})",
                "use cenote.keras.restore(model) to have Keras's own layers back, or give a shape that TensorFlow's "
                "kernels take; see cenote.keras.explain(layer, shape)",
            )

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """The shape of the result; None for lengths that are not known."""
        shape = self._pooling.dropped(self._pooling.shape(tuple(input_shape)))
        return (shape, shape) if self._pooling.request.words.select else shape

    def compute_output_spec(self, inputs: Any, mask: Any = None) -> Any:
        """Shape and dtype of the result."""
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        self._meet(dtype, inputs.shape)
        shape = self._pooling.dropped(self._pooling.shape(tuple(inputs.shape)))
        values = keras.KerasTensor(shape, dtype=self._pooling.result(dtype, self.compute_dtype))
        if not self._pooling.request.words.select:
            return values
        return values, keras.KerasTensor(shape, dtype=backends.index_dtype())

    def get_config(self) -> dict[str, Any]:
        """Everything that ``__init__`` takes."""
        return {**super().get_config(), **self._pooling.parts}

    def __reduce__(self) -> Any:
        # Keras pickles a layer as its configuration, and knows our classes only once this package is there.
        function, arguments, *rest = super().__reduce__()
        return (restored, (function, *arguments), *rest)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Any:
        # TensorFlow asks every layer that it is about to write into a SavedModel, before it writes anything.
        if save_type == "savedmodel":
            self._check_export()
        return super()._trackable_children(save_type, **kwargs)


def restored(function: Any, *arguments: Any) -> Any:
    """What a pickle calls, here so that this package is imported first."""
    return function(*arguments)


class MaskedLayer(PoolingLayer):
    """An average over the time steps that a mask leaves."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The pooled input; steps where ``mask`` is False count as if they were not there."""
        if mask is None:
            return self._pooled(inputs)
        away = backends.elsewhere(inputs)
        if away is not None:
            return self._theirs(away)(inputs, mask=mask)
        ops = keras.ops
        (axis,) = self._pooling.request.axes
        mask = ops.cast(mask, "bool")
        self._check_mask(mask.shape, inputs.shape, axis)
        steps = ops.expand_dims(mask, -1 if axis == -2 else 1)
        kept = ops.where(steps, inputs, ops.zeros_like(inputs))  # not a product: NaN is left out, too
        if self._pooling.parts["divisor"] != "inside":
            return self._pooled(kept)
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        result = self._pooling.result(dtype, self.compute_dtype)
        wide = "float64" if "float64" in (dtype, result) else "float32"
        kept = ops.cast(kept, wide)
        total = backends.pool(self._pooling.totals(), kept)
        # A number of steps for every total: XLA divides by one number for a whole row as it likes, an ulp off.
        count = backends.pool(self._pooling.totals(), ops.where(steps, ops.ones_like(kept), ops.zeros_like(kept)))
        # A sequence without a step adds up to 0, and 0 / 1 is the contract's value of an empty window.
        return self._shown(ops.cast(total / ops.maximum(count, 1), result))

    def _check_mask(self, mask: Any, inputs: Any, axis: int) -> None:
        """A mask of another shape may fit by broadcasting, and mean something else."""
        if len(mask) != 2 or (None not in (mask[1], inputs[axis]) and mask[1] != inputs[axis]):
            raise bad(
                type(self).__name__,
                f"the mask has shape {tuple(mask)} for input of shape {tuple(inputs)}",
                "pass one bool for every step of every sequence: (batch, steps)",
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Steps are gone, and their mask with them."""
        return None
