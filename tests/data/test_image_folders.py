"""Folders of images, one a class."""

import numpy as np
import pytest
from PIL import Image

from tfcourse.data.image_folders import (
    ImageReader,
    are_images,
    read_image_folder,
)
from tfcourse.errors import InputError


def write(folder, name, pixels, **kwargs):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name, **kwargs)


def grey(value, size=(6, 8)):
    return np.full(size, value, "uint8")


@pytest.fixture
def folder(tmp_path):
    for n in range(3):
        write(tmp_path / "in" / "cat", f"{n}.png", grey(10 * n))
        write(tmp_path / "in" / "dog", f"{n}.png", grey(100 + n))
    (tmp_path / "in" / "notes.txt").write_text("no image")
    (tmp_path / "in" / ".hidden").mkdir()
    return tmp_path / "in"


def test_images_are_read_as_they_are(folder):
    dataset = read_image_folder(folder)

    assert dataset.name == "in"
    assert dataset.x.shape == (6, 6, 8, 1)
    assert dataset.labels == ("cat", "dog")
    assert dataset.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.x[:, 0, 0, 0].tolist() == [0, 10, 20, 100, 101, 102]


def test_one_in_colour_makes_all_so(folder):
    colour = np.zeros((6, 8, 3), "uint8")
    colour[..., 1] = 200
    write(folder / "cat", "3.png", colour)

    x = read_image_folder(folder).x

    assert x.shape == (7, 6, 8, 3)
    assert x[3, 0, 0].tolist() == [0, 200, 0]
    assert x[1, 0, 0].tolist() == [10, 10, 10]


def test_images_of_several_sizes_become_squares(folder):
    write(folder / "dog", "3.png", grey(7, (90, 120)))

    assert read_image_folder(folder).x.shape == (7, 64, 64, 1)
    dataset = read_image_folder(folder, size=16)
    assert dataset.x.shape == (7, 16, 16, 1)
    assert (dataset.x[-1] == 7).all()


def test_sixteen_bits_are_as_bright_as_eight(folder):
    write(folder / "dog", "3.png", np.full((6, 8), 65535, "uint16"))

    x = read_image_folder(folder).x

    np.testing.assert_allclose(x[-1], 255)
    assert x[1, 0, 0, 0] == 10


def test_a_photograph_is_turned_as_it_says(folder):
    pixels = grey(0, (8, 6))
    pixels[:, :3] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # The camera was turned to the right.
    write(folder / "dog", "3.jpg", pixels, exif=exif)

    turned = read_image_folder(folder).x[-1, ..., 0]

    assert turned.shape == (6, 8)
    assert turned[0].mean() > 200 > 50 > turned[-1].mean()


def cut(folder):
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), "uint8")
    write(folder, "9.png", noise)
    whole = (folder / "9.png").read_bytes()
    (folder / "9.png").write_bytes(whole[: len(whole) // 2])


def few(folder):
    for n in range(2):
        write(folder / "fox", f"{n}.png", grey(1))
    write(folder / "cat", "3.png", grey(1))


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda f: (f / "cat" / "0.png").write_text("x"), "0.png cannot be"),
        (lambda f: cut(f / "cat"), "9.png cannot be read as an image"),
        (lambda f: (f / "bird").mkdir(), "bird has no image"),
        (lambda f: few(f), "Class 'fox' .* has 2 of the 9"),
    ],
)
def test_what_is_wrong_is_named(folder, damage, message):
    damage(folder)
    with pytest.raises(InputError, match=message):
        read_image_folder(folder)


def test_a_folder_of_no_folders_is_refused(tmp_path):
    with pytest.raises(InputError, match="Put the images of each class into"):
        read_image_folder(tmp_path)


def test_tiny_images_are_refused(tmp_path):
    for label in "ab":
        for n in range(3):
            write(tmp_path / label, f"{n}.png", grey(n, (2, 2)))
    with pytest.raises(InputError, match="2 x 2: enlarge them with --image-si"):
        read_image_folder(tmp_path)


def test_images_to_predict_become_what_the_model_takes(folder):
    chunks = list(ImageReader(folder, (3, 4, 3), size=4))

    assert [chunk.features.shape for chunk in chunks] == [
        (4, 3, 4, 3),
        (2, 3, 4, 3),
    ]
    assert chunks[0].others["class"] == ["cat"] * 3 + ["dog"]
    assert chunks[0].others["file"][0] == "cat/0.png"
    with pytest.raises(InputError, match="has no images"):
        ImageReader(folder / ".hidden", (3, 4, 3))


@pytest.mark.parametrize(
    "shape, found",
    [
        ((28, 28), True),
        ((8, 8, 3), True),
        ((64,), False),
        ((4, 2), False),
        ((10, 10, 5), False),
    ],
)
def test_what_is_an_image(shape, found):
    assert are_images(shape) == found
