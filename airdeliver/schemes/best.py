"""One sender that holds what several schemes would send, and sends what promises most for what it knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch

from airdeliver.conversion import Converted, converted, instance_of, tuple_of
from airdeliver.links import BudgetError, DigitalLink, Knowledge
from airdeliver.package import Choice, Package
from airdeliver.problem import Problem
from airdeliver.schemes.about import FOR_THE_LINK, About
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import sender_inputs
from airdeliver.schemes.spectrum import Selecting, increasing
from airdeliver.schemes.worth import UNTRAINED, worth_of
from airdeliver.spectrum.package import Measured
from airdeliver.training import Trained, Training
from channels import AWGN, Channel

IMAGINED, LOOKED_AT = 4096, 24
"""Receivers whose channels are drawn, and how many of them, evenly over their order, stand for all."""


@dataclass(frozen=True, kw_only=True)
class Best(Selecting):
    """A sender that need not be told which scheme to use.

    It holds the packages of several schemes, analog, digital, layered or mixed, and compares them in one currency, the
    expected score of `Choice.prospect`: for a realized channel, for the law of a fading channel of which it knows the
    average, or over unlike receivers of one transmission, as far as it knows them. What a choice is worth is measured
    on validation inputs and seeded draws of its own, never on test inputs: an analog choice is delivered at the SNRs of
    a table, a digital one is quantised to several rates and lost as often as its code blocks are; a choice that brings
    an expectation of its own keeps it, measured over the same table. A scheme that does not fit the budget is left out.

    Args:
        schemes: what is held, at least one; all with the normalisation of this scheme.

    Raises:
        ValueError: no scheme, or one of another normalisation.
    """

    schemes: Converted[Iterable[Scheme], tuple[Scheme, ...]] = converted(tuple_of(instance_of(Scheme)))
    table_snr_db: Converted[Iterable[float], tuple[float, ...]] = converted(
        increasing, (-15.0, -10.0, -7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 10.0, 20.0)
    )

    def __post_init__(self) -> None:
        if not self.schemes:
            raise ValueError("best needs schemes to choose from, got none")
        for scheme in self.schemes:
            if scheme.normalisation != self.normalisation:
                raise ValueError(
                    f"all of best's schemes need its normalisation, {self.normalisation}, "
                    f"{type(scheme).__name__} has {scheme.normalisation}"
                )

    def about(self) -> About:  # noqa: D102
        prepared = {scheme.about().preparation for scheme in self.schemes}
        return About("Best of what the sender holds", "mixed", prepared.pop() if len(prepared) == 1 else FOR_THE_LINK)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        needed = (t for s in self._fitting(problem, channel_uses) for t in s.trainings(problem, channel_uses))
        return tuple(dict.fromkeys(needed))

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        told = [scheme.misfit(problem, channel_uses) for scheme in self.schemes]
        return None if None in told else told[0]

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        choices: list[Choice] = []
        refused: BudgetError | None = None
        for scheme in self._fitting(problem, channel_uses):
            try:
                choices += scheme.pack(problem, trained, channel_uses).choices
            except BudgetError as error:  # what training has made is larger than was told beforehand
                refused = error
        if not choices:
            raise refused or BudgetError(f"nothing fits into {channel_uses} symbols: give more channel uses")
        inputs = sender_inputs(problem, self.normalisation)
        choices = [self._weighed(choice, problem) for choice in choices]
        promising = self._promising(choices, problem, channel_uses)
        return Package(tuple(promising), self.normalisation, inputs, self.unknown_snr_db)

    def _fitting(self, problem: Problem, channel_uses: int) -> list[Scheme]:
        fitting = (scheme for scheme in self.schemes if scheme.misfit(problem, channel_uses) is None)
        return [self._measuring_alike(scheme) for scheme in fitting]

    def _measuring_alike(self, scheme: Scheme) -> Scheme:
        """A scheme with a table takes that of this one: beyond its ends a table promises what it does at them."""
        if not isinstance(scheme, Selecting):
            return scheme
        count, images = self.table_realizations, self.table_images
        return replace(scheme, table_snr_db=self.table_snr_db, table_realizations=count, table_images=images)

    def _weighed(self, choice: Choice, problem: Problem) -> Choice:
        """The same; a digital one that tells its worth in bits alone, as updates do, with its score at each rate."""
        link = choice.link
        if choice.expectation is not None or not isinstance(link, DigitalLink) or link.worth.points:
            return choice
        return replace(choice, link=replace(link, worth=worth_of(choice, problem, self.normalisation, UNTRAINED)))

    def _promising(self, choices: list[Choice], problem: Problem, channel_uses: int) -> list[Choice]:
        """The same, each with what it promises."""
        silent = [i for i, c in enumerate(choices) if c.expectation is None and not isinstance(c.link, DigitalLink)]
        if not silent:
            return choices
        table = self.table(tuple(choices[i] for i in silent), problem, channel_uses)
        promising = list(choices)
        for row, i in enumerate(silent):
            expected = Measured(table, row, self.selection, self.unknown_snr_db)
            promising[i] = replace(choices[i], expectation=expected)
        return promising


@dataclass(frozen=True)
class Room:
    """What is left to gain over one choice for all.

    Args:
        one: expected score of the best choice that is sent to all alike.
        each: expected score if each receiver were sent what is best for its own channel.
    """

    one: float
    each: float

    @property
    def gain(self) -> float:
        """Score that is left."""
        return self.each - self.one


def room(package: Package, channel: Channel, snr_db: float, symbols: int) -> Room:
    r"""What a sender could gain at most that sends one thing to all: bit planes, layers, a base with a refinement.

    Whatever is superposed or sent in turns, a receiver at SNR s has no more of it than had the whole budget been spent
    for s alone: with networks as good as those that are held, its score is at most $\max_k A_k(s)$, and the mean over
    the law of s at most $E[\max_k A_k(s)]$. One choice for all has $\max_k E[A_k(s)]$. Where both are close, no mixture
    can be ahead by much; better networks still can.

    Args:
        package: choices that promise a score: see `Best`.
        channel: whose law the receivers' SNR is of; flat.
        snr_db: its mean SNR in dB.
        symbols: complex symbols that fit.
    """
    one = max(float(choice.prospect(Knowledge("average", snr_db, channel), symbols)) for choice in package.choices)
    state = channel.realize(IMAGINED, 1, snr_db, torch.Generator().manual_seed(0))
    order = (state.gain.abs().square() / state.noise_variance)[:, 0].argsort()
    middles = (torch.arange(LOOKED_AT) + 0.5) / LOOKED_AT * len(order)
    state = state[order[middles.long()]]
    # Every receiver by itself, whose gain is known.
    known = Knowledge("instantaneous", snr_db, AWGN(), state)
    each = torch.stack([choice.prospect(known, symbols).expand(len(state.gain)) for choice in package.choices])
    return Room(one, float(each.amax(0).mean()))
