"""What a person may type, and what they are told when it cannot be meant."""

import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airdeliver import AnalogLink
from airdeliver.links.analog import Repetition
from airdeliver.schemes import Clean
from experiments.command_line import ConfigurationError, read, rewrite
from experiments.configuration import configure

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


def test_a_range_that_no_scheme_uses_is_checked_too(unchecked: None):
    with pytest.raises(ConfigurationError, match="range"):
        configure(read(["scheme=[clean]", "train_snr_db=[20,0]"]))


def test_budgets_may_be_written_as_people_write_them():
    assert configure(read(["channel_uses=[1e5,1X, .5x]"])).channel_uses == (100_000, "1x", ".5x")


def test_own_configuration_folder(tmp_path: Path):
    (tmp_path / "scheme").mkdir()
    (tmp_path / "scheme" / "mine.yaml").write_text(
        "# @package scheme.mine\ndefaults: [clean@_here_, _self_]\nlink: {receiver: zero_forcing}\n"
    )
    config = read(["--config-dir", str(tmp_path), "scheme=[clean,mine]"]).config
    assert config.scheme.mine.link.receiver == "zero_forcing"
    assert "link" not in config.scheme.clean


ODD = [
    "lr=0.1",
    "run (1)",
    "a,b",
    "#1",
    "50%",
    "größe-中文",
    "[x",
    "{y}",
    "it's",
    "a b",
    "null and",
    "a:b",
    "1e5",
    "$5",
]
"""Names that a folder may have."""


@pytest.mark.parametrize("name", [*ODD, "quo'\"te", "back\\"])
def test_folders_may_be_called_anything(name: str):
    command = read([f"hydra.run.dir=runs/{name}", f"store=stores/{name}", f"dataset.path=data/{name}"])
    assert str(command.folder) == f"runs/{name}"
    assert command.config.store == f"stores/{name}"
    assert command.config.dataset.path == f"data/{name}"


@pytest.mark.parametrize("name", ["größe", "#1", "~x", "x=y", "(1)", "a, b"])
def test_texts_in_lists_and_mappings_need_no_quotes_of_hydras(name: str):
    quoted = f"'{name}'" if "," in name else name
    recorded = read([f"+channel.awgn.record={{_target_: a.B, names: [{quoted}, c], path: {quoted}}}"]).config
    assert recorded.channel.awgn.record == {"_target_": "a.B", "names": [name, "c"], "path": name}


def test_home_is_found_and_variables_are_put_in(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    command = read(["store=~/store", "hydra.run.dir=~", "dataset.path=${oc.env:HOME}/x=1"])
    assert (command.config.store, str(command.folder)) == ("/home/someone/store", "/home/someone")
    assert command.config.dataset.path == "/home/someone/x=1"


def test_own_configuration_folder_may_be_called_anything(tmp_path: Path):
    for name in ("a=b, c#d", "größe (1)"):
        (tmp_path / name / "scheme").mkdir(parents=True)
        (tmp_path / name / "scheme" / "mine.yaml").write_text("# @package scheme.mine\ndefaults: [clean@_here_]\n")
        assert "mine" in read(["--config-dir", str(tmp_path / name), "scheme=[mine]"]).config.scheme


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "- a\n", "\t", "%"])
def test_a_damaged_file_of_ones_own_is_one_line(tmp_path: Path, text: str):
    (tmp_path / "scheme").mkdir()
    (tmp_path / "scheme" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as ended:
        configure(read(["--config-dir", str(tmp_path), "scheme=[mine]"]))
    assert "\n" not in str(ended.value.code)


def test_what_a_shell_leaves_around_an_argument_falls_off():
    assert list(read(["'snr_db=[0,5]'"]).config.snr_db) == [0, 5]
    assert list(read(["snr_db=[0, 5 ,10] "]).config.snr_db) == [0, 5, 10]


def test_an_argument_of_a_class_needs_no_plus():
    """Also where the configuration does not list it, below another that was given, and by mistake it is told so."""
    link = "scheme.clean.link"
    given = f"{link}.expansion={{_target_: airdeliver.links.analog.Repetition, copies: 4}}"
    expected = {"clean": Clean(AnalogLink(protection="size", expansion=Repetition(4)))}
    assert configure(read(["scheme=[clean]", given])).schemes == expected
    given = (f"{link}.expansion._target_=airdeliver.links.analog.Repetition", f"{link}.expansion.copies=4")
    assert configure(read(["scheme=[clean]", *given])).schemes == expected
    with pytest.raises(ConfigurationError, match=r"did you mean expansion\?"):
        configure(read(["scheme=[clean]", f"{link}.expanson=null"]))
    with pytest.raises(ConfigurationError, match=r"did you mean training\.weight_decay\?"):
        read(["training.weight_decai=0"])
    assert configure(read(["training.weight_decay=0.0"])).training.weight_decay == 0


KEYS = (
    "snr_db", "channel_uses", "knowledge", "seeds", "train_snr_db", "realizations", "test_images", "device", "threads",
    "store", "hydra.run.dir", "dataset", "dataset.path", "dataset.name", "scheme", "channel", "model", "preset", "x",
    "experiment", "training", "training.epochs", "scheme.clean", "scheme.clean.link", "scheme.clean.link.expansion",
    "scheme._target_", "channel._target_", "channel.depth", "model._target_", "hydra.verbose", "scheme@scheme.x",
    "engine",
)  # fmt: skip
ATOMS = (
    "0", "5", "-3", "1e5", "1e400", "nan", "-inf", "null", "true", "abc", "größe", "中文", "~", "#", "%", "x=y", "1x",
    "${oc.env:NOPE}", "${snr_db}", "${", "$", "{", "}", "[", "]", "(", ")", ",", ":", ";", "'", '"', "\\", "/", "0.5x",
    "glob(*)", "[0,5]", "{a:1}", "{until:0.01}", "[]", "[[1]]", "clean", "awgn", "digits", "cnn", "demo", "serial",
    "average", "cpu", "os.system", "builtins.dict", "channels.AWGN", "{_target_:channels.AWGN}", " ", "\n", "\t", "*",
    "range(0,3)", "99999999999999999999999", "0x10", "1_000", "!", "@", "&", "|", "<", ">", "^", "`", "?",
)  # fmt: skip
OPTIONS = (
    "--config-dir=/tmp",
    "--config-dir",
    "-m",
    "--x",
    "-",
    "--",
    "",
    "=",
    "'",
    "x",
    "--store",
    "~",
    "+",
    "~scheme",
)


@pytest.mark.parametrize("count", [60, pytest.param(10_000, marks=pytest.mark.slow)])
def test_whatever_is_typed_is_read_or_refused_in_one_line(unchecked: None, count: int):
    draw = random.Random(count)
    for _ in range(count):
        arguments = [
            draw.choice(OPTIONS) if draw.random() < 0.05
            else f"{draw.choice(('', '', '', '+', '++', '~'))}{draw.choice(KEYS)}="
            + "".join(draw.choices(ATOMS, k=draw.choice((1, 1, 2, 3))))
            for _ in range(draw.choice((1, 1, 2, 3)))
        ]  # fmt: skip
        assert len(refusal(arguments).splitlines()) == 1, arguments


def refusal(arguments: list[str]) -> str:
    """What a command line is told before any work; a word if it is fine."""
    try:
        configure(read(arguments))
    except ConfigurationError as error:
        return str(error.code)
    return "fine"


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("snr_db=0,5,10", "'snr_db=[0,5,10]'"),
        ("seeds=0,1", "'seeds=[0,1]'"),
        ("snr_db=(0,5)", "'snr_db=[0,5]'"),
        ("scheme=clean,noise", "'scheme=[clean,noise]'"),
        ("snr_db=range(0,20,5)", "'snr_db=[0,5,10,15]'"),
        ("snr_db=range(0,1,0.25)", "'snr_db=[0,0.25,0.5,0.75]'"),
        ("scheme=choice(clean,noise)", "'scheme=[clean,noise]'"),
        ("scheme=glob(air*)", "'scheme=[A,B]'"),
        ("realizations=4,8", "realizations takes one value"),
        ("experiment=[demo,snr]", "experiment takes one choice"),
        ("dataset=digits,cifar10", "dataset takes one name"),
        ("-m", "a sweep takes lists"),
        ("--store=x", "give store=x"),
        ("+dataset.size=32", "unknown key 'dataset.size'"),
        ("++training_images=3", "unknown key 'training_images'"),
        ("+snr_db=[3]", "give it without +"),
        ("hydra.verbose=true", "has no effect"),
        ("~seeds", "cannot be taken out"),
        ("~model", "give model=NAME"),
        ("~training.epoch", "did you mean training.epochs?"),
        ("snr_db=[${oc.env:NOT_SET}]", "snr_db needs environment variable NOT_SET"),
        ("hydra.run.dir=${oc.env:NOT_SET}/x", "hydra.run.dir needs environment variable NOT_SET"),
        ("snr_db=${snr_db}", "Recursive interpolation"),
        ("seeds=[99999999999999999999999]", "seeds must be at most 9223372036854775807"),
        ("seeds=[9223372036854775808]", "seeds must be at most 9223372036854775807"),
        ("channel_uses=[1x,9223372036854775808]", "channel_uses must be at most"),
        ("realizations={at_most: 9223372036854775808}", "realizations.at_most must be at most"),
        ("scheme.clean=5", "scheme.clean must be a class"),
        ("channel.awgn=null", "channel.awgn must be a class"),
        ("channel.awgn=???", "channel.awgn must be a class"),
        ("training.epochs=???", "training.epochs needs a value"),
        ("store=null", "store needs a folder"),
        ("hydra.run.dir=null", "hydra.run.dir needs a folder"),
        ("hydra.run.dir=", "needs a value"),
        ("snr_db=[1,,2]", "a value is missing"),
        ("dataset=hub", "dataset.name needs a value"),
        ("store=\udcff", "not UTF-8"),
        ("größe=3", "unknown key 'größe'"),
    ],
)
def test_what_cannot_be_read_gets_one_line_before_anything_is_built(argument: str, said: str):
    with pytest.raises(ConfigurationError, match=re.escape(said)) as ended:
        read([argument])
    assert len(str(ended.value.code).splitlines()) == 1


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
        ("snr_db=[0,400]", "snr_db must be at most 300 dB in magnitude"),
        ("train_snr_db=-301", "train_snr_db must be at most 300 dB in magnitude"),
        ("snr_db=[]", "snr_db must have at least one value"),
        ("snr_db=[5,5.0]", "twice"),
        ("channel_uses=-3", "channel_uses must be positive"),
        ("channel_uses=[0x]", "channel_uses must be positive"),
        ("channel_uses=[1y]", "channel_uses must be positive"),
        ("knowledge=[avrage]", "did you mean average?"),
        ("train_snr_db=high", "train_snr_db must be numbers in dB"),
        ("train_snr_db=[20,0]", "range"),
        ("train_snr_db=[0,10,20]", "range"),
        ("channel_uses=[0.5]", "did you mean 0.5x?"),
        ("channel_uses=[1e30]", "channel_uses must be positive"),
        ("training.epochs=0", "training.epochs must be at least 1"),
        ("training.epochs=abc", "training.epochs must be an int, got 'abc'"),
        ("training.learning_rate=fast", "training.learning_rate must be a float, got 'fast'"),
        ("fine_tuning.epochs=0", "fine_tuning.epochs must be at least 1"),
        ("channel._target_=builtins.dict", "channel.own must be of class Channel, got dict"),
        ("scheme._target_=channels.AWGN", "scheme.own must be of class Scheme, got AWGN"),
        ("model._target_=builtins.list", "model must be of class ModelBuilder, got list"),
        ("engine._target_=builtins.dict", "engine must be of class Engine, got dict"),
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


def test_a_choice_that_was_renamed_is_refused_with_its_name_of_today():
    with pytest.raises(ConfigurationError, match="preset=paper is called preset=large today"):
        read(["experiment=snr", "preset=paper"])


@pytest.mark.parametrize("argument", [f"channel.awgn={'x' * 5000}", f"{'k' * 5000}=1"])
def test_what_is_typed_may_be_long_and_its_answer_is_not(argument: str, unchecked: None):
    """It ends with what to do, whatever was typed before it."""
    with pytest.raises(SystemExit) as ended:
        configure(read(["experiment=demo", argument]))
    assert len(str(ended.value)) < 700
    assert "..." in str(ended.value)
