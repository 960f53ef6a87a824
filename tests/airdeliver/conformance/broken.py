"""Pieces that keep their contracts but for one thing."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from airdeliver import AnalogLink
from airdeliver.compression.quantisers import Signs
from airdeliver.links.analog import MMSE, Repetition, ZeroForcing
from airdeliver.links.analog.allocation import Allocation
from airdeliver.links.analog.protection import Equal
from airdeliver.normalisation import Normalisation
from airdeliver.schemes import Clean
from airdeliver.task import Classification
from channels import AWGN, ChannelState


@dataclass(frozen=True)
class Unfaded(AnalogLink):
    """Takes every gain for 1."""

    def decode(self, received, plan):
        return super().decode(replace(received, gain=torch.ones_like(received.gain)), plan)


@dataclass(frozen=True)
class Averaging(AnalogLink):
    """Knows nothing to do with a realized channel."""

    def plan(self, payload, symbols, knowledge):
        if knowledge.state is not None:
            raise KeyError("state")
        return super().plan(payload, symbols, knowledge)


@dataclass(frozen=True)
class Biased(Repetition):
    def combine(self, observed, noise_variance):
        values, variance = super().combine(observed, noise_variance)
        return values + 0.1, variance


@dataclass(frozen=True)
class Loud(Repetition):
    def expand(self, values):
        return 1.2 * super().expand(values)


@dataclass(frozen=True)
class Boastful(Repetition):
    def error(self, snr):
        return super().error(2 * snr)


@dataclass(frozen=True)
class Undertold(Repetition):
    def combine(self, observed, noise_variance):
        values, variance = super().combine(observed, noise_variance)
        return values, variance / 2


@dataclass(frozen=True)
class NotANumber(ZeroForcing):
    def estimate(self, observed, noise_variance, prior=None):
        return super().estimate(observed, noise_variance, prior) * torch.nan


@dataclass(frozen=True)
class Amplifying(ZeroForcing):
    def estimate(self, observed, noise_variance, prior=None):
        return 2 * observed


@dataclass(frozen=True)
class Shifted(MMSE):
    def estimate(self, observed, noise_variance, prior=None):
        return super().estimate(observed, noise_variance, prior) - 0.05


@dataclass(frozen=True)
class Whimsical(ZeroForcing):
    def estimate(self, observed, noise_variance, prior=None):
        return observed + 0 * torch.rand(1)


@dataclass(frozen=True)
class Greedy(Equal):
    def allocate(self, demand):
        return Allocation((255,) * len(demand.sizes))


@dataclass(frozen=True)
class Forgetful(Equal):
    def allocate(self, demand):
        return Allocation((1,) * (len(demand.sizes) - 1))


@dataclass(frozen=True)
class Parting(Signs):
    """Training meets other values than the receiver."""

    def quantise(self, values, layout, state):
        return 1.1 * super().quantise(values, layout, state)


@dataclass(frozen=True)
class Flattening(Signs):
    def quantise(self, values, layout, state):
        return super().quantise(values, layout, state).detach()


@dataclass(frozen=True)
class Overpowered(AnalogLink):
    def encode(self, values, plan):
        return super().encode(values, plan) * 1.5


@dataclass(frozen=True)
class Clairvoyant(AnalogLink):
    """Makes another plan of the bytes than the sender's."""

    def plan_from_bytes(self, side_information, layout):
        plan = super().plan_from_bytes(side_information, layout)
        return replace(plan, scale=2 * plan.scale)


@dataclass(frozen=True)
class Hopeful(AnalogLink):
    """Calls everything usable."""

    def send(self, values, plan, layout, channel, state, generator):
        decoded = super().send(values, plan, layout, channel, state, generator)
        return replace(decoded, usable=torch.ones_like(decoded.usable))


@dataclass(frozen=True)
class Restless(Clean):
    """Other trainings at every call."""

    calls: list = field(default_factory=list, compare=False)

    def trainings(self, problem, channel_uses):
        self.calls.append(0)
        seeded = replace(problem, execution=replace(problem.execution, seed=len(self.calls)))
        return super().trainings(seeded, channel_uses)


@dataclass(frozen=True)
class Bare(Clean):
    normalisation: Any = None


@dataclass(frozen=True, eq=False)
class Forgiving(Classification):
    """Outputs that are not finite count as right."""

    def score(self, outputs, targets):
        return torch.where(outputs.isnan().any(-1), torch.ones(len(outputs)), super().score(outputs, targets))


@dataclass(frozen=True, eq=False)
class Generous(Classification):
    """In per cent, though it says from 0 to 1."""

    def score(self, outputs, targets):
        return 100 * super().score(outputs, targets)


@dataclass(frozen=True, eq=False)
class Floorless(Classification):
    @property
    def floor(self):
        return -1.0


@dataclass(frozen=True)
class Quiet(AWGN):
    """3 dB off."""

    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return ChannelState(state.gain, state.noise_variance / 2)


def every() -> Iterator[tuple[Any, str]]:
    """Each but the tasks, with words of the fault that is to be found."""
    yield Biased(1), "with a bias: +0.1"
    yield Loud(1), "mean square 1.44; expected 1"
    yield Boastful(2), "but error("
    yield Undertold(2), "noise of combined values is 2.0"
    yield NotANumber(), "estimate is not finite"
    yield Amplifying(), "mean squared error"
    yield Shifted(), "have a bias: -0.0"
    yield Whimsical(), "draws from a global generator"
    yield Greedy(), "do not fit"
    yield Forgetful(), "expected 4"
    yield Parting(), "training meets other values than the receiver"
    yield Flattening(), "has no gradient"
    yield Overpowered(), "mean power"
    yield Clairvoyant(), "plan_from_bytes makes another plan"
    yield Unfaded(), "fading is not undone"
    yield Averaging(), "failed with KeyError"
    yield Hopeful(), "gain 0 is called usable"
    yield Restless(), "trainings are others when asked for again"
    yield Bare(normalisation=1), "has no normalisation"
    yield Quiet(), "3.01 dB"
    # A part within a sound whole.
    yield AnalogLink(receiver=Amplifying(), expansion=Repetition(2)), "Receiver (its receiver)"
    yield Clean(AnalogLink(expansion=Biased(2)), Normalisation()), "Expansion (its link.expansion)"
