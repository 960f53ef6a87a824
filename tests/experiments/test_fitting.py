"""Budgets that are too small: known before any training, holes in the table and in figures, never failures."""

import json
import re
from dataclasses import dataclass

import matplotlib.colors
import pandas as pd
import pytest

from airdeliver import BudgetError, Execution, Problem
from airdeliver.data import load_dataset
from airdeliver.models import CNN, ResNet20
from airdeliver.schemes import AirNet, AirNetSpectrum, Clean, Digital, Noise, SeparateNetworks
from airdeliver.schemes.of_model import OfModel
from airdeliver.task import Classification
from experiments.command_line import read
from experiments.configuration import configure
from experiments.fitting import divided
from experiments.planner import plan
from figures import bandwidth
from figures.table import read as table_of

HERE = __name__


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem(Classification(load_dataset("digits")), CNN(), execution=Execution(seed=0))


@pytest.mark.parametrize(
    "scheme",
    [Clean(), Noise(), AirNet(), AirNet(prune=False), AirNetSpectrum(), SeparateNetworks(), Digital(),
     OfModel(AirNet(), ResNet20())],
    ids=lambda scheme: type(scheme).__name__,
)  # fmt: skip
def test_the_least_budget_is_told_without_training(scheme, problem):
    """One use less than the line asks for does not fit, as many do; of a spectrum the member that needs most counts."""
    told, least = scheme.misfit(problem, 100), 100
    while told is not None:
        least, before = int(re.search(r"give at least (\d+)", told)[1]), least
        assert least > before
        assert scheme.misfit(problem, least - 1) is not None
        told = scheme.misfit(problem, least)
    assert least > 100


def test_a_pruned_network_fits_exactly_where_planning_says(problem):
    """Training raises below the least budget, and not at it."""
    from dataclasses import replace

    from airdeliver.recipe import Recipe

    scheme = AirNet(teacher=None, noise=False, fine_tuning=Recipe(epochs=0))
    brief = replace(problem, training=Recipe(epochs=1))
    least = int(re.search(r"give at least (\d+)", scheme.misfit(brief, 10))[1])
    (training,) = scheme.trainings(brief, least)
    (clean,) = training.needs
    trained = {clean: clean.run(brief.task, {})}
    assert training.run(brief.task, trained).tensors
    (tight,) = scheme.trainings(brief, least - 1)
    with pytest.raises(BudgetError):
        tight.run(brief.task, trained)


def test_two_budgets_of_the_readme_are_planned():
    """`1x` for all; at `0.5x` schemes that send the network whole are left out, and nothing else is."""
    given = ["experiment=snr", "preset=demo", "snr_db=[0,10]", "channel_uses=[1x,0.5x]", "scheme=[clean,noise,airnet]"]
    planned, misfits = divided(plan(configure(read(given))))
    half = min(cell.channel_uses for cell in planned.cells)
    assert {(c.scheme, c.channel_uses) for cells in misfits.values() for c in cells} == {
        ("clean", half),
        ("noise", half),
    }
    assert len(planned.cells) == 3 * 2 + 2


@dataclass(frozen=True)
class Late(Clean):
    """Learns that it does not fit when it packs."""

    def pack(self, problem, trained, channel_uses):
        if channel_uses < 9000:
            raise BudgetError(f"only {channel_uses} fit: give at least 9000")
        return super().pack(problem, trained, channel_uses)


@pytest.fixture(scope="module")
def holed(sweeps, tmp_path_factory):
    """A sweep in which `clean` is known not to fit beforehand, and `Late` is not."""
    wanted = ("scheme=[clean]", f"scheme._target_={HERE}.Late", "channel_uses=[1x,8000]", "training.epochs=1")
    return sweeps.here(tmp_path_factory.mktemp("holed"), *wanted)


def test_holes_are_no_failures_however_late_they_are_known(holed):
    assert set(zip(holed.table["scheme"], holed.table["channel_uses"])) == {("clean", 9485), ("Late", 9485)}
    holes = pd.read_parquet(holed.folder / "holes.parquet")
    assert sorted(set(zip(holes["scheme"], holes["channel_uses"]))) == [("Late", 8000), ("clean", 8000)]
    assert len(holes) == 4
    kept = json.loads((holed.folder / "provenance.json").read_text())
    assert kept["failures"] == []
    assert any("only 8000 fit: give at least 9000" in reason for reason in kept["cannot_fit"])


def test_holes_are_marked_on_screen_and_gone_when_nothing_is_missing(sweeps, holed, capsys):
    sweeps.here(holed.folder, "scheme=[clean]", "channel_uses=[1x,8000]", "training.epochs=1")
    shown = [line for line in capsys.readouterr().out.splitlines() if "8000" in line and "no fit" in line]
    assert len(shown) == 1
    sweeps.here(holed.folder, "scheme=[clean]", "training.epochs=1")
    assert not (holed.folder / "holes.parquet").exists()


def test_holes_are_crosses_in_the_colour_of_their_scheme(tmp_path):
    rows = pd.DataFrame(
        [
            {"dataset": "digits", "model": "cnn", "scheme": s, "title": s, "channel": "awgn", "knowledge": "average",
             "channel_uses": uses, "snr_db": 5.0, "seed": 0, "accuracy": 0.5, "accuracy_low": 0.4,
             "accuracy_high": 0.6, "parameters_sent": 1000.0}
            for s, uses in (("clean", 2000), ("airnet", 2000), ("airnet", 1000))
        ]
    )  # fmt: skip
    rows.to_parquet(tmp_path / "results.parquet")
    hole = {**rows.iloc[0][["dataset", "model", "scheme", "title", "channel", "knowledge", "snr_db", "seed"]]}
    pd.DataFrame([{**hole, "channel_uses": 1000, "reason": "x"}]).to_parquet(tmp_path / "holes.parquet")
    figure = bandwidth.draw(table_of(tmp_path / "results.parquet"))
    axes = figure.axes[0]
    crosses = [line for line in axes.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in crosses] == [[1000]]
    of_clean = axes.containers[[c.get_label() for c in axes.containers].index("clean")].lines[0]
    assert matplotlib.colors.same_color(crosses[0].get_color(), of_clean.get_color())
    assert "does not fit" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_what_the_command_line_changes_is_marked(sweeps, tmp_path):
    """Names and titles bear a star, the column says what was changed; a title of one's own is no change."""
    wanted = ("scheme=[clean,noise]", "snr_db=[0]", "training.epochs=1", "fine_tuning.epochs=1")
    changed = ("scheme.clean.link.receiver=zero_forcing", "scheme.noise.title=Noisy")
    table = sweeps.here(tmp_path, *wanted, *changed).table.set_index("scheme")
    assert list(table.index) == ["clean*", "noise"]
    assert list(table["title"]) == ["Clean training*", "Noisy"]
    assert list(table["overrides"]) == ["scheme.clean.link.receiver=zero_forcing", ""]
    assert set(pd.read_parquet(tmp_path / "comparisons.parquet")["against"]) == {"clean*"}


def test_a_changed_channel_and_model_are_marked_too():
    given = ("scheme=[clean]", "channel=[rayleigh]", "channel.rayleigh.coherence=4", "model=cnn", "model.width=0.5")
    (cell,) = plan(configure(read([*given, "snr_db=[0]", "preset=demo"]))).cells
    assert (cell.scheme, cell.channel, cell.model) == ("clean", "rayleigh*", "cnn*")
    assert cell.overrides == "channel.rayleigh.coherence=4 model.width=0.5"
