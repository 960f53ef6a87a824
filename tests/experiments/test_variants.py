"""Variants that an experiment derives: chosen, changed and refused like the bases."""

import dataclasses
from pathlib import Path

import pytest

from airdeliver import AnalogLink
from airdeliver.schemes import AirNet, Noise
from experiments.command_line import read
from experiments.configuration import Sweep, configure
from experiments.variants import experiments_with


def configured(*arguments: str) -> Sweep:
    return configure(read(list(arguments)))


def test_chosen_in_the_order_of_the_command_line_beside_bases():
    schemes = configured("experiment=ablation", "scheme=[airnet_no_kd,noise,airnet]").schemes
    assert list(schemes.items()) == [("airnet_no_kd", AirNet(teacher=None)), ("noise", Noise()), ("airnet", AirNet())]


def test_those_that_are_not_chosen_are_not_there():
    assert list(configured("experiment=mismatch", "scheme=[noise]").schemes) == ["noise"]


def test_an_own_class_stands_beside_them():
    sweep = configured("experiment=ablation", "scheme=[airnet_no_kd]", "scheme._target_=airdeliver.schemes.Clean")
    assert list(sweep.schemes) == ["airnet_no_kd", "Clean"]


def test_any_argument_of_a_class_can_be_given_whether_it_is_listed_or_not():
    arguments = ("scheme.airnet_equal.link.receiver=zero_forcing", "scheme.airnet_equal.train_snr_db=3")
    schemes = configured("experiment=ablation", "scheme=[airnet_equal]", *arguments).schemes
    link = AnalogLink(receiver="zero_forcing", protection="equal")
    assert schemes == {"airnet_equal": AirNet(link=link, train_snr_db=3.0)}


def test_an_experiment_of_ones_own_derives_them_alike(tmp_path: Path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "teachers.yaml").write_text(
        "# @package _global_\n"
        "defaults:\n"
        "  - /scheme@scheme.wide: airnet\n"
        "  - _self_\n"
        "  - override /scheme: [airnet]\n"
        "scheme:\n"
        "  wide: { title: A wider teacher, teacher: 3.0 }\n"
    )
    given = ("--config-dir", str(tmp_path), "experiment=teachers")
    sweep = configured(*given)
    assert sweep.schemes == {"airnet": AirNet(), "wide": AirNet(teacher=3.0)}
    assert [sweep.about(name).title for name in sweep.schemes] == ["AirNet", "A wider teacher"]
    assert list(configured(*given, "scheme=[wide]").schemes) == ["wide"]
    assert experiments_with("wide", [tmp_path]) == ["teachers"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["experiment=snr", "scheme=[airnet_no_kd]"], "scheme 'airnet_no_kd' is a variant of experiment=ablation"),
        (["experiment=ablation", "scheme=[airnet_no_kdd]"], "unknown scheme 'airnet_no_kdd'"),
        (["experiment=ablation", "scheme=[airnet]", "scheme.airnet_no_kd.teacher=2"], "scheme.airnet_no_kd.teacher"),
        (["scheme=[airnet]", "scheme.airnte.teacher=2"], "did you mean scheme.airnet"),
        (["scheme=[airnet]", "scheme.airnet.techer=2"], "did you mean teacher?"),
        (["scheme=[airnet]", "scheme.airnet.link.receivr=mmse"], "did you mean receiver?"),
        (["scheme=[airnet]", "scheme.airnet.link.receiver=mmsee"], "scheme.airnet.link: receiver must be"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(arguments: list[str], said: str, unchecked: None):
    with pytest.raises(SystemExit) as refused:
        configured(*arguments)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_schemes_of_one_title_are_told_apart():
    """They would be one line of a figure."""
    sweep = configured("experiment=ablation", "scheme=[airnet,airnet_no_kd,noise]")
    titled = dataclasses.replace(sweep, titles={"airnet": "Mine", "airnet_no_kd": "Mine"})
    assert [titled.about(name).title for name in titled.schemes] == ["Mine (airnet)", "Mine (airnet_no_kd)", "Noise"]
