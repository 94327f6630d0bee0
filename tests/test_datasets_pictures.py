"""Pictures of all formats: colours are kept unless something else is asked for, and damage is refused."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_data import refusal
from PIL import Image

from fspinn import datasets
from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets import Reading
from fspinn.datasets.pictures import FORMATS, picture_in, read_picture

GREY = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
LOSSLESS = [".png", ".bmp", ".tif", ".tiff"]


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def mixed(tmp_path):
    """A folder of grey and coloured pictures of two sizes."""
    for number in range(6):
        save(tmp_path / "a" / f"{number}.png", GREY)
        save(tmp_path / "b" / f"{number}.bmp", COLOUR.repeat(2, axis=0))
    return tmp_path


@pytest.mark.parametrize("ending", LOSSLESS)
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_pictures_are_read_as_they_are(tmp_path, ending, pixels):
    save(tmp_path / f"one{ending.upper()}", pixels)
    np.testing.assert_array_equal(read_picture(tmp_path / f"one{ending.upper()}"), pixels)


@pytest.mark.parametrize("shape", [(16, 8), (16, 8, 3)])
def test_a_jpeg_is_read_nearly_as_it_was(tmp_path, shape):
    save(tmp_path / "one.jpeg", np.full(shape, 100, np.uint8))
    read = read_picture(tmp_path / "one.jpeg")
    assert read.shape == shape
    assert abs(read.astype(int) - 100).max() < 3


def test_a_jpeg_is_turned_as_its_camera_says(tmp_path):
    image = Image.fromarray(np.full((16, 8), 100, np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6  # turn right
    image.save(tmp_path / "one.jpg", exif=exif)
    assert read_picture(tmp_path / "one.jpg").shape == (8, 16)


def test_a_palette_of_greys_is_grey(tmp_path):
    for name, pixels in (("grey", GREY), ("colour", COLOUR)):
        Image.fromarray(pixels).quantize(200).save(tmp_path / f"{name}.png")
    assert read_picture(tmp_path / "grey.png").shape == (9, 7)
    assert read_picture(tmp_path / "colour.png").shape == (9, 7, 3)


def test_a_folder_of_all_formats_in_colour(tmp_path):
    for number, ending in enumerate([*LOSSLESS, ".jpg", ".jpeg"]):
        save(tmp_path / "b" / f"{number}{ending}", COLOUR)
    (tmp_path / "b" / "notes.txt").write_text("not a picture")
    data = datasets.load(tmp_path)
    assert data.image_shape == (9, 7, 3)
    assert len(data.train) + len(data.validation) + len(data.test) == len(FORMATS)


# --- what is asked for ------------------------------------------------------------------------------


def test_mixed_kinds_and_sizes_are_refused_with_the_fix(mixed):
    assert "0.bmp: in colour where the pictures before are in grey; give --grey" in refusal(mixed)
    assert "0.bmp: 18x7 pixels where the images before have 9x7; bring all to one size, such as --re" in (
        refusal(mixed, grey=True)
    )


def test_grey_and_resize_bring_pictures_together(mixed):
    data = datasets.load(mixed, reading=Reading(grey=True, resize=(6, 5)))
    assert data.image_shape == (6, 5)
    assert data.reading == Reading(grey=True, resize=(6, 5))
    of_b = data.train.images[data.train.labels == 1][0]
    image = Image.fromarray(COLOUR.repeat(2, axis=0)).convert("L")
    np.testing.assert_array_equal(of_b, image.resize((5, 6), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_arrays_are_resized_as_pictures_are(tmp_path, channels):
    images = np.stack([COLOUR[..., np.arange(channels) % 3]] * 8)
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(8) % 2)
    data = datasets.load(tmp_path / "own.npz", reading=Reading(resize=(4, 4)))
    assert data.image_shape == (4, 4, channels)[: 2 if channels == 1 else 3]
    expected = Image.fromarray(COLOUR[..., 0]).resize((4, 4), Image.Resampling.BILINEAR)
    first = data.train.images[0] if channels == 1 else data.train.images[0, ..., 0]
    np.testing.assert_array_equal(first, expected)


def test_built_in_data_sets_are_resized_too():
    data = datasets.load("digits", reading=Reading(resize=(4, 4)))
    assert data.image_shape == (4, 4)
    again = datasets.load("digits", reading=Reading(resize=(8, 8)))
    assert again.checksum == datasets.load("digits").checksum != data.checksum


def test_what_does_not_fit_the_form_is_refused(tmp_path, mixed):
    np.savez(tmp_path / "own.npz", images=np.zeros((8, 2, 2, 2), np.uint8), labels=np.arange(8))
    for path, asked, words in (
        (mixed, {"length": 3}, "holds images, not signals; leave --length out"),
        (mixed, {"shape": (3, 7)}, "is not a CSV file; leave --shape out"),
        ("digits", {"label": "x"}, "holds images, not signals or tables; leave --label out"),
        (tmp_path / "own.npz", {"length": 3}, "holds images, not signals; leave --length out"),
        (tmp_path / "own.npz", {"grey": True}, "has 2 channels, not red, green and blue; leave --grey out"),
    ):
        assert words in refusal(path, ConfigError, **asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"resize": 5}, r"^resize: 5 is not height and width; give both, such as 28x28"),
        ({"resize": (5, 0)}, r"^resize: must be from 1 to 1048576, but got 0"),
        ({"resize": (5, 5, 3)}, r"^resize: \(5, 5, 3\) is not height and width"),
        ({"shape": (5,)}, r"^shape: \(5,\) is not height and width"),
        ({"length": 0}, r"^length: must be from 1 to"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, words):
    with pytest.raises(ConfigError, match=words):
        Reading(**asked)


# --- damage -----------------------------------------------------------------------------------------


def encoded(kind, pixels=COLOUR):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_a_picture_cut_anywhere_is_refused_or_whole(kind):
    whole = encoded(kind)
    pixels = picture_in(whole, "one", kind)
    for length in range(len(whole)):
        with contextlib.suppress(DataError):
            np.testing.assert_array_equal(picture_in(whole[:length], "one", kind), pixels)
    with pytest.raises(DataError, match=rf"^one: (truncated|damaged|not a whole) {kind}"):
        picture_in(whole[: len(whole) // 2], "one", kind)


@given(
    kind=st.sampled_from(["PNG", "JPEG", "BMP", "TIFF"]),
    position=st.integers(0, 10**6),
    bits=st.integers(1, 255),
)
@settings(max_examples=200, deadline=None, database=None)
def test_any_damaged_byte_is_harmless_or_refused(kind, position, bits):
    content = bytearray(encoded(kind))
    content[position % len(content)] ^= bits
    with contextlib.suppress(DataError):
        assert picture_in(bytes(content), "one", kind).dtype == np.uint8


@given(content=st.binary(max_size=200), kind=st.sampled_from(["PNG", "JPEG", "BMP", "TIFF"]))
@settings(max_examples=100, deadline=None, database=None)
def test_anything_else_is_refused(content, kind):
    with pytest.raises(DataError, match=r"^one: "):
        picture_in(content, "one", kind)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_another_format_under_the_name_is_refused(kind):
    other = encoded("BMP" if kind == "PNG" else "PNG")
    with pytest.raises(DataError, match=rf"^one: not a (whole )?{kind} file; save it again as {kind}$"):
        picture_in(other, "one", kind)


def test_an_enormous_picture_is_never_unpacked(tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    words = "bomb.png: has more than 67108864 pixels; make it smaller"
    with pytest.raises(DataError, match=words):
        read_picture(tmp_path / "bomb.png")
    Image.new("1", (9000, 9000)).save(tmp_path / "bomb.tif", compression="group4")
    with pytest.raises(DataError, match=r"bomb.tif: has more than"):
        read_picture(tmp_path / "bomb.tif")


def test_many_large_pictures_are_refused_before_they_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("fspinn.datasets.pictures._LARGEST_BYTES", 1 << 8)
    for number in range(6):
        save(tmp_path / "a" / f"{number}.png", GREY)
    assert "0.png: 6 pictures of 9x7 pixels need more than 0 GiB; make them smaller, such as" in refusal(
        tmp_path
    )


def test_depths_other_than_8_bits_are_refused(tmp_path):
    for name, pixels, words in (
        ("deep.tif", np.zeros((4, 5), np.uint16), "16 bits a pixel; save it again with 8 bits"),
        ("deep.png", np.zeros((4, 5), np.uint16), "16 bits a pixel; save it again with 8 bits"),
        ("wide.tif", np.zeros((4, 5), np.int32), "32 bits a pixel; save it again with 8 bits"),
        ("real.tif", np.zeros((4, 5), np.float32), "floats; save it again with 8 bits"),
    ):
        save(tmp_path / name, pixels)
        with pytest.raises(DataError, match=f"{name}: {words}"):
            read_picture(tmp_path / name)


def test_several_pages_and_transparency_are_refused(tmp_path):
    page = Image.fromarray(GREY)
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page, page])
    with pytest.raises(DataError, match=r"pages.tif: holds 3 pictures; save each as a file of its own"):
        read_picture(tmp_path / "pages.tif")
    Image.new("RGBA", (4, 5), (0, 0, 0, 100)).save(tmp_path / "clear.tif")
    with pytest.raises(DataError, match=r"clear.tif: partly transparent; flatten it"):
        read_picture(tmp_path / "clear.tif")
    Image.new("LAB", (4, 5)).save(tmp_path / "lab.tif")
    with pytest.raises(DataError, match=r"lab.tif: colours of kind LAB; save it again as grey or RGB"):
        read_picture(tmp_path / "lab.tif")


def test_tiffs_of_16_bits_a_colour_are_refused(tmp_path):
    path = tmp_path / "0.tiff"
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(path)
    data = path.read_bytes()
    eight, sixteen = (np.full(3, bits, "<u2").tobytes() for bits in (8, 16))
    assert data.count(eight) == 1  # how many bits each colour has
    path.write_bytes(data.replace(eight, sixteen))
    with pytest.raises(DataError, match=r"0\.tiff: more than 8 bits a colour; save it again with 8 bits$"):
        read_picture(path)
