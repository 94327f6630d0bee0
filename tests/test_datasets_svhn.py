"""Street View House Numbers: the images and digits of the published files, and of no others."""

import numpy as np
import pytest
import svhn_files
from click.testing import CliRunner
from published_images import skip_without

from fspinn import datasets
from fspinn.base.errors import DataError
from fspinn.cli import main
from fspinn.datasets import Reading


@pytest.fixture(params=[True, False], ids=["compressed", "plain"])
def files(request, monkeypatch, tmp_path):
    files = svhn_files.contents(compressed=request.param)
    svhn_files.publish(monkeypatch, files)
    svhn_files.place(tmp_path, files)
    monkeypatch.setenv("FSPINN_DATA_DIR", str(tmp_path))
    return files


def refusal():
    with pytest.raises(DataError) as caught:
        datasets.load("svhn")
    return str(caught.value)


def test_images_are_upright_in_colour_and_ten_is_the_digit_zero(files, tmp_path):
    data = datasets.load("svhn", validation=0)
    assert datasets.locate("svhn") == tmp_path / "svhn"
    assert data.image_shape == (32, 32, 3)
    for part, digits in zip((data.train, data.test), svhn_files.DIGITS.values(), strict=True):
        np.testing.assert_array_equal(part.images, svhn_files.images(len(digits)))
        assert [data.class_names[label] for label in part.labels] == [str(digit % 10) for digit in digits]
        assert part.images.flags.c_contiguous
    assert datasets.load("svhn", reading=Reading(grey=True, resize=(8, 8))).image_shape == (8, 8)


def test_info_says_whose_it_is_and_what_may_be_done_with_it(files, tmp_path):
    text = CliRunner().invoke(main, ["data", "info", "svhn", "--data-dir", str(tmp_path)]).stdout
    for words in (
        "10 train, 2 validation, 3 test",
        "32x32x3",
        "Street View House Numbers",
        "non-commercial use only",
    ):
        assert words in text


def test_a_file_cut_or_changed_anywhere_is_told_in_one_line_with_status_two(files, tmp_path):
    path = tmp_path / "svhn" / "test_32x32.mat"
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    damaged = [whole[:length] for length in (0, 1, 127, 128, 136, *random.integers(len(whole), size=20))]
    # The bytes from 144 on say in plain files which type an array is of: flipped, some crash SciPy's reader.
    for place in (0, 124, 126, 128, 132, 145, 184, len(whole) - 1, *random.integers(len(whole), size=40)):
        damaged.append(bytearray(whole))
        damaged[-1][place] ^= 1 << random.integers(8)
    for content in damaged:
        path.write_bytes(content)
        result = CliRunner().invoke(main, ["data", "info", "svhn"])
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            f"fspinn: {path}: wrong checksum, not the published file; remove it and fetch or copy it again\n"
        )


def test_a_file_that_is_missing_is_named(files, tmp_path):
    path = tmp_path / "svhn" / "test_32x32.mat"
    path.unlink()
    assert refusal().startswith(f"{path}: no such file; run `fspinn data fetch svhn --data-dir {tmp_path}`")


def test_a_file_that_cannot_be_read_is_told(files, tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("hashlib.file_digest", broken)
    assert refusal() == f"{tmp_path / 'svhn' / 'train_32x32.mat'}: Input/output error; make it readable"


def test_svhn_is_svhn():
    skip_without("svhn")
    data = datasets.load("svhn", validation=0)
    assert (len(data.train), len(data.test), data.image_shape) == (73257, 26032, (32, 32, 3))
    np.testing.assert_array_equal(
        np.bincount(data.test.labels), [1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595]
    )
