"""Images without labels: PNGs, folders of them, .npz, .npy and IDX files, and which of them are meant."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from fspinn import datasets
from fspinn.base.errors import DataError
from fspinn.datasets import Source, read_images
from fspinn.datasets.sources import first, numbered

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5), dtype=np.uint8)


def idx(images):
    return struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()


def save_png(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, format="PNG")


def refusal(action, *arguments):
    with pytest.raises(DataError) as caught:
        list(action(*arguments))
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value), "the mend stands after a semicolon"
    return str(caught.value)


# --- reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["own.npz", "own.npy", "own-idx3-ubyte", "own-idx3-ubyte.gz"])
def test_a_file_of_images_is_one_source(tmp_path, name):
    path = tmp_path / name
    if name.endswith("npz"):
        np.savez(path, images=IMAGES)
    elif name.endswith("npy"):
        np.save(path, IMAGES)
    else:
        path.write_bytes(gzip.compress(idx(IMAGES)) if name.endswith("gz") else idx(IMAGES))
    (source,) = read_images(path)
    assert (source.name, source.first, source.labels) == (str(path), 0, None)
    np.testing.assert_array_equal(source.images, IMAGES)


def test_one_image_in_an_npy_file_is_an_image(tmp_path):
    np.save(tmp_path / "one.npy", IMAGES[0])
    (source,) = read_images(tmp_path / "one.npy")
    np.testing.assert_array_equal(source.images, IMAGES[:1])


def test_a_png_is_a_source_of_one_image(tmp_path):
    save_png(tmp_path / "one.PNG", IMAGES[3])
    (source,) = read_images(str(tmp_path / "one.PNG"))
    np.testing.assert_array_equal(source.images, IMAGES[3:4])


def test_a_folder_gives_all_pngs_in_it_by_name(tmp_path):
    for k, name in enumerate(("b.png", "a.png", "cat/1.png", "dog/1.Png", ".hidden.png", ".git/x.png")):
        save_png(tmp_path / name, IMAGES[k])
    (tmp_path / "notes.txt").write_text("no image")
    sources = read_images(tmp_path)
    names = [source.name.removeprefix(f"{tmp_path}/") for source in sources]
    assert names == ["a.png", "b.png", "cat/1.png", "dog/1.Png"]
    np.testing.assert_array_equal(np.concatenate([source.images for source in sources]), IMAGES[[1, 0, 2, 3]])


def test_large_files_stay_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("fspinn.datasets.idx._MAPPED_FROM_BYTES", 10)
    (tmp_path / "large-idx3-ubyte").write_bytes(idx(IMAGES))
    (source,) = read_images(tmp_path / "large-idx3-ubyte")
    assert isinstance(source.images, datasets.MappedImages)
    np.testing.assert_array_equal(source.part(2, 4).images[:], IMAGES[2:4])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "photo.jpg",
            b"\xff\xd8\xff\xe0 a photo",
            "truncated JPEG; save or copy it again",
        ),
        ("empty", b"", "not images in a form that fspinn knows"),
        ("text.png", b"this is not a picture at all", "not a PNG file; save it again as PNG"),
        ("bad.npy", b"nothing", "cannot be read as .npy ("),
        ("bad.npz", b"nothing", "cannot be read as .npz ("),
        ("labels-idx1-ubyte", b"\0\0\x08\x01\0\0\0\x01\x07", "1 dimension(s) where images have 3 or 4"),
        ("cut-idx3-ubyte", idx(IMAGES)[:-1], "truncated, 119 of the 120 values"),
    ],
)
def test_a_file_that_holds_no_images_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    message = refusal(read_images, tmp_path / name)
    assert message.startswith(f"{tmp_path / name}: ")
    assert words in message


def test_arrays_that_are_no_images_are_refused(tmp_path):
    for name, array, words in (
        ("float.npy", IMAGES / 9, "floats from 0 to 27.5556 are not from 0 to 1; scale them to 0..1, or"),
        ("flat.npy", IMAGES[0, 0], "shape (5,) is not (n, height, width) or (n, height, width, channels)"),
        ("none.npy", IMAGES[:0], "empty, shape (0, 4, 5); give at least one image"),
        ("object.npy", np.array([None], object), "cannot be read as .npy (Object arrays"),
    ):
        np.save(tmp_path / name, array)
        assert words in refusal(read_images, tmp_path / name)
    np.savez(tmp_path / "other.npz", other=IMAGES)
    assert "holds no array 'images' (it holds other); save it with" in refusal(
        read_images, tmp_path / "other.npz"
    )
    (tmp_path / "other.npz").rename(tmp_path / "disguised.npy")
    assert "(several arrays: an .npz file); save it" in refusal(read_images, tmp_path / "disguised.npy")


def test_what_is_not_there_is_refused(tmp_path):
    missing = tmp_path / "missing.png"
    assert refusal(read_images, missing) == f"{missing}: no such file or folder; name images"
    (tmp_path / "empty").mkdir()
    assert "empty: holds no pictures (.png, .jpg, .jpeg, .bmp, .tif, .tiff) or .wav files" in refusal(
        read_images, tmp_path / "empty"
    )


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    save_png(tmp_path / "own.png", IMAGES[0])

    def forbid(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", forbid)
    assert refusal(read_images, tmp_path / "own.png").endswith("own.png: Permission denied; make it readable")


# --- choosing ---------------------------------------------------------------------------------------


def names(sources):
    return [(source.name, source.first + k) for source in sources for k in range(len(source))]


@pytest.fixture
def two():
    return [Source("a", IMAGES[:2], np.array([7, 8])), Source("b", IMAGES[2:5])]


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (2, 2), (3, 3), (5, 5), (99, 5)])
def test_the_first_images_of_all_sources_together(two, count, expected):
    everything = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2)]
    assert names(first(two, count)) == everything[:expected]


def test_images_by_number_over_all_sources(two):
    chosen = list(numbered(two, [4, 1, 1, 2]))
    assert names(chosen) == [("b", 2), ("a", 1), ("a", 1), ("b", 0)]
    np.testing.assert_array_equal(np.concatenate([c.images for c in chosen]), IMAGES[[4, 1, 1, 2]])
    assert chosen[1].labels.tolist() == [8]
    assert chosen[0].labels is None


@pytest.mark.parametrize("number", [5, -1])
def test_a_number_that_no_image_has_is_refused(two, number):
    words = f"index: no image has the number {number}; give one from 0 to 4"
    assert refusal(numbered, two, [0, number]) == words
