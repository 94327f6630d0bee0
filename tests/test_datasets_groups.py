"""Groups are never divided; numbers beside samples and real recordings are read as they are."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_data import refusal, saver
from PIL import Image
from published_images import user_file

from fspinn import datasets
from fspinn.base.errors import DataError, FspinnWarning
from fspinn.datasets import Split
from fspinn.datasets.arrays import as_dataset
from fspinn.datasets.labelled import labelled
from fspinn.datasets.splitting import assemble

PARTS = ("train", "validation", "test")
IMAGES = np.arange(40 * 6, dtype=np.uint8).reshape(40, 2, 3)
LABELS = np.arange(40) % 2
GROUPS = np.arange(40) // 4


@pytest.fixture
def npz(tmp_path):
    return saver(tmp_path / "own.npz")


# --- groups -----------------------------------------------------------------------------------------


@given(
    groups=st.lists(st.integers(-3, 9), min_size=6, max_size=60).filter(lambda groups: len(set(groups)) > 2),
    seed=st.integers(0, 2**64 - 1),
    tested=st.booleans(),
)
@settings(max_examples=100, deadline=None, database=None)
def test_no_group_is_in_two_parts(groups, seed, tested):
    n = len(groups)
    images = np.arange(4 * n, dtype=np.uint8).reshape(n, 2, 2)
    read = labelled(images, np.zeros(n, int), "a", "b", groups=np.array(groups))
    test = labelled(images[:1], np.zeros(1, int), "a", "b", groups=np.array([99])) if tested else None
    data = assemble("own", read, test, None, None, seed)
    found = [set(getattr(data, part).groups.tolist()) for part in PARTS]
    assert all(found[:1])
    for one, other in combinations(found, 2):
        assert not one & other
    assert sum(len(getattr(data, part)) for part in PARTS) == n + tested
    again = assemble("own", read, test, None, len(data.validation), seed)
    np.testing.assert_array_equal(again.validation.images, data.validation.images)


@pytest.mark.parametrize("name", ["groups", "patient", "train_record"])
def test_whole_groups_are_held_out(npz, name):
    path = npz(images=IMAGES, labels=LABELS, **{name: GROUPS})
    data = datasets.load(path, validation=9)
    assert [len(np.unique(getattr(data, part).groups)) for part in PARTS] == [6, 2, 2]
    assert len(data.validation) == 8
    np.testing.assert_array_equal(data.test.groups, datasets.load(path, seed=3).test.groups)
    assert len({tuple(datasets.load(path, seed=seed).validation.groups) for seed in range(9)}) > 3
    assert len(datasets.load(path, validation=0).validation) == 0


def test_a_class_of_which_none_is_left_to_train_on_is_refused(npz):
    path = npz(images=IMAGES, labels=LABELS, groups=GROUPS)
    of = {part: np.unique(getattr(datasets.load(path), part).groups)[0] for part in PARTS}
    rare = {part: np.where(group == GROUPS.astype(str), 1, 0) for part, group in of.items()}
    words = "all images of class '1' were held out for validation or test, and none is left to train on; "
    message = refusal(npz(images=IMAGES, labels=rare["test"], groups=GROUPS))
    assert message.endswith(words + "give more groups that have it")
    path = npz(images=IMAGES, labels=rare["validation"], groups=GROUPS)
    fix = "hold out fewer with --validation, choose others with --seed, or give more groups that have it"
    assert refusal(path).endswith(words + fix)
    with pytest.warns(FspinnWarning, match=r"test has no image of class '1', so that is not measured there"):
        assert datasets.load(path, validation=0).class_names == ("0", "1")
    path = npz(images=IMAGES, labels=rare["train"], groups=GROUPS)
    with pytest.warns(FspinnWarning) as caught:
        datasets.load(path)
    assert [str(one.message).split(": ")[1].split(",")[0] for one in caught] == [
        f"{part} has no image of class '1'" for part in ("validation", "test")
    ]


def test_without_groups_a_class_needs_an_image_to_train_on_too(npz):
    chosen = datasets.load(npz(images=IMAGES, labels=LABELS)).test.images[0]
    labels = np.where((chosen == IMAGES).all(axis=(1, 2)), "rare", "usual")
    message = refusal(npz(images=IMAGES, labels=labels))
    assert message.endswith(
        "'rare' were held out for validation or test, and none is left to train on; give more images of it"
    )


def test_folders_inside_those_of_classes_are_groups(tmp_path):
    for number in range(24):
        folder = tmp_path / f"class{number % 2}" / f"speaker{number // 2 % 4}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[number]).save(folder / f"{number}.png")
    data = datasets.load(tmp_path)
    assert sorted(np.unique(np.concatenate([getattr(data, part).groups for part in PARTS]))) == [
        f"speaker{number}" for number in range(4)
    ]
    assert [len(getattr(data, part)) for part in PARTS] == [12, 6, 6]
    Image.fromarray(IMAGES[0]).save(tmp_path / "class1" / "alone.png")
    assert "alone.png: is in no group, but " in refusal(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (
            {"groups": GROUPS[1:]},
            "groups are int64 of shape (39,); give one whole number or name for each of the",
        ),
        ({"groups": GROUPS / 1}, "groups are float64 of shape (40,); give one"),
        (
            {"groups": GROUPS * 0},
            "all are of group '0', of which none can be held out for test; give more groups",
        ),
        (
            {"groups": GROUPS, "test_images": IMAGES, "test_labels": LABELS, "test_groups": GROUPS + 9},
            "group '9' is in training and in test, which must not know each other; move it to one of the two",
        ),
        (
            {"groups": GROUPS, "test_images": IMAGES, "test_labels": LABELS},
            "only one of training and test has groups; give both, or neither",
        ),
        (
            {
                "groups": GROUPS * 0,
                "test_images": IMAGES,
                "test_labels": LABELS,
                "test_groups": GROUPS + 9,
            },
            "none can be held out for validation; give more groups, or --validation 0",
        ),
    ],
)
def test_groups_that_make_no_sense_are_refused(npz, arrays, words):
    assert words in refusal(npz(images=IMAGES, labels=LABELS, **arrays))


def test_a_split_keeps_what_belongs_to_its_images():
    groups, features = GROUPS.astype(str), GROUPS[:, None].astype(np.float32)
    split = Split(IMAGES, LABELS, ("a", "b"), groups, features)
    for part in (split.first(7), split.part(np.array([3, 1])), split.part(LABELS == 1)):
        np.testing.assert_array_equal(part.groups, GROUPS[part.images[:, 0, 0] // 6].astype(str))
        np.testing.assert_array_equal(part.features[:, 0], part.groups.astype(np.float32))
    assert split.in_classes(("b", "a"), "own").groups is groups
    data = as_dataset(Split(IMAGES, LABELS, None, groups, features))
    assert (data.feature_names, data.train.groups is groups) == (("feature 0",), True)
    with pytest.raises(
        DataError, match=r"^Split.groups: int64 of shape \(40,\); make it str of shape \(40,\)"
    ):
        Split(IMAGES, LABELS, None, GROUPS)
    with pytest.raises(
        DataError, match=r"^Split.features: float64 of shape \(40,\); make it float32 of shape"
    ):
        Split(IMAGES, LABELS, None, None, GROUPS / 1)


# --- features ---------------------------------------------------------------------------------------


def test_numbers_beside_the_samples_are_features(npz):
    features = np.stack([np.arange(40), -np.arange(40)], axis=1).astype(np.int16)
    data = datasets.load(
        npz(images=IMAGES, labels=LABELS, features=features, feature_names=np.array(["before", "after"]))
    )
    assert data.feature_names == ("before", "after")
    for part in PARTS:
        split = getattr(data, part)
        assert split.features.dtype == np.float32
        np.testing.assert_array_equal(split.features[:, 0], split.images[:, 0, 0] // 6)
    plain = datasets.load(npz(images=IMAGES, labels=LABELS))
    assert (plain.train.features, plain.feature_names) == (None, ())
    assert plain.checksum != data.checksum
    assert datasets.load(npz(images=IMAGES, labels=LABELS, rr=GROUPS)).feature_names == ("rr 0",)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (
            {"features": np.zeros((39, 2))},
            "features: float64 of shape (39, 2); give numbers of shape (40, k)",
        ),
        ({"features": np.array(["a"] * 40)}, "features: <U1 of shape (40, 1); give numbers"),
        (
            {"features": np.where(GROUPS == 2, np.nan, 0)},
            "features: row 8 holds NaN or infinity; fill the gap",
        ),
        (
            {"features": GROUPS, "feature_names": np.array(["a", "b"])},
            "feature_names: 2 names for the 1 columns of features; give each a name of its own",
        ),
        (
            {"features": GROUPS, "test_images": IMAGES, "test_labels": LABELS},
            "features for training and test differ; give both the same columns",
        ),
    ],
)
def test_features_that_make_no_sense_are_refused(npz, arrays, words):
    assert words in refusal(npz(images=IMAGES, labels=LABELS, **arrays))


# --- JPEG bytes -------------------------------------------------------------------------------------


def test_jpeg_files_one_after_the_other_are_images(npz):
    import io

    files = []
    for shade in range(20):
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (10 * shade, 0, 0)).save(file, "JPEG")
        files.append(np.frombuffer(file.getvalue(), np.uint8))
    jpeg, offsets = np.concatenate(files), np.cumsum([0, *map(len, files)])
    labels = LABELS[:20]
    data = datasets.load(npz(train_jpeg=jpeg, train_offsets=offsets, train_labels=labels))
    assert data.image_shape == (8, 8, 3)
    for wrong in (offsets[:-1], offsets[::-1], offsets / 1):
        assert "train_jpeg: not JPEG files one after the other; give their bytes as uint8" in refusal(
            npz(train_jpeg=jpeg, train_offsets=wrong, train_labels=labels)
        )
    moved = offsets.copy()
    moved[3] -= 5
    assert "train_jpeg: picture " in refusal(npz(train_jpeg=jpeg, train_offsets=moved, train_labels=labels))


# --- real recordings --------------------------------------------------------------------------------


def test_heartbeats_are_read_as_they_are():
    data = datasets.load(user_file("ecg/mitbih_beats_aami.npz"))
    assert (data.image_shape, data.class_names) == ((1, 128), ("N", "S", "V", "F", "Q"))
    assert len(data.train) + len(data.validation) == 51001
    assert np.bincount(data.test.labels).tolist() == [44239, 1837, 3220, 388, 7]
    records = [set(getattr(data, part).groups.tolist()) for part in PARTS]
    assert not records[0] & records[1]
    assert len(records[0] | records[1]) == len(records[2]) == 22
    assert data.train.features.shape == (len(data.train), 2)


def test_colour_pictures_are_read_as_they_are():
    data = datasets.load(user_file("cifar10/cifar10_first4000_test1000.npz"))
    assert data.image_shape == (32, 32, 3)
    assert np.bincount(data.test.labels).tolist() == [103, 89, 100, 103, 90, 86, 112, 102, 106, 109]


def test_events_are_read_as_they_are():
    data = datasets.load(user_file("nmnist/nmnist_small.npz"))
    assert data.image_shape == (34, 34, 2)
    assert [len(getattr(data, part)) for part in PARTS] == [834, 166, 100]
    images = [data.train.images, data.validation.images]
    assert sum(len(part.x) for part in images) == 4_133_231
    assert np.bincount(data.test.labels).tolist() == [8, 14, 8, 11, 14, 7, 10, 15, 2, 11]
