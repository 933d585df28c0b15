"""Images are mirrored and shifted at random, each independently."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cep import datasets

pytestmark = pytest.mark.once

Images = npt.NDArray[Any]


def distinct(samples: int, channels: int, height: int, width: int, dtype: Any = None) -> Images:
    """Return images in which no pixel is 0, and no value occurs twice."""
    size = samples * channels * height * width
    return np.arange(1, size + 1, dtype=dtype).reshape(samples, channels, height, width)


def window(image: Images, top: int, left: int, crop: int) -> Images:
    """Return a crop of the padded image, pixel by pixel."""
    channels, height, width = image.shape
    result = np.zeros_like(image)
    for channel in range(channels):
        for row in range(height):
            for column in range(width):
                y, x = row + top - crop, column + left - crop
                if 0 <= y < height and 0 <= x < width:
                    result[channel, row, column] = image[channel, y, x]
    return result


def places_of(image: Images, result: Images, crop: int) -> list[tuple[int, int]]:
    """Return all positions of a window that give this result."""
    return [
        (top, left)
        for top in range(2 * crop + 1)
        for left in range(2 * crop + 1)
        if np.array_equal(window(image, top, left, crop), result)
    ]


# Flips


def test_a_flipped_image_is_the_mirrored_one() -> None:
    """Left to right, all channels together; other images do not change."""
    x = distinct(200, 3, 4, 5)
    result = datasets.augment(x, flip=True, seed=0)
    mirrored = 0
    for image, variant in zip(x, result, strict=True):
        mirror = np.array([[list(reversed(row)) for row in channel] for channel in image])
        assert np.array_equal(variant, image) or np.array_equal(variant, mirror)
        mirrored += np.array_equal(variant, mirror)
    assert 70 < mirrored < 130  # 100 ± 4.2 standard deviations.


def test_without_flip_and_crop_it_is_a_copy() -> None:
    x = distinct(3, 2, 4, 4)
    result = datasets.augment(x, seed=0)
    np.testing.assert_array_equal(result, x)
    assert not np.shares_memory(result, x)


# Crops


@given(
    samples=st.integers(1, 4), channels=st.integers(1, 3), height=st.integers(2, 5),
    width=st.integers(2, 5), data=st.data(), seed=st.integers(0, 2**64 - 1),
)  # fmt: skip
def test_a_crop_is_a_window_of_the_padded_image(
    samples: int, channels: int, height: int, width: int, data: st.DataObject, seed: int
) -> None:
    """The result equals loops over the pixels. A window that is not empty has one position."""
    crop = data.draw(st.integers(1, min(height, width) - 1))
    x = distinct(samples, channels, height, width)
    result = datasets.augment(x, crop=crop, seed=seed)
    for image, variant in zip(x, result, strict=True):
        assert len(places_of(image, variant, crop)) == 1


def test_all_places_are_drawn_alike() -> None:
    """25 positions for two pixels; top and left independently."""
    x = distinct(5000, 1, 3, 4)
    result = datasets.augment(x, crop=2, seed=0)
    counts = np.zeros((5, 5), int)
    for variant in result[:, 0]:
        row, column = np.argwhere(variant)[0]
        pixel = (variant[row, column] - 1) % 12
        counts[pixel // 4 - row + 2, pixel % 4 - column + 2] += 1
    # Chi-square of 24 degrees of freedom: above 51 with probability 0.001.
    assert np.sum((counts - 200) ** 2 / 200) < 51


def test_flip_and_crop_together() -> None:
    """Each variant is a window of the image or of its mirror; both occur."""
    x = distinct(100, 2, 4, 4)
    result = datasets.augment(x, flip=True, crop=1, seed=0)
    kinds = []
    for image, variant in zip(x, result, strict=True):
        plain = len(places_of(image, variant, 1))
        mirrored = len(places_of(image[:, :, ::-1], variant, 1))
        assert plain + mirrored == 1
        kinds.append(mirrored)
    assert 25 < sum(kinds) < 75


def test_each_image_is_drawn_on_its_own() -> None:
    """The same image many times gets many variants."""
    x = np.repeat(distinct(1, 1, 6, 6), 300, axis=0)
    assert len(np.unique(datasets.augment(x, flip=True, seed=0), axis=0)) == 2
    assert len(np.unique(datasets.augment(x, crop=2, seed=0), axis=0)) == 25
    assert len(np.unique(datasets.augment(x, flip=True, crop=2, seed=0), axis=0)) > 45


def test_the_draws_do_not_depend_on_the_pixels() -> None:
    """The same seed gives other images the same places."""
    first, second = distinct(20, 1, 4, 4), distinct(20, 1, 4, 4)[::-1]
    drawn = [
        [places_of(image, variant, 1) for image, variant in zip(x, variants, strict=True)]
        for x in (first, second)
        for variants in [datasets.augment(x, crop=1, seed=3)]
    ]
    assert drawn[0] == drawn[1]


# Seeds


def test_the_seed_decides() -> None:
    x = distinct(50, 1, 8, 8)
    first = datasets.augment(x, flip=True, crop=2, seed=1)
    np.testing.assert_array_equal(first, datasets.augment(x, flip=True, crop=2, seed=1))
    numpy_seed: Any = np.int64(1)
    np.testing.assert_array_equal(first, datasets.augment(x, flip=True, crop=2, seed=numpy_seed))
    generator = np.random.default_rng(1)
    np.testing.assert_array_equal(first, datasets.augment(x, flip=True, crop=2, seed=generator))
    assert not np.array_equal(first, datasets.augment(x, flip=True, crop=2, seed=2))


def test_a_generator_continues() -> None:
    """The next epoch gets other variants."""
    x = distinct(50, 1, 8, 8)
    generator = np.random.default_rng(1)
    first, second = (datasets.augment(x, crop=2, seed=generator) for _ in range(2))
    assert not np.array_equal(first, second)


def test_without_a_seed_each_call_differs() -> None:
    """NumPy's own state does not change."""
    x = distinct(50, 1, 8, 8)
    state: Any = np.random.get_state()
    first, second = (datasets.augment(x, flip=True, crop=2) for _ in range(2))
    assert not np.array_equal(first, second)
    after: Any = np.random.get_state()
    np.testing.assert_array_equal(after[1], state[1])
    assert after[2] == state[2]


# Form


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "u1", "i8", "?", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_dtype_shape_and_layout(dtype: str, order: Any) -> None:
    """They stay the same; the result is always C-contiguous."""
    x = np.array(distinct(6, 3, 4, 5) % 127, dtype, order=order)
    before = x.copy()
    x.flags.writeable = False
    for options in ({}, {"flip": True}, {"crop": 2}, {"flip": True, "crop": 2}):
        result = datasets.augment(x, seed=0, **options)
        assert (result.shape, result.dtype) == (x.shape, x.dtype)
        assert result.flags.c_contiguous
        assert result.flags.writeable
        assert not np.shares_memory(result, x)
        np.testing.assert_array_equal(x, before)


def test_flat_images() -> None:
    """With their shape; it may also be given for images that have it already."""
    x = distinct(10, 3, 4, 5, np.float32)
    expected = datasets.augment(x, flip=True, crop=1, seed=0)
    flat = datasets.augment(x.reshape(10, 60), flip=True, crop=1, shape=(3, 4, 5), seed=0)
    assert flat.shape == (10, 60)
    assert flat.flags.c_contiguous
    np.testing.assert_array_equal(flat.reshape(x.shape), expected)
    with_shape = datasets.augment(x, flip=True, crop=1, shape=(3, 4, 5), seed=0)
    np.testing.assert_array_equal(with_shape, expected)


def test_no_images_and_lists_of_images() -> None:
    assert datasets.augment(np.empty((0, 3, 4, 4), np.float32), flip=True, crop=1).shape == (
        0, 3, 4, 4,
    )  # fmt: skip
    assert datasets.augment([[1.0, 2.0]], shape=(1, 1, 2)).tolist() == [[1, 2]]


IMAGES = distinct(2, 3, 4, 5)


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (IMAGES[0], {}, ValueError,
         "x must be samples × channels × height × width, or samples × features with "
         "shape=(channels, height, width), got shape (3, 4, 5)"),
        (IMAGES.reshape(2, 60), {}, ValueError, "got shape (2, 60)"),
        (IMAGES.reshape(2, 60), {"shape": (3, 4, 4)}, ValueError,
         "x must be samples × 3 × 4 × 4, or samples × 48, got shape (2, 60)"),
        (IMAGES, {"shape": (3, 5, 4)}, ValueError, "got shape (2, 3, 4, 5)"),
        (np.float64(3), {"shape": (1, 1, 1)}, ValueError, "got shape ()"),
        (IMAGES, {"shape": (4, 5)}, TypeError,
         "shape must be (channels, height, width), got (4, 5)"),
        (IMAGES, {"shape": 60}, TypeError, "shape must be (channels, height, width), got 60"),
        (IMAGES, {"shape": (3, 4.0, 5)}, TypeError, "each size of shape must be an integer"),
        (IMAGES, {"shape": (3, -4, -5)}, ValueError, "each size of shape must be 1 or more"),
        (IMAGES.astype(complex), {}, TypeError, "x must hold real numbers, got dtype complex128"),
        (IMAGES.astype(object), {}, TypeError, "x must hold real numbers, got dtype object"),
        (IMAGES.astype(str), {}, TypeError, "x must hold real numbers, got dtype <U21"),
        ("images", {}, TypeError, "x must hold real numbers, got dtype <U6"),
        (IMAGES, {"crop": -1}, ValueError, "crop must be 0 or more, got -1"),
        (IMAGES, {"crop": 4}, ValueError,
         "crop must be less than height and width (4 × 5), got 4"),
        (IMAGES, {"crop": 1.0}, TypeError, "crop must be an integer, got float 1.0"),
        (IMAGES, {"crop": True}, TypeError, "crop must be an integer, got bool True"),
        (IMAGES, {"crop": None}, TypeError, "crop must be an integer"),
        (IMAGES, {"flip": 1}, TypeError, "flip must be True or False, got int 1"),
        (IMAGES, {"flip": "yes"}, TypeError, "flip must be True or False, got str 'yes'"),
        (IMAGES, {"seed": -1}, ValueError, "seed must be 0 or more, got -1"),
        (IMAGES, {"seed": 2**64}, ValueError, "seed must fit into 64 bits"),
        (IMAGES, {"seed": 1.5}, TypeError,
         "seed must be an integer, a numpy.random.Generator or None, got float 1.5"),
        (IMAGES, {"seed": True}, TypeError, "got bool True"),
        (IMAGES, {"seed": np.random.RandomState(0)}, TypeError, "got RandomState"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(
    x: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """In one sentence: what was expected, what was given."""
    with pytest.raises(error) as caught:
        datasets.augment(x, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_crop_of_one_less_is_allowed() -> None:
    """At least one row and one column of each image stay."""
    result = datasets.augment(np.repeat(IMAGES, 500, axis=0), crop=3, seed=0)
    assert np.all(result.reshape(1000, -1).max(axis=1) > 0)
