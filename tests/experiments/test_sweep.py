"""The main job, end to end on the digits."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import earlier
from experiments.store import pruning, source
from experiments.store.__main__ import main as store_command
from experiments.store.key import code
from experiments.sweep import main
from experiments.table import COLUMNS
from tests.experiments.conftest import SMALL, Run

OWN = """
from dataclasses import dataclass
from channels import AWGN

@dataclass(frozen=True)
class Dull(AWGN):
    loss_db: float = {loss}

    def realize(self, realizations, n, snr_db, generator):
        return super().realize(realizations, n, snr_db - self.loss_db, generator)
"""


def test_table_has_the_columns_and_sensible_numbers(undisturbed):
    table = undisturbed.table
    assert tuple(table.columns) == COLUMNS
    assert list(zip(table["scheme"], table["snr_db"])) == [("clean", 0), ("clean", 10), ("noise", 0), ("noise", 10)]
    assert ((table["accuracy_low"] <= table["accuracy"]) & (table["accuracy"] <= table["accuracy_high"])).all()
    assert (table["channel_uses_spent"] <= table["channel_uses"]).all()
    assert table["power"].between(0.99, 1.0001).all()
    assert (table["calibration_inputs"] == 60).all()
    low, high = table["train_snr_db_low"], table["train_snr_db_high"]
    assert (low < high).tolist() == [False, False, True, True]
    assert table["train_snr_db"].tolist()[2:] == ((low + high) / 2).tolist()[2:]
    assert np.isnan(table["train_snr_db"][0])
    assert table["train_channel"].tolist() == ["", "", "awgn", "awgn"]


def test_provenance_tells_where_the_table_comes_from(undisturbed):
    provenance = json.loads((undisturbed.folder / "provenance.json").read_text())
    assert provenance["seeds"] == [0]
    assert provenance["config"]["training"]["epochs"] == 2
    assert provenance["work"] == {"cells": 4, "trainings": 2, "computed": 6}
    assert {"python", "torch"} <= set(provenance["versions"])
    assert provenance["command"].startswith("python -m experiments.sweep experiment=demo")


def test_same_seed_same_bytes_and_another_seed_another_table(sweeps, undisturbed, tmp_path: Path):
    again = sweeps.here(tmp_path / "again")
    pd.testing.assert_frame_equal(again.reproducible, undisturbed.reproducible, check_exact=True)
    folders = [again.folder, undisturbed.folder]
    for run, folder in zip((again, undisturbed), folders):
        run.reproducible.to_parquet(folder / "reproducible.parquet", index=False)
    first, second = [(folder / "reproducible.parquet").read_bytes() for folder in folders]
    assert first == second
    other = sweeps.here(tmp_path / "other", "seeds=[1]")
    assert not np.array_equal(other.table["accuracy"], undisturbed.table["accuracy"])


@pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=pytest.mark.slow)])
def test_same_table_with_every_engine(sweeps, undisturbed, tmp_path: Path, engine: str):
    run = sweeps.here(tmp_path, f"engine={engine}")
    pd.testing.assert_frame_equal(run.reproducible, undisturbed.reproducible, check_exact=True)


def test_a_repeated_sweep_does_no_work(sweeps, finished, capsys):
    before = (finished.folder / "results.parquet").read_bytes()
    started = len(list(finished.store.journal.read()))
    sweeps.here(finished.folder)
    assert (finished.folder / "results.parquet").read_bytes() == before
    assert len(list(finished.store.journal.read())) == started
    assert "all of them are in" in capsys.readouterr().out


def test_a_larger_sweep_adds_only_what_is_missing(sweeps, finished):
    sweeps.here(finished.folder, "snr_db=[0,5,10]")
    assert len(finished.events("started", "training")) == 2
    assert len(finished.events("started", "cell")) == 6
    assert len(finished.table) == 6


def test_damaged_work_is_made_again(sweeps, finished, capsys):
    store, before = finished.store, finished.reproducible
    cell = next(iter(store.keys("cell")))
    # One that this cell needs: a damaged network whose cells are finished is not wanted again.
    training = store.description("cell", cell)["trainings"][-1]
    store.path("cell", cell).write_text("{")
    store.path("training", training).with_suffix(".safetensors").write_bytes(b"")
    sweeps.here(finished.folder)
    assert len(finished.events("started", "cell")) == 5
    pd.testing.assert_frame_equal(finished.reproducible, before, check_exact=True)
    assert "is damaged" in capsys.readouterr().out


def test_a_table_needs_no_network_that_is_no_longer_there(sweeps, finished):
    """Whatever the networks of finished cells tell the table is kept with the cells."""
    before = finished.reproducible
    for key in list(finished.store.keys("training")):
        finished.store.remove("training", key)
    sweeps.here(finished.folder)
    assert not finished.store.has("training", key)
    assert len(finished.events("started", "training")) == 2
    pd.testing.assert_frame_equal(finished.reproducible, before, check_exact=True)


def test_editing_an_own_channel_computes_again_what_used_it(sweeps, tmp_path: Path, monkeypatch):
    """A comment does not; its code does, but trains nothing again."""
    monkeypatch.syspath_prepend(tmp_path)
    own = ("channel=[awgn]", "channel._target_=dull.Dull", "scheme=[clean]", "snr_db=[5]", "conformance=off")
    run = sweeps.here(tmp_path, "scheme=[clean]", "snr_db=[5]")

    def cells(text: str) -> int:
        (tmp_path / "dull.py").write_text(text)
        sys.modules.pop("dull", None)
        importlib.invalidate_caches()
        source.forget()
        sweeps.here(tmp_path, *own)
        return len(run.events("started", "cell"))

    assert cells(OWN.format(loss=30)) == 2
    assert cells(OWN.format(loss=30) + "# a comment\n") == 2
    assert cells(OWN.format(loss=1 - 1)) == 3
    assert len(run.events("started", "training")) == 1
    table = run.table.set_index("channel")
    assert table.loc["Dull", "accuracy"] == table.loc["awgn", "accuracy"]


BROKEN = """
from channels import AWGN

class Broken(AWGN):
    def realize(self, realizations, n, snr_db, generator):
        raise ValueError("the cable is out")
"""


def test_a_failing_cell_is_reported_and_the_others_finish(sweeps, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken.py").write_text(BROKEN)
    with pytest.raises(SystemExit) as ended:
        sweeps.here(tmp_path, "channel=[awgn]", "channel._target_=broken.Broken", "scheme=[clean]", "conformance=off")
    assert ended.value.code == 1
    output = capsys.readouterr().out
    assert "the cable is out" in output
    assert "snr_db=[0]" in output
    assert "and 1 more" in output
    assert len(pd.read_parquet(tmp_path / "results.parquet")) == 2
    (failure,) = json.loads((tmp_path / "provenance.json").read_text())["failures"]
    assert failure["stage"] == f"{failure['stages'][0]} and 1 more"
    assert len(failure["stages"]) == 2
    assert failure["details"].startswith("Traceback")
    lines = output.splitlines()
    assert sum(line.startswith("failed: ") for line in lines) == 1
    table = next(number for number, line in enumerate(lines) if "delivered accuracy" in line)
    assert min(n for n, line in enumerate(lines) if "cells and trainings failed" in line) > table


def test_cells_that_cannot_fit_are_told_by_the_dry_run_and_left_out(sweeps, tmp_path: Path, capsys):
    """As many channel uses as the line asks for are enough, one less is not; nothing is trained for those left out."""
    given = ("scheme=[clean,noise]", "snr_db=[0,10]", "channel_uses=[1x,100]")
    sweeps.here(tmp_path, *given, "--dry-run")
    planned = capsys.readouterr().out
    assert "4 of 8 cells cannot fit their budget" in planned
    least = int(re.search(r"clean at 100 channel uses.*give at least (\d+)", planned)[1])
    sweeps.here(tmp_path, "scheme=[clean]", f"channel_uses=[{least},{least - 1}]", "--dry-run")
    assert "2 of 4 cells cannot fit their budget" in capsys.readouterr().out

    run = sweeps.here(tmp_path, "scheme=[clean]", f"channel_uses=[{least},{least - 1}]")
    assert run.table["channel_uses"].tolist() == [least] * 2
    assert "2 of 4 cells cannot fit" in capsys.readouterr().out
    (cells,) = json.loads((tmp_path / "provenance.json").read_text())["cannot_fit"].values()
    assert len(cells) == 2
    with pytest.raises(SystemExit) as ended:
        sweeps.here(tmp_path / "none", "scheme=[noise]", "channel_uses=[100]")
    assert ended.value.code == 1
    assert not list(Run(tmp_path / "none").store.keys("training"))


def test_a_smaller_sweep_keeps_the_larger_table(sweeps, finished, capsys):
    """The table, and all that was written beside it; a sweep that only adds keeps nothing aside."""
    before = {
        name: (finished.folder / name).read_bytes() for name in earlier.FILES if (finished.folder / name).exists()
    }
    sweeps.here(finished.folder, "snr_db=[0]")
    assert len(finished.table) == 2
    aside = finished.folder / "earlier" / "1"
    assert f"kept in {aside}" in capsys.readouterr().out.replace("\n", "")
    assert {file.name: file.read_bytes() for file in aside.iterdir()} == before
    sweeps.here(finished.folder, "snr_db=[0,10]")
    sweeps.here(finished.folder, "scheme=[noise]")
    assert sorted(p.name for p in (finished.folder / "earlier").iterdir()) == ["1", "2"]


def test_a_sweep_of_which_nothing_fits_leaves_the_table_where_it_is(sweeps, finished, capsys):
    before = {path: path.read_bytes() for path in finished.folder.iterdir() if path.name in earlier.FILES}
    with pytest.raises(SystemExit) as ended:
        sweeps.here(finished.folder, "channel_uses=[100]")
    assert ended.value.code == 1
    assert "was left as it is" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in before} == before
    assert not (finished.folder / "earlier").exists()


def test_fewer_realizations_keep_the_table_of_more_and_a_damaged_one_is_kept_too(sweeps, finished):
    sweeps.here(finished.folder, "realizations=2")
    assert set(pd.read_parquet(finished.folder / "earlier" / "1" / "results.parquet")["realizations"]) == {3}
    (finished.folder / "results.parquet").write_bytes(b"PAR1")
    sweeps.here(finished.folder, "realizations=2")
    assert (finished.folder / "earlier" / "2" / "results.parquet").read_bytes() == b"PAR1"


@pytest.mark.parametrize("name", ["file/run", "x" * 300])
def test_a_run_folder_that_cannot_be_is_told_before_any_work(sweeps, tmp_path: Path, name: str):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as ended:
        main([*SMALL, f"store={tmp_path / 'store'}", f"hydra.run.dir={tmp_path / name}"])
    assert "give another, hydra.run.dir=FOLDER" in str(ended.value.code)
    assert not list((tmp_path / "store").glob("cell/*"))


def test_no_arguments_train_nothing():
    with pytest.raises(SystemExit, match="give experiment=NAME"):
        main([])


def test_a_failing_training_keeps_back_only_what_needs_it(sweeps, tmp_path: Path, capsys):
    with pytest.raises(SystemExit) as ended:
        sweeps.here(tmp_path, "fine_tuning.learning_rate=1e30")
    assert ended.value.code == 1
    output = capsys.readouterr().out
    assert "(2 need it)" in output
    assert set(pd.read_parquet(tmp_path / "results.parquet")["scheme"]) == {"clean"}


def test_full_disk_while_writing_the_table_leaves_the_old_one(sweeps, finished, monkeypatch):
    before = (finished.folder / "results.parquet").read_bytes()
    sync = os.fsync

    def full(handle: int) -> None:
        if "results" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(28, os.strerror(28))
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    said = sweeps.refused(finished.folder, "snr_db=[0,10,20]")
    assert "No space left on device" in said
    assert (finished.folder / "results.parquet").read_bytes() == before
    assert not list(finished.folder.glob(".*"))


def test_full_disk_in_the_store_stops_the_sweep_with_one_line(sweeps, tmp_path: Path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert "free some space" in sweeps.refused(tmp_path)
    assert not (tmp_path / "results.parquet").exists()


@pytest.mark.slow
def test_a_file_that_cannot_grow_stops_the_sweep_with_one_line(sweeps, tmp_path: Path):
    """The system's own limit of 8 kB stands for the full disk: the first checkpoint does not fit."""
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); "
    run = "from experiments.sweep import main; main(sys.argv[1:])"
    line = [sys.executable, "-c", limit + run, f"store={tmp_path / 'store'}", f"hydra.run.dir={tmp_path}"]
    ended = subprocess.run(line, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "free some space" in ended.stderr


def test_store_that_is_a_file_is_one_line(sweeps, tmp_path: Path):
    (tmp_path / "store").write_text("")
    assert "choose another with store=FOLDER" in sweeps.refused(tmp_path)


def test_store_commands(sweeps, finished, capsys):
    folder = str(finished.store.folder)
    store_command(["list", f"store={folder}"])
    listed = capsys.readouterr().out
    assert listed.count("training CNN") == 1
    assert listed.count("cell noise, awgn") == 2

    given = ["experiment=demo", "scheme=[clean]", "realizations=4", *finished.arguments]
    store_command(["explain", *given, "test_images=60", "training.epochs=2", "snr_db=[0]"])
    assert "realizations.at_least: 3 -> 4" in capsys.readouterr().out
    again = [*given[:2], "snr_db=[0,10]", "realizations=3", "test_images=60", "training.epochs=2", *finished.arguments]
    store_command(["explain", *again, "channel_uses=[1x,100]"])
    assert "nothing would be computed: all 2 cells" in capsys.readouterr().out

    store_command(["prune", "--store", folder])
    assert "0.0 MB were freed" in capsys.readouterr().out
    store_command(["prune", f"store={folder}", "--all"])
    assert not list(finished.store.keys("cell"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["list", "store=nowhere"], "there is no store nowhere"), (["prune", "stor=x"], "takes store=FOLDER alone")],
)
def test_store_commands_make_no_store_and_read_no_other_key(tmp_path: Path, monkeypatch, arguments: list, said: str):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=said):
        store_command(arguments)
    assert not list(tmp_path.iterdir())


def test_store_prunes_what_older_code_made(finished, monkeypatch, capsys):
    def changed(kind: str, description: dict) -> dict[str, str]:
        return {m: "changed" if "scoring" in m else found for m, found in code(kind, description).items()}

    monkeypatch.setattr(pruning, "code", changed)
    store_command(["prune", "--store", str(finished.store.folder)])
    assert "airdeliver.scoring" in capsys.readouterr().out
    assert len(list(finished.store.keys("training"))) == 2
    assert not list(finished.store.keys("cell"))


def test_a_dry_run_tells_which_work_it_has_not_seen(sweeps, tmp_path: Path, capsys):
    sweeps.here(tmp_path, "scheme=clean", "snr_db=[5]", "seeds=[0]", "--dry-run")
    assert "the store has seen no work like 1 cell and 1 training. The sweep can be stopped" in capsys.readouterr().out


STRANGERS = """
from dataclasses import dataclass
import torch
from airdeliver.package import Package
from airdeliver.schemes import Clean

@dataclass(frozen=True)
class Twice(Clean):
    def send(self, package, channel, snr_db, channel_uses, *others):
        return super().send(package, channel, snr_db, 2 * channel_uses, *others)

class Forgotten(Clean):
    def pack(self, problem, trained, channel_uses):
        super().pack(problem, trained, channel_uses)

class Chooses(Package):
    answer = 0
    def select(self, knowledge, symbols):
        return self.answer

class Second(Chooses):
    answer = torch.tensor([1])

class Integer(Clean):
    kind = Chooses
    def pack(self, problem, trained, channel_uses):
        package = super().pack(problem, trained, channel_uses)
        return self.kind(package.choices, package.normalisation, package.inputs)

class OneTooMany(Integer):
    kind = Second
"""


@pytest.mark.parametrize(
    ("scheme", "line"),
    [
        ("Twice", r"Twice\.send spent [\d,]+ channel uses where [\d,]+ were given: it must spend as many at most"),
        ("Forgotten", r"Forgotten\.pack must return a Package, got NoneType"),
        ("Integer", r"Chooses\.select must return a vector of indices, torch\.tensor\(\[0\]\) for one of all, got 0"),
        ("OneTooMany", r"Second\.select must return indices from 0 to 0, got \[1\]"),
    ],
)
def test_what_own_schemes_answer_is_looked_at(sweeps, tmp_path: Path, capsys, monkeypatch, scheme: str, line: str):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "strangers.py").write_text(STRANGERS)
    given = ("snr_db=[5]", "channel_uses=[2x]", "conformance=off")
    with pytest.raises(SystemExit):
        sweeps.here(tmp_path, "scheme=[]", f"scheme._target_=strangers.{scheme}", *given)
    told = capsys.readouterr().out
    assert re.search(line, told), told
    assert "the table is empty" in told
