"""The schemes of every experiment, and the configuration that they come from."""

import shlex
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from airdeliver import AnalogLink, DigitalLink, Normalisation
from airdeliver.links.analog import Repetition
from airdeliver.links.analog.expansion import Spiral
from airdeliver.links.digital import FixedGrade
from airdeliver.models import MGICVGG, VGG, GhostVGG, ModelBuilder
from airdeliver.recipe import Recipe
from airdeliver.schemes import (
    AirNet,
    AirNetSpectrum,
    Clean,
    Compact,
    Digital,
    Noise,
    OfModel,
    Scheme,
    SeparateNetworks,
)
from experiments.building import build
from experiments.command_line import CONF, ConfigurationError, choices_of, read
from experiments.configuration import Sweep, configure

PUBLISHED = Path(__file__).parents[2] / "figures" / "published"
BASES = [name for name in choices_of("scheme") if name != "own"]

CLEAN = {"clean": Clean(), "clean_frozen": Clean(normalisation=Normalisation("frozen"))}
NOISE = {"noise": Noise(), "noise_frozen": Noise(normalisation=Normalisation("frozen"))}
EQUAL = AirNet(link=AnalogLink(protection="equal"))
PLAIN = AirNet(uses_per_value=0.5)
CAPACITY, FIXED = DigitalLink(phy="capacity"), DigitalLink(adaptation=FixedGrade())


def trained(link: DigitalLink) -> Digital:
    """For sizes times rates, with a teacher."""
    rates = (2.0, 1.1, 0.7, 1.1, 0.7, 1.1, 0.7, 1.1, 0.7, 1.0, 0.85)
    kept = (1.0, 1.0, 1.0, 0.6, 0.6, 0.35, 0.35, 0.2, 0.2, 0.12, 0.06)
    return Digital(link, train_bits=rates, keep=kept, teacher=2.0, penalty=0.5)


def compact(model: ModelBuilder | None = None, **given: Any) -> Scheme:
    """For several rates, another architecture's if one is given."""
    scheme = Compact(train_bits=(2.0, 1.0, 0.5), penalty=0.5, **given)
    return scheme if model is None else OfModel(scheme, model)


SCHEMES = {
    "ablation": {
        "airnet": AirNet(),
        "airnet_no_noise": AirNet(noise=False),
        "airnet_no_kd": AirNet(teacher=None),
        "airnet_plain": PLAIN,
        "airnet_no_prune": AirNet(prune=False, uses_per_value=0.5),
        "airnet_equal": EQUAL,
    },
    "bandwidth": {
        "airnet": AirNet(),
        "digital_qat_adaptive": trained(DigitalLink()),
        "digital_qat_capacity": trained(CAPACITY),
    },
    "channels": {"noise": Noise()},
    "compact": {
        "digital_qat_adaptive": trained(DigitalLink()),
        "dense": compact(),
        "dense_small": compact(VGG(width=0.7)),
        "ghost": compact(GhostVGG()),
        "ghost_wide": compact(GhostVGG(width=1.375)),
        "mgic": compact(MGICVGG()),
        "rigl_80": compact(sparsity=0.8),
        "rigl_90": compact(sparsity=0.9),
        "static_90": compact(sparsity=0.9, sparse="static"),
        "gradual_90": compact(sparsity=0.9, sparse="gradual"),
        "dense_tiny": compact(VGG(width=0.35)),
        "student": compact(VGG(width=0.5)),
        "student_kd": compact(VGG(width=0.5), teachers=(4.0,)),
        "student_assistant": compact(VGG(width=0.5), teachers=(2.0,)),
        "student_takd": compact(VGG(width=0.5), teachers=(4.0, 2.0)),
    },
    "demo": {**CLEAN, **NOISE, "airnet": AirNet(), "spectrum": AirNetSpectrum()},
    "expansion": {
        "airnet_plain": PLAIN,
        "airnet_twice": AirNet(expansion=Repetition(2)),
        "airnet_four_times": AirNet(expansion=Repetition(4)),
        "airnet_spiral": AirNet(expansion=Spiral(10.0)),
    },
    "fading": {"clean": Clean(), "noise": Noise()},
    "mismatch": {
        "clean": Clean(),
        "noise": Noise(train_snr_db=(-3.0, 25.0)),
        "noise_at_minus_5": Noise(train_snr_db=-5.0),
        "noise_at_0": Noise(train_snr_db=0.0),
        "noise_at_5": Noise(train_snr_db=5.0),
        "noise_at_10": Noise(train_snr_db=10.0),
        "noise_at_15": Noise(train_snr_db=15.0),
    },
    "protection": {
        "airnet_equal": EQUAL,
        "airnet": AirNet(link=AnalogLink(protection="expansion")),
        "airnet_power": AirNet(link=AnalogLink(protection="power")),
        "airnet_both": AirNet(link=AnalogLink(protection="both")),
    },
    "snr": {**CLEAN, **NOISE},
    "spectrum": {
        "spectrum": AirNetSpectrum(),
        "spectrum_separate": SeparateNetworks(network=AirNet(teacher=None)),
        "spectrum_middle": AirNet(teacher=None, train_snr_db=5.0),
        "spectrum_member_0": AirNetSpectrum(member=0),
        "spectrum_member_1": AirNetSpectrum(member=1),
        "spectrum_member_2": AirNetSpectrum(member=2),
        "spectrum_member_3": AirNetSpectrum(member=3),
    },
    "winner": {
        "clean_pruned": AirNet(
            teacher=None, noise=False, uses_per_value=0.5, fine_tuning=Recipe(epochs=0),
            link=AnalogLink(protection="size"),
        ),
        "digital_adaptive": Digital(),
        "digital_fixed": Digital(FIXED),
        "digital_capacity": Digital(CAPACITY),
        "airnet": AirNet(),
        "airnet_plain": PLAIN,
        "digital_qat_adaptive": trained(DigitalLink()),
        "digital_qat_capacity": trained(CAPACITY),
    },
}  # fmt: skip
"""What each experiment compared before its variants moved into it, in the order of the table."""


@cache
def sweep_of(experiment: str) -> Sweep:
    """As it comes."""
    return configure(read([f"experiment={experiment}"]))


@pytest.mark.parametrize("experiment", sorted(SCHEMES))
def test_an_experiment_compares_what_it_always_did(experiment: str):
    schemes = sweep_of(experiment).schemes
    assert list(schemes) == list(SCHEMES[experiment])
    assert schemes == SCHEMES[experiment]


@pytest.mark.parametrize("experiment", choices_of("experiment"))
def test_titles_tell_the_schemes_of_an_experiment_apart(experiment: str):
    sweep = sweep_of(experiment)
    titles = [sweep.about(name).title for name in sweep.schemes]
    assert len(set(titles)) == len(titles)
    assert not any("_" in title or title.islower() for title in titles)


def test_bases_are_few():
    assert len(choices_of("scheme")) <= 12


def without(node: DictConfig) -> list[tuple[str, DictConfig]]:
    """The node without one of its values, in every way that there is."""
    OmegaConf.set_struct(node, value=False)
    found = []
    for key in node:
        if key in ("_target_", "title"):
            continue
        less = node.copy()
        less.pop(key)
        found.append((str(key), less))
        if isinstance(node[key], DictConfig):
            for inner, smaller in without(node[key]):
                changed = node.copy()
                changed[key] = smaller
                found.append((f"{key}.{inner}", changed))
    return found


@pytest.mark.parametrize("name", BASES)
def test_a_base_repeats_no_default_of_its_class(name: str):
    """Whatever is left out of it, another scheme comes out."""
    node = read([f"scheme=[{name}]"]).config.scheme[name]
    whole = build(node, name, besides=("title",))
    for key, less in without(node):
        with suppress(ConfigurationError):  # the rest cannot be meant without it
            assert build(less, name, besides=("title",)) != whole, f"{name}.yaml repeats the default of {key}"
    said = build(node, name, besides=("title",)).about().title
    assert node.get("title") != said, f"{name}.yaml repeats its title"


COMMANDS = [
    pytest.param(shlex.split(line.partition(": ")[2])[3:], id=f"{file.stem}: {line[2:40]}")
    for file in sorted(PUBLISHED.glob("*.csv"))
    for line in file.read_text(encoding="utf-8").splitlines()
    if line.startswith("# command")
]


def test_published_tables_have_commands():
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("command", COMMANDS)
def test_published_commands_still_say_what_they_said(command: list[str], unchecked: None):
    """Each is read, names its schemes, and none is refused or left out."""
    sweep = configure(read(command))
    asked = [argument for argument in command if argument.startswith("scheme=")]
    for argument in asked:
        assert list(sweep.schemes) == argument.removeprefix("scheme=").strip("[]").split(",")
    for name, scheme in sweep.schemes.items():
        if f"scheme.{name}.teacher=null" in command:
            assert scheme.teacher is None


def test_groups_are_those_that_are_documented():
    assert sorted(folder.name for folder in CONF.iterdir() if folder.is_dir()) == [
        "channel", "dataset", "engine", "experiment", "model", "preset", "scheme",
    ]  # fmt: skip
