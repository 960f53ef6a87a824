"""Which networks a sweep needs, and what matched bandwidth is."""

import math
from pathlib import Path

import pytest

from airdeliver import Problem
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.task import Classification
from channels import AWGN
from experiments.command_line import read
from experiments.configuration import configure
from experiments.planner import Plan, matched_channel_uses, plan


class Piloted(AWGN):
    """Every second channel use is a pilot."""

    def uses(self, symbols: int) -> int:
        return 2 * symbols

    def symbols(self, channel_uses: int) -> int:
        return channel_uses // 2


def planned(*arguments: str) -> Plan:
    return plan(configure(read(list(arguments))))


def test_networks_are_shared_by_all_cells():
    """Receiver or frozen statistics, any SNR, any budget: two trainings, the second starting from the first."""
    found = planned("scheme=[clean,clean_frozen,noise,noise_frozen]", "snr_db=[0,5,10]", "channel_uses=[1x,2x]")
    assert len(found.cells) == 4 * 3 * 2
    clean, noise = found.trainings
    assert noise.needs == (clean.key,)


def test_every_seed_and_training_snr_has_its_own_network():
    wanted = ("scheme=[clean,noise]", "snr_db=[2]")
    keys = {t.key for varied in ("seeds=[0,1]", "train_snr_db=0") for t in planned(*wanted, varied).trainings}
    assert len(keys) == 5  # clean and noise for two seeds, and noise at 0 dB


def test_equal_numbers_are_one_key():
    five, same = (planned("scheme=[clean,noise]", f"train_snr_db={level}").trainings for level in ("5", "5.0"))
    assert [training.key for training in five] == [training.key for training in same]


@pytest.mark.parametrize(
    ("argument", "differs"),
    [("snr_db=[3]", True), ("realizations=5", True), ("threads=2", True), ("test_images=10", True),
     ("engine=local", False), ("store=elsewhere", False)],
)  # fmt: skip
def test_what_identifies_a_cell(argument: str, differs: bool):
    before = planned("scheme=[clean]", "snr_db=[2]").cells[0].stage.key
    after = planned("scheme=[clean]", *(["snr_db=[2]"] if "snr_db" not in argument else []), argument)
    assert (after.cells[0].stage.key != before) == differs


def test_name_of_scheme_and_experiment_do_not_identify_a_cell(tmp_path: Path):
    (tmp_path / "scheme").mkdir()
    (tmp_path / "scheme" / "twin.yaml").write_text("# @package scheme.twin\ndefaults: [clean@_here_, _self_]\n")
    found = planned("--config-dir", str(tmp_path), "scheme=[clean,twin]", "snr_db=[2]")
    assert found.cells[0].stage.key == found.cells[1].stage.key
    assert len(list(found.stages)) == 2


def test_matched_bandwidth_is_what_a_trained_network_costs():
    """Two reals a symbol; 4 bytes for each of 11 segments at 1/4 bit per use; pilots double it."""
    problem = Problem(Classification(load_dataset("digits")), CNN())
    expected = math.ceil(14_458 / 2) + 11 * 32 * 4
    assert matched_channel_uses(problem, AWGN(), "receiver") == expected
    assert matched_channel_uses(problem, Piloted(), "receiver") == 2 * expected
    statistics = 2 * (16 + 32 + 32)
    assert matched_channel_uses(problem, AWGN(), "frozen") == expected + statistics // 2 + 6 * 32 * 4


def test_shares_of_matched_bandwidth_are_rounded_up():
    found = planned("scheme=[clean]", "snr_db=[2]", "matched_normalisation=receiver", "channel_uses=[1x,0.5x,0.1x,777]")
    assert sorted(cell.channel_uses for cell in found.cells) == [777, 864, 4319, 8637]


def test_networks_are_pruned_to_what_pilots_leave():
    """A budget of which every second use is a pilot holds the network of half the budget."""
    plain = planned("scheme=[airnet]", "snr_db=[5]", "channel_uses=[5000]")
    piloted = planned("scheme=[airnet]", "snr_db=[5]", "channel_uses=[10000]", f"channel._target_={__name__}.Piloted")
    assert [t.key for t in piloted.trainings] == [t.key for t in plain.trainings]


@pytest.mark.parametrize("name", ["spectrum", "spectrum_separate"])
def test_one_training_snr_for_networks_of_several_is_refused(name: str):
    with pytest.raises(SystemExit, match=f"train_snr_db does not reach scheme {name}, which is trained for several"):
        planned(f"scheme=[noise,{name}]", "train_snr_db=12")


def test_a_title_is_in_the_table_and_identifies_nothing():
    plain, titled = (
        planned("scheme=[clean]", "snr_db=[2]", *more).cells[0]
        for more in ((), ("scheme.clean.title=Without any noise",))
    )
    assert planned("scheme=[airnet]", "snr_db=[2]", "scheme.airnet.title=Ours").cells[0].about.title == "Ours"
    assert (plain.about.title, titled.about.title) == ("Clean training", "Without any noise")
    assert titled.stage.key == plain.stage.key


def test_training_range_is_a_range():
    found = planned("scheme=[noise]", "train_snr_db=[0,20]", "snr_db=[2]")
    assert found.cells[0].about.train_snr_db == (0, 20)
    assert found.trainings[1].training.method.condition.snr_db == (0, 20)
