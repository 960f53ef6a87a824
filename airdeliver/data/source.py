"""Where a set comes from: the Hugging Face hub, a folder in its parquet layout, or a folder of images."""

import difflib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airdeliver.data.dataset import DataError
from airdeliver.data.image_folder import image_files, read_folder

# Short names: the set's place on the hub, and its configuration if it has several.
HUB: dict[str, tuple[str, str | None]] = {
    "cifar10": ("uoft-cs/cifar10", None),
    "cifar100": ("uoft-cs/cifar100", None),
    "mnist": ("ylecun/mnist", None),
    "fashion_mnist": ("zalando-datasets/fashion_mnist", None),
    "svhn": ("ufldl-stanford/svhn", "cropped_digits"),
}
BUILT_IN = ("digits", "digits_and_ink", "digit_scenes", "diabetes", "breast_cancer", "docstrings")
SECONDS_TO_ANSWER = 10


@contextmanager
def opened(name: str, path: Path | None, scratch: Path) -> Iterator[Any]:
    """The rows of every split, as a `datasets.DatasetDict`, for as long as the context lasts.

    Args:
        name: a short name or the hub's name; only a label if there is a path.
        path: a local folder, read without a network.
        scratch: folder for what `datasets` writes while it reads a local folder.

    Raises:
        DataError: one line on what is missing or cannot be read.
    """
    if path is None:
        with _quiet():
            yield _from_hub(name)
    else:
        files = files_of_set(path)
        if files[0].suffix != ".parquet":
            with _quiet():
                yield read_folder(path, files)
            return
        with tempfile.TemporaryDirectory(dir=scratch, prefix="reading-") as temporary, _quiet() as datasets:
            try:
                rows = datasets.load_dataset(str(_linked(path, files, Path(temporary))), cache_dir=temporary)
            except Exception as error:
                raise DataError(_unreadable(files) or f"{path} cannot be read: {_line(error)}") from error
            yield rows


def _linked(path: Path, files: list[Path], scratch: Path) -> Path:
    """A folder of links to the files: `datasets` takes brackets, stars and `::` in a path for patterns of its own."""
    folder = scratch / "set"
    for file in (*files, *path.glob("README.md")):
        link = folder / re.sub(r"[^\w./-]", "-", str(file.relative_to(path)))
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file.resolve())
    return folder


def files_of_set(path: Path) -> list[Path]:
    """The parquet files of a folder, each of which has a readable footer; the images where it holds none of these.

    Raises:
        DataError: no such folder, neither parquet files nor images in it, or a truncated file, which is named.
    """
    import pyarrow.parquet

    wanted = "dataset.path must be a folder of parquet files, or of images in a folder for each class"
    if not path.is_dir():
        raise DataError(f"{wanted}, there is no folder {path}")
    files = sorted(path.rglob("*.parquet"))
    for file in files:
        try:
            pyarrow.parquet.read_metadata(file)
        except Exception as error:
            raise DataError(f"{file} is not a whole parquet file, was it truncated? Copy it again") from error
    files = files or image_files(path)
    if not files:
        raise DataError(f"{wanted}, {path} holds neither")
    return files


def _unreadable(files: list[Path]) -> str | None:
    import pyarrow.parquet

    for file in files:
        try:
            pyarrow.parquet.read_table(file)
        except Exception as error:
            return f"{file} is a damaged parquet file: {_line(error)}"
    return None


def _from_hub(name: str) -> Any:
    import datasets
    import huggingface_hub
    from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled, RepositoryNotFoundError

    place, configuration = HUB.get(name, (name, None))
    try:
        # `datasets` would try for half a minute; this asks once.
        huggingface_hub.HfApi().dataset_info(place, timeout=SECONDS_TO_ANSWER)
    except OfflineModeIsEnabled:
        pass
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise DataError(f"unknown data set {name}: {_advice(name)}") from error
    except Exception as error:
        raise DataError(
            f"data set {name} is not built in and the hub cannot be reached ({_line(error)}): {_advice(name)}"
        ) from error
    try:
        return datasets.load_dataset(place, configuration)
    except Exception as error:
        raise DataError(f"data set {name} cannot be read from the hub: {_line(error)}") from error


def _advice(name: str) -> str:
    nearest = difflib.get_close_matches(name, [*BUILT_IN, *HUB], n=1)
    meant = f"did you mean {nearest[0]}? " if nearest and nearest[0] != name else ""
    return f"{meant}digits needs no network, dataset.path=FOLDER reads a copy in the hub's parquet layout, or images"


def _line(error: BaseException) -> str:
    """The innermost cause, as one short line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (" ".join(str(error).split()) or type(error).__name__)[:200]


@contextmanager
def _quiet() -> Iterator[Any]:
    """`datasets`, without progress bars and warnings; as it was afterwards."""
    import datasets

    level, bars = datasets.logging.get_verbosity(), not datasets.are_progress_bars_disabled()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    datasets.disable_progress_bars()
    try:
        yield datasets
    finally:
        datasets.logging.set_verbosity(level)
        if bars:
            datasets.enable_progress_bars()
