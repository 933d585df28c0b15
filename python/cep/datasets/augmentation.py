"""Random variants of images."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from cep._util import validation


def augment(
    x: npt.ArrayLike,
    *,
    flip: bool = False,
    crop: int = 0,
    shape: tuple[int, int, int] | None = None,
    seed: "int | np.random.Generator | None" = None,  # A string avoids an import.
) -> npt.NDArray[Any]:
    """Draw a random variant of each image: mirrored or not, and shifted by some pixels.

    Each image is drawn independently. All channels of an image get the same variant. With four
    pixels and mirroring, this is the usual augmentation of CIFAR-10 (K. He et al., "Deep Residual
    Learning for Image Recognition", CVPR 2016, section 4.2).

    Parameters
    ----------
    x : array_like
        Images of any real type: samples x channels x height x width, or, with `shape`,
        samples x features. It is not changed.
    flip : bool, default False
        Mirror each image, left to right, with probability 1/2.
    crop : int, default 0
        Pad each image with this many pixels of 0 on each of its four sides, and cut out a window
        of the original size, at a place drawn uniformly. Less than height and width.
    shape : tuple of int, optional
        (channels, height, width) of images that are flat, as those of :func:`load`. `SHAPES` has
        it for each data set.
    seed : int, numpy.random.Generator or None, default None
        A whole number of 0 or more gives the same variants each time. A generator is drawn from,
        so that its next use gives others. None draws a seed from the operating system.

    Returns
    -------
    numpy.ndarray
        A new array of the shape and dtype of `x`, C-contiguous.

    Raises
    ------
    TypeError
        `x` does not hold real numbers, or another argument is of the wrong type.
    ValueError
        `x` is not as described, `crop` or `seed` is negative, or `crop` is too large.

    Examples
    --------
    >>> x, y = cep.datasets.digits()
    >>> cep.datasets.augment(x, crop=1, shape=(1, 8, 8), seed=0).shape
    (1797, 64)
    """
    array = validation.array_of("x", x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"x must hold real numbers, got dtype {array.dtype}")
    images = _images(array, shape)
    crop = validation.count("crop", crop, lowest=0)
    if crop and crop >= min(images.shape[2:]):
        size = " × ".join(map(str, images.shape[2:]))
        raise ValueError(f"crop must be less than height and width ({size}), got {crop}")
    flip = validation.flag("flip", flip)
    generator = _generator(seed)

    samples = len(images)
    padded = np.pad(images, ((0, 0), (0, 0), (crop, crop), (crop, crop)))  # Always a copy.
    if flip:
        mirrored = generator.random(samples) < 0.5
        padded[mirrored] = padded[mirrored, ..., ::-1]
    if crop:
        top, left = generator.integers(0, 2 * crop, (2, samples), endpoint=True)
        windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[2:], axis=(2, 3))
        padded = windows[np.arange(samples), :, top, left]
    return np.ascontiguousarray(padded).reshape(array.shape)


def _images(array: npt.NDArray[Any], shape: object) -> npt.NDArray[Any]:
    """Return a view of samples x channels x height x width."""
    if shape is None:
        if array.ndim != 4:
            raise ValueError(
                "x must be samples × channels × height × width, or samples × features with "
                f"shape=(channels, height, width), got shape {array.shape}"
            )
        return array
    if not isinstance(shape, (tuple, list)) or len(shape) != 3:
        raise TypeError(f"shape must be (channels, height, width), got {shape!r}")
    each = tuple(validation.count("each size of shape", size) for size in shape)
    if array.shape[1:] not in (each, (math.prod(each),)):
        sizes = " × ".join(map(str, each))
        raise ValueError(
            f"x must be samples × {sizes}, or samples × {math.prod(each)}, got shape {array.shape}"
        )
    return array.reshape(len(array), *each)


def _generator(seed: object) -> "np.random.Generator":
    if isinstance(seed, np.random.Generator):
        return seed
    try:
        return np.random.default_rng(validation.seed(seed))
    except TypeError:
        kinds = "an integer, a numpy.random.Generator or None"
        given = f"{type(seed).__name__} {seed!r}"
        raise TypeError(f"seed must be {kinds}, got {given}") from None
