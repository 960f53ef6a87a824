"""What a person may type, and what they are told when it cannot be meant."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.command_line import read, rewrite

ROOT = Path(__file__).parents[2]


def test_help_is_quick_and_names_every_choice():
    """Half a second on an idle machine; processor time does not see the others."""
    line = [sys.executable, "-X", "importtime", "-m", "experiments.sweep", "--help"]
    page = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    for word in ("experiment=NAME", "digital_adaptive", "digits", "resnet20", "snr_db=", "--dry-run", "engine="):
        assert word in page.stdout
    assert "torch" not in page.stderr
    assert "hydra" not in page.stderr


def test_own_class_takes_the_place_of_the_default_channel():
    command = read(["channel._target_=my.Channel", "channel.depth=3"])
    assert command.config.channel == {"own": {"_target_": "my.Channel", "depth": 3}}


def test_own_class_stands_beside_named_choices():
    assert rewrite(["scheme=[clean]", "scheme._target_=my.Scheme", "scheme.clean.link.receiver=mmse"]) == [
        "scheme=[clean,own]",
        "scheme.own._target_=my.Scheme",
        "scheme.clean.link.receiver=mmse",
    ]


def test_own_model_keeps_no_argument_of_the_default():
    command = read(["model._target_=my.Net", "model.depth=3"])
    assert command.config.model == {"_target_": "my.Net", "depth": 3}


def test_any_name_is_a_data_set_of_the_hub():
    config = read(["dataset=someone/birds", "dataset.path=birds"]).config
    assert config.dataset == {"name": "someone/birds", "path": "birds"}


def test_command_line_wins_over_experiment_over_preset():
    config = read(["experiment=demo", "preset=cpu", "snr_db=[1]", "training.epochs=3"]).config
    assert config.threads == 2
    assert list(config.snr_db) == [1]
    assert config.training.epochs == 3
    assert config.training.batch_size == 64  # of the digits


def test_own_configuration_folder(tmp_path: Path):
    (tmp_path / "scheme").mkdir()
    (tmp_path / "scheme" / "mine.yaml").write_text(
        "# @package scheme.mine\ndefaults: [clean@_here_, _self_]\nlink: {receiver: zero_forcing}\n"
    )
    config = read(["--config-dir", str(tmp_path), "scheme=[clean,mine]"]).config
    assert config.scheme.mine.link.receiver == "zero_forcing"
    assert "link" not in config.scheme.clean


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("snr_bd=3", "did you mean snr_db?"),
        ("training.epoch=3", "did you mean training.epochs?"),
        ("+snr_bd=3", "unknown key 'snr_bd'"),
        ("scheme=[cleen]", "did you mean clean?"),
        ("experiment=demmo", "did you mean demo?"),
        ("engine=lokal", "did you mean local?"),
        ("--dry-rum", "did you mean --dry-run?"),
        ("snr_db=[0,", "cannot read 'snr_db=[0,'"),
        ("snr_db", "expected key=value"),
        ("--config-dir=/nowhere", "must be a folder"),
        ("scheme=[]", "scheme must name at least one choice"),
        ("channel=[]", "channel must name at least one choice"),
        ("snr_db=five", "snr_db must be numbers in dB"),
        ("snr_db=[nan]", "snr_db must be numbers in dB"),
        ("snr_db=[-inf]", "snr_db must be numbers in dB"),
        ("snr_db=[]", "snr_db must have at least one value"),
        ("snr_db=[5,5.0]", "twice"),
        ("channel_uses=-3", "channel_uses must be positive"),
        ("channel_uses=[0x]", "channel_uses must be positive"),
        ("channel_uses=[1y]", "channel_uses must be positive"),
        ("knowledge=[avrage]", "did you mean average?"),
        ("train_snr_db=high", "train_snr_db must be numbers in dB"),
        ("train_snr_db=[20,0]", "range"),
        ("realizations=0", "realizations must be an integer of at least 1"),
        ("realizations={until: 0.01, at_leats: 3}", "did you mean at_least?"),
        ("realizations={until: 0.01, at_least: 3}", "multiples of 16"),
        ("realizations={until: 2}", "between 0 and 1"),
        ("seeds=[-1]", "seeds must be an integer of at least 0"),
        ("threads=0", "threads must be an integer of at least 1"),
        ("test_images=1", "test_images must be an integer of at least 2"),
        ("precision=float8", "precision must be one of float32, bfloat16"),
        ("device=cud", "device must be cpu or cuda"),
        ("scheme.noise.link.receiver=mmsee", "scheme.noise.link: receiver must be"),
        ("+scheme.noise.depth=3", "scheme.noise: "),
        ("training.epochs=-1", "training: "),
        ("channel._target_=nowhere.Channel", "No module named 'nowhere'"),
        ("engine.workers=0", "unknown key 'engine.workers'"),
        ("dataset.path=/nowhere", "/nowhere"),
    ],
)
def test_a_bad_argument_gets_one_line(sweeps, tmp_path: Path, unchecked: None, argument: str, said: str):
    assert said in sweeps.refused(tmp_path, argument)


def test_dry_run_of_ten_thousand_cells_plans_within_five_seconds(sweeps, tmp_path: Path, capsys):
    snr_db = ",".join(str(i / 4) for i in range(100))
    channel_uses = ",".join(str(20_000 + i) for i in range(50))
    started = time.process_time()
    sweeps.here(tmp_path, f"snr_db=[{snr_db}]", f"channel_uses=[{channel_uses}]", "--dry-run")
    assert time.process_time() - started < 5
    assert "10000 cells (0 in the store, 10000 to evaluate)" in capsys.readouterr().out
