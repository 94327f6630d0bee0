"""Which data sets does fspinn know by name, and where do they come from?"""

import difflib
from dataclasses import dataclass

from fspinn.base.errors import DataError


@dataclass(frozen=True)
class BuiltIn:
    """A data set that is known by name.

    Parameters
    ----------
    name : str
        What a person types.
    images : tuple of int
        Number of images for training (validation included) and for test.
    image_shape : tuple of int
        Height and width in pixels.
    class_names : tuple of str
        What a person calls the classes.
    source, licence : str
        Whose it is and what may be done with it.
    checksums : dict of str to str
        SHA-256 of every file by its name; empty where nothing is to be downloaded.
    mirrors : tuple of str
        Addresses of the folders that hold the files, best first.
    """

    name: str
    images: tuple[int, int]
    image_shape: tuple[int, int]
    class_names: tuple[str, ...]
    source: str
    licence: str
    checksums: dict[str, str]
    mirrors: tuple[str, ...]

    @property
    def embedded(self) -> bool:
        """Whether it comes with the installation."""
        return not self.checksums


TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"

_NUMERALS = tuple("0123456789")

_BUILT_IN = (
    BuiltIn(
        name="digits",
        images=(1438, 359),
        image_shape=(8, 8),
        class_names=_NUMERALS,
        source="Optical Recognition of Handwritten Digits (Alpaydin, Kaynak, UCI), as in scikit-learn",
        licence="CC BY 4.0",
        checksums={},
        mirrors=(),
    ),
    BuiltIn(
        name="mnist",
        images=(60000, 10000),
        image_shape=(28, 28),
        class_names=_NUMERALS,
        source="MNIST (LeCun, Cortes, Burges)",
        licence="CC BY-SA 3.0 (as commonly stated)",
        checksums={
            TRAIN_IMAGES: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            TRAIN_LABELS: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            TEST_IMAGES: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            TEST_LABELS: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
    BuiltIn(
        name="fashion-mnist",
        images=(60000, 10000),
        image_shape=(28, 28),
        class_names=(
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        source="Fashion-MNIST (Xiao, Rasul, Vollgraf, Zalando Research)",
        licence="MIT",
        checksums={
            TRAIN_IMAGES: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            TRAIN_LABELS: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            TEST_IMAGES: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            TEST_LABELS: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            # Amazon serves a bucket's website without TLS only; the checksums make up for it.
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
    ),
    BuiltIn(
        name="kmnist",
        images=(60000, 10000),
        image_shape=(28, 28),
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        source="KMNIST (created by CODH), adapted from Kuzushiji Dataset (NIJL and others), "
        "doi:10.20676/00000341",
        licence="CC BY-SA 4.0",
        checksums={
            TRAIN_IMAGES: "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            TRAIN_LABELS: "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            TEST_IMAGES: "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            TEST_LABELS: "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
        mirrors=(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            # The Internet Archive's copy, bytes as they were (id_); the closest capture to that year.
            "https://web.archive.org/web/2022id_/http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
    ),
)

catalogue: dict[str, BuiltIn] = {entry.name: entry for entry in _BUILT_IN}


def names() -> tuple[str, ...]:
    """Return the names of the built-in data sets."""
    return tuple(catalogue)


def find(name: str) -> BuiltIn:
    """Return the built-in data set of that name.

    Raises
    ------
    DataError
        If there is none.
    """
    if name not in catalogue:
        raise unknown(name, "no built-in data set of that name")
    return catalogue[name]


def unknown(name: str, what: str) -> DataError:
    """Return the error for a name that means nothing, with what was probably meant."""
    close = difflib.get_close_matches(name.lower().replace("_", "-"), catalogue, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return DataError(
        f"{name!r}: {what}; {hint}give {', '.join(catalogue)}, or where images are read the path of your own "
        "(.npz, IDX, or a folder of PNGs per class)"
    )
