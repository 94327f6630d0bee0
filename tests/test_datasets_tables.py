"""CSV files: one sample a row, the class in a named column."""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_data import refusal

from fspinn import datasets
from fspinn.base.errors import ConfigError, DataError, FspinnWarning
from fspinn.datasets import Reading, Scale, read_images

VALUES = np.random.default_rng(0).integers(0, 256, (12, 6))
NAMES = ["cat", "dog"]


def rows(values=VALUES, header="a,b,label,c,d,e,f", label=lambda k: NAMES[k % 2]):
    lines = [[*row[:2], label(k), *row[2:]] for k, row in enumerate(values.tolist())]
    return "\n".join([header, *(",".join(map(str, line)) for line in lines)]) + "\n"


@pytest.fixture
def csv(tmp_path):
    def save(text, name="own.csv"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / name

    return save


def test_rows_are_signals(csv):
    data = datasets.load(csv(rows()), validation=0)
    assert (data.image_shape, data.class_names, len(data.train)) == ((1, 6), ("cat", "dog"), 10)
    by_class = np.array(data.class_names)[data.train.labels]
    expected = {bytes(row): NAMES[k % 2] for k, row in enumerate(data.scale.applied(VALUES)[:, 0])}
    assert by_class.tolist() == [expected[bytes(image[0])] for image in data.train.images]


def test_rows_are_images_of_a_shape(csv):
    data = datasets.load(csv(rows()), validation=0, reading=Reading(shape=(3, 2)))
    assert (data.image_shape, data.scale) == ((3, 2), None)
    assert {image.tobytes() for image in data.train.images} < {
        row.astype(np.uint8).tobytes() for row in VALUES
    }
    assert datasets.load(csv(rows()), reading=Reading(shape=(1, 2, 3))).image_shape == (1, 2, 3)
    with pytest.warns(FspinnWarning, match="floats from 0 to 1 became"):
        data = datasets.load(csv(rows(VALUES / 255)), reading=Reading(shape=(3, 2)))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_are_named_and_separated_in_the_usual_ways(csv, separator):
    text = "\ufeff" + rows(header='"a",b,kind,c,d,e,f').replace(",", separator).replace("\n", "\r\n") + "\r\n"
    data = datasets.load(csv(text), reading=Reading(label="kind"))
    assert data.class_names == ("cat", "dog")


def test_labels_that_are_all_whole_numbers_are_in_their_order(csv):
    data = datasets.load(csv(rows(label=lambda k: [10, 9, -1][k % 3])))
    assert data.class_names == ("-1", "9", "10")
    assert datasets.load(csv(rows(label=lambda k: ["01", "1"][k % 2]))).class_names == ("01", "1")
    assert datasets.load(csv(rows(label=lambda k: 10**25 + k % 2))).n_classes == 2


def test_a_column_of_groups_is_not_divided(csv):
    header, *lines = rows().splitlines()
    grouped = "\n".join([f"{header},group", *(f"{line},p{k // 3}" for k, line in enumerate(lines))])
    data = datasets.load(csv(grouped), validation=2)
    parts = [set(part.groups) for part in (data.train, data.validation, data.test)]
    assert [len(part) for part in parts] == [2, 1, 1]
    assert data.image_shape == (1, 6)


def test_a_folder_may_have_a_test_set(csv, tmp_path):
    csv(rows(), "train.csv")
    assert len(datasets.load(tmp_path).test) == 2
    csv(rows(VALUES[:3]), "test.csv")
    assert len(datasets.load(tmp_path).test) == 3
    csv(rows(VALUES[:3, :5], header="a,b,label,c,d,e"), "test.csv")
    assert "test.csv: has no column 'f', which the training data have; add it" in refusal(tmp_path)


def test_a_file_without_labels_is_answered(csv):
    path = csv("a,b\n1,2\n3,4\n")
    (source,) = read_images(path, scale=Scale((0.0,), (255.0,)))
    assert source.images.tolist() == [[[1, 2]], [[3, 4]]]
    (source,) = read_images(path, Reading(shape=(2, 1)))
    assert source.images.tolist() == [[[1], [2]], [[3], [4]]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty; give a header and one sample a row"),
        ("label,a\n", "has a header only; give one sample a row"),
        ("label\nx\n", "has no columns of values; give some beside 'label'"),
        (rows().replace("label", "kind"), "has no column 'label' (it has a, b, kind, c, d, e, f); name that"),
        ("label,a\nx,1\ny\n", "line 3 has 1 values, the header 2; make them as many"),
        (
            "label,a,b\nx,1,2\ny,1,two\n",
            "line 3: 'two' in column 'b' is not a number; fill it in, or leave the",
        ),
        ("label,a\nx,\n", "line 2: '' in column 'a' is not a number"),
        ("label,a\nx,nan\n", "line 2: 'nan' in column 'a' is not a number"),
        ('label,a\n"x,1\n', "cannot be read as CSV (unexpected end of data); save it again as CSV in UTF-8"),
        (b"label,a\n\xff,1\n", "cannot be read as CSV ('utf-8' codec"),
    ],
)
def test_what_is_wrong_is_said(csv, text, words):
    path = csv(text)
    assert refusal(path).startswith(f"{path}: {words}")


def test_a_shape_must_fit_the_columns_and_pixels_8_bits(csv):
    assert "6 values a row are not 2x2; give another --shape, or leave other" in refusal(
        csv(rows()), shape=(2, 2)
    )
    assert "pixels from 1 to 256 are not within 0 to 255; scale them" in refusal(
        csv("label,a\nx,1\nx,256\n"), shape=(1, 1)
    )
    assert "holds signals, not images; leave --grey out" in refusal(csv(rows()), ConfigError, grey=True)


@given(content=st.text(st.sampled_from('la,;\n"01.x\t-'), max_size=60))
@settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_is_read_or_refused(csv, content):
    path = csv("label,a\n" + content)
    with contextlib.suppress(DataError):
        assert datasets.load(path).image_shape == (1, 1)


SHUFFLED = [4, 0, 5, 2, 1, 3]


def written(columns, values):
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in values.tolist())]) + "\n"


def test_columns_of_train_and_test_are_matched_by_name(csv, tmp_path):
    csv(rows(), "train.csv")
    names = np.array(["a", "b", "c", "d", "e", "f"])[SHUFFLED]
    shuffled = written(["label", *names], np.column_stack([np.zeros(12, int), VALUES[:, SHUFFLED]]))
    csv(shuffled.replace("\n0,", "\ncat,"), "test.csv")
    data = datasets.load(tmp_path)
    np.testing.assert_array_equal(data.test.images, data.scale.applied(VALUES))
    assert data.reading.columns == ("a", "b", "c", "d", "e", "f")
    csv(rows(header="a,b,label,c,d,e,other"), "test.csv")
    assert "test.csv: has no column 'f', which the training data have; add it" in refusal(tmp_path)
    csv(rows(np.column_stack([VALUES, VALUES[:, 0]]), header="a,b,label,c,d,e,f,other"), "test.csv")
    assert "test.csv: has column 'other', which the training data do not have; leave it out, or" in refusal(
        tmp_path
    )
    csv(rows(np.column_stack([VALUES, VALUES[:, 0]]), header="b,a,label,c,d,e,f,f"), "test.csv")
    twice = "more than once, or the training data do; name each once"
    assert f"test.csv: has column 'f' {twice}" in refusal(tmp_path)
    csv(rows(header="a,a,label,b,c,d,e"), "train.csv")
    for header in ("a,b,label,a,c,d,e", "b,a,label,c,d,e,e"):
        csv(rows(header=header), "test.csv")
        assert f"test.csv: has column 'a' {twice}" in refusal(tmp_path)


def test_columns_to_answer_are_matched_by_name_too(csv):
    scale, how = Scale((0.0,), (255.0,)), Reading(columns=("a", "b"))
    for text in ("b,a\n2,1\n4,3\n", "b,label,a\n2,x,1\n4,y,3\n", "1,2\n3,4\n"):
        (source,) = read_images(csv(text), how, scale)
        assert source.images.tolist() == [[[1, 2]], [[3, 4]]]
    with pytest.raises(DataError, match=r"has no column 'b', which the training data have; add it$"):
        read_images(csv("a,c\n1,2\n"), how, scale)
    with pytest.raises(
        DataError, match=r"3 values a row, where the training data have 2 columns; leave others"
    ):
        read_images(csv("1,2,3\n4,5,6\n"), how, scale)
    for text in ("1,0\n2,1\n", "1.5,0.5\n1,2\n"):
        (source,) = read_images(csv(text), Reading(columns=("0", "1")), scale)
        assert source.images[-1].tolist() == [[1, 2]]


def test_a_file_without_labels_may_have_no_header(csv):
    scale = Scale((0.0,), (255.0,))
    for text, count in (("7,9\n1,2\n", 2), ("0,1\n1,2\n", 1), ("a,1\n1,2\n", 1)):
        (source,) = read_images(csv(text), scale=scale)
        assert source.images[-1].tolist() == [[1, 2]]
        assert len(source) == count


def test_of_many_columns_those_that_may_be_meant_are_shown(csv):
    names = [f"pixel{number}" for number in range(30)]
    message = refusal(csv(",".join([*names, "kind"]) + "\n"))
    assert "(it has pixel0, pixel1, pixel2, pixel3, pixel4, pixel26, " in message
    assert "pixel29, kind and 21 more); name that of classes with --label" in message
    names[12] = "Label"
    assert "(it has Label, pixel0, " in refusal(csv(",".join(names) + "\n"))


def test_what_kind_of_numbers_a_file_holds_does_not_depend_on_their_values(csv):
    pixels = ["label,a,b,c,d", *(f"{number % 2},0.0,1.0,0.0,1.0" for number in range(10))]
    as_floats = datasets.load(csv("\n".join(pixels)), validation=0, reading=Reading(shape=(2, 2)))
    assert as_floats.train.images[0].tolist() == [[0, 255], [0, 255]]
