"""A user's own images: .npz, IDX pairs and folders of PNGs; what is wrong is said in one line."""

import contextlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_data import refusal, saver
from PIL import Image

from fspinn import datasets
from fspinn.base.errors import DataError, FspinnWarning

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 4, 5), dtype=np.uint8)
LABELS = np.arange(12) % 3


@pytest.fixture
def npz(tmp_path):
    return saver(tmp_path / "own.npz")


class TestNpz:
    def test_a_fifth_is_held_out_for_test_whatever_the_seed(self, npz):
        path = npz(images=IMAGES, labels=LABELS)
        data = datasets.load(str(path), seed=1)
        assert (len(data.train), len(data.validation), len(data.test)) == (9, 1, 2)
        assert data.name == str(path)
        assert data.image_shape == (4, 5)
        assert data.class_names == ("0", "1", "2")
        np.testing.assert_array_equal(data.test.images, datasets.load(path, seed=2).test.images)

    def test_a_test_set_of_its_own_is_kept(self, npz):
        data = datasets.load(npz(images=IMAGES, labels=LABELS, test_images=IMAGES[:3], test_labels=[0, 1, 1]))
        assert (len(data.train), len(data.validation), len(data.test)) == (10, 2, 3)
        np.testing.assert_array_equal(data.test.images, IMAGES[:3])
        assert data.class_names == ("0", "1", "2")
        assert data.test.labels.tolist() == [0, 1, 1]

    def test_other_arrays_in_the_file_do_no_harm(self, npz):
        assert datasets.load(npz(images=IMAGES, labels=LABELS, note=np.array("x", object))).n_classes == 3

    def test_labels_of_any_integer_type_will_do(self, npz):
        for kind in (np.uint8, np.int16, np.uint64):
            assert (
                datasets.load(npz(images=IMAGES, labels=LABELS.astype(kind))).train.labels.dtype == np.int64
            )

    @pytest.mark.parametrize(
        ("arrays", "words"),
        [
            ({"labels": LABELS}, "holds no array 'images' (it holds labels); save it with numpy.savez"),
            ({"images": IMAGES}, "holds no array 'labels'"),
            ({}, "(it holds nothing)"),
            ({"images": IMAGES.astype(int), "labels": LABELS}, "images: values are int64, not uint8; scale"),
            (
                {"images": IMAGES.reshape(12, 20), "labels": LABELS},
                "shape (12, 20) is not (n, height, width)",
            ),
            ({"images": IMAGES[:0], "labels": LABELS[:0]}, "images: empty, shape (0, 4, 5)"),
            ({"images": IMAGES[:, :0], "labels": LABELS}, "images: empty, shape (12, 0, 5)"),
            ({"images": IMAGES, "labels": LABELS[1:]}, "labels: 11 labels for the 12 images"),
            (
                {"images": IMAGES, "labels": LABELS / 1},
                "labels: values are float64, neither integers nor names; number the classes",
            ),
            (
                {"images": IMAGES, "labels": np.full(12, np.nan)},
                "labels: values are float64, neither integers",
            ),
            ({"images": IMAGES, "labels": LABELS > 0}, "labels: values are bool, neither integers"),
            ({"images": IMAGES, "labels": np.array([b"a"] * 12)}, "labels: values are |S1, neither integers"),
            ({"images": IMAGES, "labels": np.eye(12, dtype=int)}, "labels: shape (12, 12) is not (n,)"),
            (
                {"images": np.zeros((1001, 1, 1), np.uint8), "labels": np.arange(1001)},
                "labels: 1001 different labels, where 1000 classes are the most; give one label per class",
            ),
            ({"images": IMAGES[:4], "labels": LABELS[:4]}, "4 image(s) are too few to hold out a fifth"),
            (
                {"images": IMAGES, "labels": LABELS, "test_images": IMAGES},
                "only one of 'test_images' and 'test_labels' is there; save both or neither",
            ),
            (
                {"images": IMAGES, "labels": LABELS, "test_images": IMAGES[:, 1:], "test_labels": LABELS},
                "test images are 3x5 pixels, training images 4x5; bring them to one size",
            ),
            (
                {"images": IMAGES, "labels": LABELS, "test_images": IMAGES, "test_labels": LABELS - 5},
                "test images of classes '-5', '-4', '-3', but no training images; add some",
            ),
            ({"images": IMAGES, "signals": IMAGES[0], "labels": LABELS}, "holds both 'images' and 'signals'"),
            (
                {"images": np.zeros((12, 3, 8, 8), np.uint8), "labels": LABELS},
                "has its channels first; make it (n, height, width, channels) with numpy.moveaxis",
            ),
        ],
    )
    def test_what_is_wrong_is_told(self, npz, arrays, words):
        path = npz(**arrays)
        message = refusal(path)
        assert words in message
        assert message.startswith(str(path))

    def test_pickled_objects_are_never_loaded(self, npz):
        path = npz(images=np.array([object()], object), labels=LABELS)
        assert "cannot be read as .npz (Object arrays cannot be loaded" in refusal(path)

    def test_a_damaged_or_foreign_file_is_told(self, tmp_path, npz):
        whole = npz(images=IMAGES, labels=LABELS).read_bytes()
        path = tmp_path / "broken.npz"
        for content in (b"", whole[: len(whole) // 2], b"\x93NUMPY", b"anything else"):
            path.write_bytes(content)
            assert f"{path}: cannot be read as .npz" in refusal(path)
        with path.open("wb") as file:
            np.save(file, IMAGES)
        assert "cannot be read as .npz (a single array)" in refusal(path)

    @given(position=st.integers(0, 10**6), bits=st.integers(1, 255))
    @settings(
        max_examples=150,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_any_damaged_byte_is_harmless_or_told(self, npz, position, bits):
        path = npz(images=IMAGES, labels=LABELS)
        content = bytearray(path.read_bytes())
        content[position % len(content)] ^= bits
        path.write_bytes(content)
        with contextlib.suppress(DataError):
            assert datasets.load(path).train.images.ndim == 3


def write_idx(path, array):
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


class TestIdx:
    def test_the_labels_are_found_beside_the_images(self, tmp_path):
        write_idx(tmp_path / "my-images-idx3-ubyte", IMAGES)
        write_idx(tmp_path / "my-labels-idx1-ubyte", LABELS)
        data = datasets.load(tmp_path / "my-images-idx3-ubyte")
        assert (len(data.train), len(data.validation), len(data.test)) == (9, 1, 2)

    def test_missing_labels_are_named(self, tmp_path):
        write_idx(tmp_path / "my-images-idx3-ubyte", IMAGES)
        assert "my-labels-idx1-ubyte: no such file, nor with .gz" in refusal(
            tmp_path / "my-images-idx3-ubyte"
        )

    def test_a_file_of_no_known_form_is_told_what_there_is(self, tmp_path):
        write_idx(tmp_path / "my-labels-idx1-ubyte", LABELS)
        assert "not samples in a form that fspinn knows" in refusal(tmp_path / "my-labels-idx1-ubyte")

    def test_a_folder_under_the_names_of_mnist_may_have_a_test_set(self, tmp_path):
        write_idx(tmp_path / "train-images-idx3-ubyte", IMAGES)
        write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
        assert len(datasets.load(tmp_path).test) == 2
        write_idx(tmp_path / "t10k-images-idx3-ubyte", IMAGES)
        assert "t10k-labels-idx1-ubyte.gz: no such file; put it beside" in refusal(tmp_path)
        write_idx(tmp_path / "t10k-labels-idx1-ubyte", LABELS)
        assert len(datasets.load(tmp_path).test) == 12


def save_pngs(folder, shades, mode="L", size=(5, 4)):
    folder.mkdir(parents=True, exist_ok=True)
    for i, shade in enumerate(shades):
        Image.new("L", size, shade).convert(mode).save(folder / f"{i}.png")


def first_png(folder) -> Path:
    return sorted(folder.rglob("*.png"))[0]


class TestPngs:
    def test_a_folder_per_class_gives_sorted_class_names(self, tmp_path):
        save_pngs(tmp_path / "dog", [10] * 6)
        save_pngs(tmp_path / "cat", [200] * 6)
        (tmp_path / ".hidden").mkdir()
        (tmp_path / "cat" / "._0.png").write_bytes(b"what a Mac leaves behind")
        data = datasets.load(tmp_path)
        assert data.class_names == ("cat", "dog")
        assert data.image_shape == (4, 5)
        assert len(data.train) + len(data.validation) + len(data.test) == 12
        np.testing.assert_array_equal(data.train.images[:, 0, 0], np.where(data.train.labels == 0, 200, 10))

    def test_train_and_test_folders_are_the_splits(self, tmp_path):
        save_pngs(tmp_path / "train" / "a", [0] * 6)
        save_pngs(tmp_path / "train" / "b", [9] * 6)
        assert len(datasets.load(tmp_path).test) == 2
        save_pngs(tmp_path / "test" / "b", [7])
        data = datasets.load(tmp_path)
        assert len(data.test) == 1
        assert data.test.labels[0] == 1
        save_pngs(tmp_path / "test" / "c", [7])
        assert "test images of class 'c', but no training images; add some, or leave" in refusal(tmp_path)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
    def test_pictures_are_grey_or_in_colour_as_they_are(self, tmp_path, mode):
        save_pngs(tmp_path / "a", [255] * 5, mode=mode)
        images = datasets.load(tmp_path).train.images
        assert np.all(images == 255)
        assert images.shape == (4, 4, 5, 3)[: 4 if "RGB" in mode else 3]

    def test_a_folder_without_images_is_told(self, tmp_path):
        assert "holds no folders; put the pictures (.png, .jpg, .jpeg, .bmp" in refusal(tmp_path)
        (tmp_path / "a").mkdir()
        assert "a: holds no pictures (.png" in refusal(tmp_path)

    def test_files_of_other_types_are_counted_in_one_line(self, tmp_path):
        save_pngs(tmp_path / "a", [0] * 9)
        save_pngs(tmp_path / "b" / "anna", [0])
        for name in ("a/x.webp", "a/y.WEBP", "a/notes.txt", "a/.hidden", "a/Thumbs.db", "a/desktop.ini"):
            (tmp_path / name).write_bytes(b"")
        words = r": files of other types are left out \(1 \.txt, 2 \.webp\); save them as pictures \(\.png, "
        with pytest.warns(FspinnWarning, match=words) as caught:
            assert len(datasets.read_images(tmp_path)) == 10
        assert len(caught) == 1
        (tmp_path / "b" / "anna" / "LICENCE").write_bytes(b"")
        (tmp_path / "b" / "anna" / "0.png").rename(tmp_path / "b" / "0.png")
        with pytest.warns(FspinnWarning, match=r"\(1 \.txt, 2 \.webp, 1 without ending\)"):
            datasets.load(tmp_path, validation=0)
        (tmp_path / "b" / "0.png").rename(tmp_path / "b" / "0.gif")
        assert "b: holds no pictures (.png, " in (message := refusal(tmp_path))
        assert message.endswith(".wav files (it has 1 .gif); add some or remove the folder")

    def test_images_of_two_sizes_are_told(self, tmp_path):
        save_pngs(tmp_path / "a", [0] * 5)
        save_pngs(tmp_path / "b", [0], size=(6, 4))
        assert "b/0.png: 4x6 pixels where the images before have 4x5" in refusal(tmp_path).replace("\\", "/")

    def test_sixteen_bits_are_told(self, tmp_path):
        save_pngs(tmp_path / "a", [0] * 5)
        Image.fromarray(np.zeros((4, 5), np.uint16)).save(first_png(tmp_path))
        assert "0.png: 16 bits a pixel; save it again with 8 bits" in refusal(tmp_path)

    def test_transparency_is_told(self, tmp_path):
        save_pngs(tmp_path / "a", [0] * 5)
        Image.new("LA", (5, 4), (0, 100)).save(first_png(tmp_path))
        assert "0.png: partly transparent; flatten it" in refusal(tmp_path)

    def test_another_format_under_the_name_is_told(self, tmp_path):
        save_pngs(tmp_path / "a", [0] * 5)
        first_png(tmp_path).write_bytes(b"\xff\xd8 surely a JPEG")
        assert "0.png: not a PNG file" in refusal(tmp_path)

    def test_what_cannot_be_opened_is_told(self, tmp_path):
        save_pngs(tmp_path / "a", [0] * 5)
        (tmp_path / "a" / "z.png").mkdir()
        assert "z.png: Is a directory; make it readable" in refusal(tmp_path)

    def test_a_png_cut_anywhere_is_told(self, tmp_path):
        save_pngs(tmp_path / "a", [0])
        file = first_png(tmp_path)
        whole = file.read_bytes()
        checksum_of_the_end = 4
        for length in range(len(whole) - checksum_of_the_end):
            file.write_bytes(whole[:length])
            assert str(file) in refusal(tmp_path)

    def test_an_image_of_absurd_size_is_told(self, tmp_path):
        save_pngs(tmp_path / "a", [0])
        file = first_png(tmp_path)
        content = bytearray(file.read_bytes())
        content[16:24] = struct.pack(">2I", 2**31 - 1, 2**31 - 1)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        file.write_bytes(content)
        assert "0.png: has more than 67108864 pixels" in refusal(tmp_path)
