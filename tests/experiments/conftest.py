"""Sweeps of seconds on the digits."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.store import Store
from experiments.sweep import main

SMALL = (
    "experiment=demo",
    "scheme=[clean,noise]",
    "snr_db=[0,10]",
    "realizations=3",
    "test_images=60",
    "training.epochs=2",
    "fine_tuning.epochs=1",
)


@dataclass(frozen=True)
class Run:
    """A finished sweep: its folder holds the table and its store."""

    folder: Path

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    @property
    def table(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "results.parquet")

    @property
    def reproducible(self) -> pd.DataFrame:
        """The table without what may differ between runs of the same work."""
        table = self.table
        return table[[name for name in table.columns if not name.endswith("_seconds")]]

    def events(self, event: str, stage: str) -> list[dict[str, Any]]:
        return [e for e in self.store.journal.read() if e["event"] == event and e["stage"] == stage]

    @property
    def arguments(self) -> list[str]:
        return [f"store={self.folder / 'store'}", f"hydra.run.dir={self.folder}"]


class Sweeps:
    """Runs small sweeps; later arguments win."""

    def here(self, folder: Path, *arguments: str) -> Run:
        """In this process."""
        run = Run(folder)
        main([*SMALL, *arguments, *run.arguments])
        return run

    def refused(self, folder: Path, *arguments: str) -> str:
        """The one line with which a sweep ends that cannot be done."""
        with pytest.raises(SystemExit) as ended:
            self.here(folder, *arguments)
        assert isinstance(ended.value.code, str), ended.value.code
        assert "\n" not in ended.value.code
        return ended.value.code


@pytest.fixture(scope="session")
def sweeps() -> Sweeps:
    return Sweeps()


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """The arguments of a small sweep."""
    return SMALL


@pytest.fixture(scope="session")
def undisturbed(sweeps: Sweeps, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished small sweep; not to be changed."""
    return sweeps.here(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def finished(undisturbed: Run, tmp_path: Path) -> Run:
    """A copy of a finished small sweep."""
    shutil.copytree(undisturbed.folder, tmp_path / "run")
    return Run(tmp_path / "run")
