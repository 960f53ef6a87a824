"""Pieces of one's own are examined before any work, at the lengths and SNRs of the sweep, once."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
import torch

from airdeliver.links.analog import Repetition
from airdeliver.links.analog.receiver import Receiver
from airdeliver.schemes import Clean
from channels import AWGN, ChannelState
from experiments.cell import CellStage
from experiments.engine.base import perform
from experiments.store import Store

HERE = __name__


@dataclass(frozen=True)
class Sound(AWGN):
    """As its base, but a class of one's own."""


@dataclass(frozen=True)
class Uncounted(AWGN):
    """Ends the program where a budget is planned."""

    def symbols(self, channel_uses):
        sys.exit(0)


@dataclass(frozen=True)
class LoudWhenLong(AWGN):
    """Doubles its gain for deliveries of more than 2,000 symbols."""

    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return ChannelState(state.gain * (2 if n > 2000 else 1), state.noise_variance)


@dataclass(frozen=True)
class LoudWhenClear(AWGN):
    """Doubles its gain above 30 dB."""

    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return ChannelState(state.gain * (2 if state.noise_variance.min() < 0.001 else 1), state.noise_variance)


@dataclass(frozen=True)
class Biased(Repetition):
    """Adds a tenth."""

    def combine(self, observed, noise_variance):
        values, variance = super().combine(observed, noise_variance)
        return values + 0.1, variance


@dataclass(frozen=True)
class Broken(Receiver):
    """Estimates nothing."""

    def estimate(self, observed, noise_variance, prior=None):
        return observed * float("nan")


@dataclass(frozen=True)
class Failing(Clean):
    """Fails in the middle of a sweep."""

    def send(self, package, channel, snr_db, *args):
        if snr_db == 10:
            raise KeyError("odd")
        return super().send(package, channel, snr_db, *args)


@dataclass(frozen=True)
class Whimsical(Clean):
    """Sends another network each time."""

    def pack(self, problem, trained, channel_uses):
        package = super().pack(problem, trained, channel_uses)
        choice = package.choices[0]
        values = choice.payload.values + 0.1 * torch.randn_like(choice.payload.values)
        return replace(package, choices=(replace(choice, payload=replace(choice.payload, values=values)),))


@dataclass(frozen=True)
class Peeking(Clean):
    """Looks at the test labels."""

    def pack(self, problem, trained, channel_uses):
        problem.task.dataset.test.take(torch.arange(8))
        return super().pack(problem, trained, channel_uses)


@dataclass(frozen=True)
class Ending(Clean):
    """Ends the program at one SNR, as a script of one's own does."""

    def send(self, package, channel, snr_db, *args):
        if snr_db == 10:
            sys.exit()
        return super().send(package, channel, snr_db, *args)


@dataclass(frozen=True)
class Flattering(Clean):
    """Sends at another SNR than it is asked for."""

    def send(self, package, channel, snr_db, *args):
        return super().send(package, channel, max(snr_db, 5.0), *args)


@dataclass(frozen=True)
class Unbuilt(Clean):
    """Ends the program while it is built."""

    def __post_init__(self):
        sys.exit(0)


@dataclass(frozen=True)
class Unplanned(Clean):
    """Fails while the sweep is planned."""

    def trainings(self, problem, channel_uses):
        raise RuntimeError("two\nlines")


@pytest.mark.parametrize(
    ("scheme", "left", "line"),
    [
        ("Failing", [0], "send of Failing fails (KeyError: 'odd')"),
        ("Ending", [0], "send of Ending fails (SystemExit: )"),
        ("Flattering", [10], "send of Flattering sends at 5 dB, not at 0 dB"),
        ("Whimsical", [], "pack of Whimsical gives another package when asked again (values)"),
        ("Peeking", [], "the test split chooses nothing"),
    ],
)
def test_a_scheme_that_fails_leaves_the_other_cells(sweeps, finished, capsys, scheme, left, line):
    """Its own failure is one line, and stands in no row."""
    with pytest.raises(SystemExit):
        sweeps.here(finished.folder, f"scheme.noise._target_={HERE}.{scheme}")
    table = finished.table
    assert sorted(table["snr_db"][table["scheme"] == "clean"]) == [0, 10]
    assert sorted(table["snr_db"][table["scheme"] == "noise*"]) == left
    assert line in " ".join(capsys.readouterr().out.split())


def test_a_scheme_that_cannot_be_planned_is_one_line(sweeps, tmp_path):
    told = sweeps.refused(tmp_path, f"scheme.noise._target_={HERE}.Unplanned")
    assert "trainings of Unplanned fails (RuntimeError: two lines)" in told


def test_a_scheme_that_ends_the_program_does_not_end_the_sweep_in_silence(sweeps, tmp_path):
    """`sys.exit(0)` in a piece of one's own had ended a sweep without a word and with code 0."""
    told = sweeps.refused(tmp_path, f"scheme.noise._target_={HERE}.Unbuilt")
    assert "scheme.noise: SystemExit: 0" in told
    told = sweeps.refused(tmp_path, f"channel._target_={HERE}.Uncounted", "--dry-run")
    assert re.search(r"test_conforming\.py, line \d+, ends the program \(SystemExit: 0\)", told)


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_a_worker_is_the_failure_of_its_stage(tmp_path, error):
    """An interrupt that a terminal sends reaches the main process; in a worker, it is a piece of one's own."""

    class Ending(CellStage):
        def run(self, store):
            raise error

    stage = object.__new__(Ending)
    object.__setattr__(stage, "key", "0" * 64)
    store = Store(tmp_path / "store")
    with ThreadPoolExecutor(1) as elsewhere:
        outcome = elsewhere.submit(perform, stage, store).result()
    assert outcome.error == f"{type(error).__name__}: {error}"
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            perform(stage, store)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([f"channel._target_={HERE}.LoudWhenLong"], "channel.LoudWhenLong: LoudWhenLong breaks its contract: at 9485 "),
        ([f"channel._target_={HERE}.LoudWhenClear", "snr_db=[0,35]"], "and 35 dB E|h|^2 is 4; expected mean_gain = 1"),
        ([f"scheme.clean.link.expansion={{_target_: {HERE}.Biased}}"], "scheme.clean.link.expansion: Biased breaks"),
        ([f"scheme.noise.link.receiver={{_target_: {HERE}.Broken}}"], "scheme.noise.link.receiver: Broken breaks"),
        ([f"scheme.noise.train_channel={{_target_: {HERE}.LoudWhenLong}}"], "scheme.noise.train_channel: LoudWhenLong"),
    ],
)  # fmt: skip
def test_a_fault_ends_the_sweep_before_any_work(sweeps, tmp_path, arguments, line):
    told = sweeps.refused(tmp_path, *arguments)
    assert line in told
    assert "conformance=off" in told
    assert not list(Store(tmp_path / "store").keys("training"))


def test_off_runs_it_regardless_and_stands_in_the_table(sweeps, tmp_path):
    wanted = ("scheme=[clean]", "snr_db=[0]", f"channel._target_={HERE}.LoudWhenLong", "training.epochs=1")
    run = sweeps.here(tmp_path, *wanted, "conformance=off")
    assert set(run.table["conformance"]) == {"off"}


def test_what_is_sound_is_examined_once(sweeps, tmp_path, monkeypatch):
    import airdeliver.conformance

    examined = []
    faults = airdeliver.conformance.faults
    monkeypatch.setattr(airdeliver.conformance, "faults", lambda piece, *a: examined.append(piece) or faults(piece, *a))
    wanted = ("scheme=[clean]", "snr_db=[0]", f"channel._target_={HERE}.Sound", "training.epochs=1")
    run = sweeps.here(tmp_path, *wanted)
    assert set(run.table["conformance"]) == {"checked"}
    assert examined == [Sound()]
    sweeps.here(tmp_path, *wanted)
    assert examined == [Sound()]


def test_what_ships_is_left_to_the_tests(undisturbed):
    assert not list(undisturbed.store.keys("conformance"))
    assert set(undisturbed.table["conformance"]) == {"checked"}


def test_a_switch_is_on_or_off(sweeps, tmp_path):
    assert "conformance must be on or off, got 'maybe'" in sweeps.refused(tmp_path, "conformance=maybe")
