"""A quantiser of one's own: what it answers travels as it says, or is refused in one line."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from airdeliver import DigitalLink, Execution, deliver
from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import Levels
from airdeliver.compression.codec.reconstruction import Codebook, MidTread, bfloat16
from airdeliver.compression.quantisers import Quantiser, State
from airdeliver.compression.quantisers.uniform import uniform
from airdeliver.conformance import ConformanceError, check
from airdeliver.container import pack
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.task import Classification
from airdeliver.training import Training
from airdeliver.training.methods import Plain, Quantised
from channels import AWGN


@dataclass(frozen=True)
class Own(Quantiser):
    """Uniform levels, and whatever a function makes of them.

    Args:
        changed: from levels to what `levels` answers with.
        seen: from quantised values to what `quantise` answers with.
    """

    changed: Any = None
    seen: Any = None

    def init(self, values, layout):
        return State()

    def quantise(self, values, layout, state):
        hard = self._plain(values.detach(), layout).values().to(values)
        through = values + (hard - values).detach()
        return through if self.seen is None else self.seen(through)

    def levels(self, values, layout, state):
        plain = self._plain(values, layout)
        return plain if self.changed is None else self.changed(plain)

    def _plain(self, values, layout):
        bands = bands_of(layout)
        found = [uniform(part, 6) for part in bands.split(values.numpy()[bands.order])]
        numbers = np.concatenate([run for run, _ in found])
        return Levels.fitted(layout, numbers, [step for _, step in found], [None] * len(found))


@dataclass(frozen=True)
class Secret(MidTread):
    """Knows values that no container holds."""

    more: tuple[float, ...] = ()

    def stretch(self, levels, first, size):
        return np.array(self.more, np.float32)[first : first + len(levels)]


def changed(levels: Levels, **fields: Any) -> Levels:
    """Levels with other fields, past the checks of types that run in tests alone."""
    other = copy.copy(levels)
    for name, value in fields.items():
        object.__setattr__(other, name, value)
    return other


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 10))


def sent(quantiser):
    return deliver(network(), DigitalLink("capacity", quantiser=quantiser), AWGN(), 10.0, 20_000, realizations=2)


def huge(levels):
    numbers = levels.numbers.copy()
    numbers[0] = 2**40
    return changed(levels, numbers=numbers)


CHANGES = {
    "signed integers, got float64": lambda x: changed(x, numbers=x.numbers + 0.5),
    "signed integers, got uint8": lambda x: changed(x, numbers=x.numbers.astype(np.uint8)),
    "signed integers, got int64 of shape (1535,)": lambda x: changed(x, numbers=x.numbers[:-5]),
    "signed integers, got int64 of shape (1545,)": lambda x: changed(x, numbers=np.append(x.numbers, x.numbers[:5])),
    "signed integers, got Tensor": lambda x: changed(x, numbers=torch.from_numpy(x.numbers)),
    "for each of 3 bands, got 2 and 3": lambda x: changed(x, reconstructions=x.reconstructions[:-1]),
    "for each of 3 bands, got 3 and 2": lambda x: changed(x, models=x.models[:-1]),
    "groups that hold all 3 bands": lambda x: changed(x, groups=(1,) * 7),
    "at most 2^30 in magnitude": huge,
    "what no receiver knows: Secret": lambda x: changed(x, reconstructions=(Secret(1.0, (0.5,) * 2000),) * 3),
    "models that no receiver knows: int": lambda x: changed(x, models=(1, 2, 3)),
    "beyond the range of binary32": lambda x: changed(x, reconstructions=(MidTread(bfloat16(3e38)),) * 3),
    "stand for nothing: levels of a codebook": lambda x: changed(x, reconstructions=(Codebook((0.0, 1.0)),) * 3),
    "fit of Own fails (RuntimeError: two lines)": lambda x: (_ for _ in ()).throw(RuntimeError("two\nlines")),
}


@pytest.mark.parametrize("words", CHANGES)
def test_levels_that_no_container_carries_are_one_line(words):
    with pytest.raises(ValueError, match="Own") as told:
        sent(Own(CHANGES[words]))
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    with pytest.raises(ConformanceError):
        check(Own(CHANGES[words]))


def test_a_file_of_weights_is_not_written_of_them_either():
    with pytest.raises(ValueError, match="signed integers"):
        pack({"weight": torch.randn(20, 20)}, 2.0, quantiser=Own(CHANGES["signed integers, got float64"]))


@settings(max_examples=40, deadline=None)
@given(st.integers(-(2**33), 2**33), st.integers(0, 1539), st.sampled_from([np.int16, np.int32, np.int64, np.uint16]))
def test_what_arrives_is_what_was_planned(number, place, kind):
    """Whatever one level is, in whatever type it is held: delivered as its sender has it, or refused."""

    def with_it(levels):
        numbers = levels.numbers.copy()
        numbers[place] = number
        return changed(levels, numbers=numbers.astype(kind))

    quantiser = Own(with_it)
    if kind == np.uint16 or abs(int(np.array(number).astype(kind))) > 2**30:
        with pytest.raises(ValueError, match=r"levels of Own .*(signed integers|2\^30)"):
            sent(quantiser)
        return
    group = sent(quantiser).groups[0]
    planned = quantiser.levels(torch.cat([p.detach().flatten() for p in network().parameters()]), group.layout, State())
    assert bool(group.decoded.usable.all())
    assert torch.equal(group.decoded.values[0], planned.values())


SEEN = {
    "not finite": lambda x: x * torch.nan,
    "got torch.float32 of shape (": lambda x: x[:-1],
    "got torch.float64": lambda x: x.double(),
    "got NoneType": lambda x: None,
    "has no gradient": lambda x: x.detach(),
    "quantise of Own fails (ZeroDivisionError": lambda x: 1 / 0,
}


@pytest.mark.parametrize("words", SEEN)
def test_what_no_network_can_be_trained_with_is_one_line(words):
    task = Classification(load_dataset("digits"))
    problem = Problem(task, CNN(), Recipe(epochs=1, batch_size=256), execution=Execution(seed=0))
    training = Training.of(problem, Quantised(Plain(CNN()), Own(seen=SEEN[words])), problem.training)
    with pytest.raises(ValueError, match="quantise of Own") as told:
        training.run(task, {})
    assert words in str(told.value)
    assert "\n" not in str(told.value)


class Adapting(Own):
    adapts = True


class Silent(Own):
    def fit(self, payload, state, size, most=1.0, near=None):
        return None


class Counting(Own):
    """Remembers how often it was asked."""

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "times", [])

    def levels(self, values, layout, state):
        self.times.append(1)
        return self._plain(values / len(self.times), layout)


@pytest.mark.parametrize(
    ("quantiser", "words"),
    [
        (Silent(), "must make Levels, got NoneType"),
        (Adapting(), "says that it adapts, but takes"),
        (Counting(), "levels are others when asked again"),
        (Own(lambda levels: changed(levels, numbers=levels.numbers // 2)), "differ from quantise"),
    ],
)
def test_what_only_an_examination_shows(quantiser, words):
    with pytest.raises(ConformanceError) as told:
        check(quantiser)
    assert words in str(told.value)


def test_a_sound_one_passes():
    check(Own())
    assert sent(Own()).usable == 1
