"""The IDX reader: either the array that was written, or one clear line."""

import contextlib
import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fspinn.base.errors import DataError
from fspinn.datasets import read_idx

fuzz = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def encode(array, kind=8):
    header = bytes((0, 0, kind, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def read(folder, content, dimensions=3):
    path = folder / "file"
    path.write_bytes(content)
    return read_idx(path, dimensions)


def refusal(folder, content, dimensions=3):
    with pytest.raises(DataError) as caught:
        read(folder, content, dimensions)
    message = str(caught.value)
    assert message.startswith(str(folder / "file"))
    assert "; " in message, "the mend stands after a semicolon"
    assert "\n" not in message
    return message


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@given(array=arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, max_side=9)))
@fuzz
def test_what_was_written_is_read(tmp_path, pack, array):
    dimensions = array.ndim
    result = read(tmp_path, pack(encode(array)), dimensions)
    np.testing.assert_array_equal(result, array)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert result.flags.writeable


@given(content=st.binary(max_size=200), dimensions=st.sampled_from([1, 3]))
@fuzz
def test_any_bytes_are_an_array_or_refused(tmp_path, content, dimensions):
    with contextlib.suppress(DataError):
        assert read(tmp_path, content, dimensions).size > 0


@given(
    shape=st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 5), min_size=3, max_size=3),
    content=st.binary(max_size=130),
    pack=st.sampled_from([bytes, gzip.compress]),
)
@fuzz
def test_any_header_is_an_array_or_refused(tmp_path, shape, content, pack):
    try:
        result = read(tmp_path, pack(b"\0\0\x08\x03" + struct.pack(">3I", *shape) + content))
    except DataError:
        return
    assert result.tobytes() == content


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_cut_anywhere_is_refused(tmp_path, pack):
    whole = pack(encode(IMAGES))
    for length in range(len(whole)):
        refusal(tmp_path, whole[:length])


def test_a_gzip_file_with_any_bit_flipped_gives_the_same_images_or_is_refused(tmp_path):
    whole = gzip.compress(encode(IMAGES), mtime=0)
    refused = 0
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            np.testing.assert_array_equal(read(tmp_path, flipped), IMAGES)
        except DataError:
            refused += 1
    assert refused > 6 * len(whole), "only a few header bits (time, system) carry no meaning"


def test_an_empty_file_is_named_so(tmp_path):
    assert "the file is empty" in refusal(tmp_path, b"")


def test_another_kind_of_file_is_refused_by_its_first_bytes(tmp_path):
    assert "not an IDX file (starts with 89504e47)" in refusal(tmp_path, b"\x89PNG\r\n\x1a\n")


def test_other_types_than_unsigned_bytes_are_refused(tmp_path):
    message = refusal(tmp_path, encode(IMAGES, kind=0x0D))
    assert "values of IDX type 0x0d; convert them to unsigned bytes" in message


def test_labels_where_images_belong_are_told_apart(tmp_path):
    message = refusal(tmp_path, encode(IMAGES[:, 0, 0]), 3)
    assert "1 dimension(s) where images have 3; check that images and labels are not swapped" in message
    assert "3 dimension(s) where labels have 1" in refusal(tmp_path, encode(IMAGES), 1)


def test_truncation_is_told_with_counts(tmp_path):
    assert "truncated within its header" in refusal(tmp_path, encode(IMAGES)[:9])
    assert "truncated, 23 of the 24 values that shape (2, 3, 4) needs" in refusal(
        tmp_path, encode(IMAGES)[:-1]
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_trailing_bytes_are_refused(tmp_path, pack):
    assert "more than the 24 bytes of shape (2, 3, 4)" in refusal(tmp_path, pack(encode(IMAGES) + b"\0"))


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_no_images_or_images_of_no_size_are_refused(tmp_path, shape):
    message = refusal(tmp_path, encode(np.zeros(shape, np.uint8)))
    assert f"holds no values (shape {shape})" in message


def test_a_damaged_gzip_file_is_named_so(tmp_path):
    whole = bytearray(gzip.compress(encode(IMAGES)))
    assert "damaged gzip file" in refusal(tmp_path, whole[:-4])
    whole[-6] ^= 1
    assert "damaged gzip file (CRC check failed" in refusal(tmp_path, whole)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_header_that_lies_allocates_nothing(tmp_path, pack):
    content = pack(b"\0\0\x08\x03" + struct.pack(">3I", 4_000_000, 32, 32) + bytes(100))
    tracemalloc.start()
    try:
        assert "truncated, 100 of the 4096000000 values" in refusal(tmp_path, content)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_read_no_further_than_its_header_promises(tmp_path):
    bomb = gzip.compress(encode(IMAGES) + bytes(64 << 20), compresslevel=1)
    tracemalloc.start()
    try:
        assert "more than the 24 bytes" in refusal(tmp_path, bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_more_than_four_gigabytes_are_refused_from_the_header(tmp_path):
    content = b"\0\0\x08\x03" + struct.pack(">3I", *[2**32 - 1] * 3)
    assert "its header promises 79228162458924105385300197375 bytes" in refusal(tmp_path, content)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent: No such file or directory; name an IDX file"):
        read_idx(tmp_path / "absent", 3)
    with pytest.raises(DataError, match=r"Is a directory|Permission denied"):
        read_idx(tmp_path, 3)
