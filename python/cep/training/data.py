"""The data of `cep.fit`: arrays, memory-mapped arrays, or an iterable of batches."""

from collections.abc import Iterable, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep._util import validation
from cep.datasets.splitting import stratified
from cep.network.network import Network
from cep.training.evaluation import is_batches
from cep.training.sources import ArraySource, Augment, BatchSource, IndexedBatches, Source


def source_of(
    net: Network,
    data: Any,
    *,
    batch_size: int,
    seed: int,
    validation_data: Any = None,
    augment: Augment | None = None,
    shuffle: bool = True,
) -> tuple[Source, Any]:
    """The source of the batches, and the validation data, which may be a part of the data.

    Raises
    ------
    TypeError, ValueError
        For data of the wrong type, shape or value.
    """
    batch_size = validation.count("batch_size", batch_size)
    if is_batches(data):
        return _of_batches(data, seed, validation_data, augment)
    x, y = validation.pair("data", data)
    fraction = _fraction(validation_data)
    if isinstance(x, np.memmap) and (fraction or x.dtype not in (np.float32, np.float64)):
        # Batches are read one by one, because a part would be copied and all of it converted.
        return _of_mapped(net, x, y, batch_size, seed, fraction, validation_data)
    if fraction is not None:
        x = validation.matrix("x", x, net.dtype, net.shapes[0])
        y = validation.targets(y, net.dtype)
        net._engine.check_samples(x, y)
        train, held_out = stratified(y, fraction, seed)
        validation_data = (x[held_out], y[held_out])
        x, y = x[train], y[train]
    source = ArraySource(net, x, y, batch_size, seed, augment)
    if not shuffle:
        everything = np.arange(source.samples)
        batches = IndexedBatches(source.inputs, source.targets, everything, source.batch_size)
        return (
            BatchSource(lambda epoch: batches, seed, source.samples, source.batches),
            checked_data(net, "validation_data", validation_data),
        )
    return source, checked_data(net, "validation_data", validation_data)


def _of_mapped(
    net: Network,
    x: NDArray[Any],
    y: Any,
    batch_size: int,
    seed: int,
    fraction: float | None,
    validation_data: Any,
) -> tuple[Source, Any]:
    y = validation.array_of("y", y)
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} samples, y has {len(y)}")
    train = np.arange(len(x))
    if fraction is not None:
        train, held_out = stratified(y, fraction, seed)
        validation_data = IndexedBatches(x, y, held_out, 1000)
    batches = IndexedBatches(x, y, train, min(batch_size, len(train)))
    source = BatchSource(
        lambda epoch: batches.shuffled(seed, epoch), seed, len(train), len(batches)
    )
    return source, checked_data(net, "validation_data", validation_data)


def _of_batches(
    data: Iterable[Any], seed: int, validation_data: Any, augment: Augment | None
) -> tuple[Source, Any]:
    if iter(data) is data:
        raise TypeError(
            "data must be (x, y), or batches that can be iterated in every epoch, got "
            f"{type(data).__name__}, which ends after the first"
        )
    if augment is not None:
        raise ValueError("augment needs arrays, got batches; augment the batches themselves")
    if _fraction(validation_data) is not None:
        raise ValueError(
            "validation_data as a share needs arrays, got batches; expected (x, y) or batches"
        )
    batches = len(data) if isinstance(data, Sized) else None
    return BatchSource(lambda epoch: data, seed, batches=batches), validation_data


def _fraction(validation_data: Any) -> float | None:
    if validation_data is None or not isinstance(validation_data, (int, float, np.number)):
        return None
    fraction = validation.real("validation_data", validation_data)
    if not 0 < fraction < 1:
        raise ValueError(f"validation_data must be between 0 and 1 as a share, got {fraction}")
    return fraction


def checked_data(net: Network, name: str, data: Any) -> Any:
    """Check the data for evaluation before training begins."""
    if data is None or is_batches(data):
        return data
    x, y = validation.pair(name, data)
    samples: tuple[NDArray[Any], NDArray[Any]] = validation.samples(x, y, net.dtype, net.shapes[0])
    net._engine.check_samples(*samples)
    return samples
