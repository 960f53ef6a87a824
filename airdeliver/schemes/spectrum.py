"""AirNet's ensemble: one parameter set for any SNR; and its rival, a network for each SNR."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from airdeliver.compression.pruning import Pruning
from airdeliver.conversion import Converted, converted, real, tuple_of
from airdeliver.elastic import Elastic, ElasticArchitecture, ElasticBuilder, Member, NestedBuilder, Sandwich
from airdeliver.links import AnalogLink
from airdeliver.links.condition import Condition
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import FOR_THE_LINK, About, side_of
from airdeliver.schemes.airnet import AirNet, expansion_for
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import pruned_misfit, sender_inputs
from airdeliver.sensitivity import by_curvature
from airdeliver.spectrum.package import SelectingPackage, SpectrumPackage, choice_of, measured
from airdeliver.spectrum.selection import AccuracyTable, Selection
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Distillation, Joint, Teaching
from channels import AWGN, Channel


def increasing(levels: Any) -> tuple[float, ...]:
    """SNRs in dB, one at least, each above the one before.

    >>> increasing([0, 5])
    (0.0, 5.0)
    """
    found = tuple_of(real)(levels)
    if not found or list(found) != sorted(set(found)):
        raise ValueError(f"must be increasing numbers in dB, got {list(found)}")
    return found


@dataclass(frozen=True, kw_only=True)
class Selecting(Scheme):
    """What schemes share that hold several networks for one budget, and choose by the SNR.

    Args:
        design_snr_db: SNR in dB that each network is made for, increasing.
        unknown_snr_db: that a sender without knowledge of the channel assumes.
        selection: how the sender chooses.
        table_snr_db: SNRs in dB at which the networks are measured on the validation split; what is between them is
            interpolated.
        table_realizations: deliveries of each.
        table_images: validation images of each delivery, drawn at random for it.
        train_channel: that networks are trained through and measured over.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: SNRs that do not increase.
    """

    design_snr_db: Converted[Iterable[float], tuple[float, ...]] = converted(increasing, (-5.0, 0.0, 5.0, 10.0))
    unknown_snr_db: float = 5.0
    selection: Selection = field(default_factory=Selection)
    table_snr_db: Converted[Iterable[float], tuple[float, ...]] = converted(
        increasing, (-5.0, -2.5, 0.0, 2.5, 5.0, 7.5, 10.0, 15.0)
    )
    table_realizations: int = 8
    table_images: int = 500
    train_channel: Channel = field(default_factory=AWGN)
    normalisation: Normalisation = field(default_factory=Normalisation)

    def table(self, choices: tuple[Choice, ...], problem: Problem, symbols: int) -> AccuracyTable:
        """What each of several choices is worth at which SNR, measured on the validation split."""
        inputs = sender_inputs(problem, self.normalisation)
        grid, count, images = self.table_snr_db, self.table_realizations, self.table_images
        what = (choices, self.normalisation, problem.task, problem.execution, self.train_channel)
        return measured(*what, symbols, grid, count, images, inputs)


@dataclass(frozen=True, kw_only=True)
class AirNetSpectrum(Selecting):
    """One parameter set of nested members, each pruned to the budget at the expansion that suits its SNR.

    The network of clean training is ranked once; all members are then trained in one run, the small ones taught by the
    largest in place. The sender delivers the member that is best at the SNR.

    Args:
        link: that members are trained through and sent over; expansion and design SNR are set by this scheme.
        span_db: lowest and highest SNR of the training in dB; in between, members meet half way.
        member: one member alone, by its index from 0, the smallest; None to choose by the SNR.
        builder: the kind of spectrum.
        distillation: how small members learn from the largest.
        between: members between smallest and largest that a step trains.
        share: of a step's images that all but the largest member see.
        fine_tuning: recipe; None for the task's.

    Raises:
        ValueError: an argument out of range.

    Source: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166; sandwich rule: J. Yu and T. Huang,
    arXiv 1903.05134.
    """

    link: AnalogLink = field(default_factory=lambda: AnalogLink(protection="expansion"))
    span_db: Converted[Iterable[float], tuple[float, ...]] = converted(increasing, (-5.0, 15.0))
    member: int | None = None
    builder: ElasticBuilder = field(default_factory=NestedBuilder)
    distillation: Distillation = field(default_factory=lambda: Distillation(temperature=1.0, weight=0.5))
    between: int = 1
    share: float = 0.5
    fine_tuning: Recipe | None = None

    def __post_init__(self) -> None:
        low, high = self.span_db
        if low > self.design_snr_db[0] or high < self.design_snr_db[-1]:
            raise ValueError(f"span_db must contain design_snr_db, got {low:g} to {high:g} dB")
        if self.member is not None and not 0 <= self.member < len(self.design_snr_db):
            raise ValueError(f"member must be from 0 to {len(self.design_snr_db) - 1}, got {self.member}")

    def about(self) -> About:  # noqa: D102
        ranges = self.ranges_db()
        ends = (ranges[0][0], ranges[-1][1]) if self.member is None else ranges[self.member]
        title = "AirNet spectrum" if self.member is None else f"Member for {self.design_snr_db[self.member]:g} dB"
        return About(title, side_of(self.link), FOR_THE_LINK, ends, self.train_channel, self.member)

    def ranges_db(self) -> list[tuple[float, float]]:
        """The range of SNR in dB that each member is trained at.

        >>> AirNetSpectrum().ranges_db()
        [(-5.0, -2.5), (-2.5, 2.5), (2.5, 7.5), (7.5, 15.0)]
        """
        middles = [(a + b) / 2 for a, b in pairwise(self.design_snr_db)]
        ends = [self.span_db[0], *middles, self.span_db[1]]
        return list(pairwise(ends))

    def conditions(self, symbols: int) -> tuple[Condition, ...]:
        """What each member is trained for."""
        made = []
        for snr_db, ends in zip(self.design_snr_db, self.ranges_db()):
            link = replace(self.link, expansion=expansion_for(snr_db), design_snr_db=snr_db)
            made.append(Condition(link, self.train_channel, ends, symbols))
        return tuple(made)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        method = Joint(
            Training.clean(problem),
            self.conditions(channel_uses),
            self.builder,
            Sandwich(self.between),
            Teaching("largest", self.distillation, self.share),
            self.normalisation.sends_statistics,
        )
        return (Training.of(problem, method, self.fine_tuning or problem.fine_tuning),)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        if not isinstance(self.builder, NestedBuilder):
            return None
        statistics, core = self.normalisation.sends_statistics, self.builder.core
        prunings = (
            Pruning(channel_uses, c.link, statistics=statistics, core=core) for c in self.conditions(channel_uses)
        )
        return next((told for pruning in prunings if (told := pruned_misfit(problem, pruning)) is not None), None)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        spectrum, architecture = trained[training].model(), trained[training].architecture
        assert isinstance(spectrum, Elastic)
        assert isinstance(architecture, ElasticArchitecture)
        held = (self.normalisation, sender_inputs(problem, self.normalisation), self.unknown_snr_db)
        if self.member is not None:
            return Package((self._choice(spectrum.members[self.member], problem),), *held)
        choices = tuple(self._choice(member, problem) for member in spectrum.members)
        table = self.table(choices, problem, channel_uses)
        known = {"table": table, "selection": self.selection}
        return SpectrumPackage(choices, *held, **known, spectrum=spectrum, architecture=architecture)

    def _choice(self, member: Member, problem: Problem) -> Choice:
        sensitivity = None
        if self.link.weighs_sensitivity:
            layout = member.layout(self.normalisation)
            sensitivity = by_curvature(member.model, layout, self.normalisation, problem.task, problem.execution)
        return choice_of(member, self.normalisation, sensitivity)


@dataclass(frozen=True, kw_only=True)
class SeparateNetworks(Selecting):
    """A network for each SNR, trained by itself; the sender holds all of them and delivers the best.

    Args:
        network: how each is made; its training SNR, channel and normalisation are set by this scheme.
    """

    network: AirNet = field(default_factory=lambda: AirNet(teacher=None))

    def about(self) -> About:  # noqa: D102
        ends = (self.design_snr_db[0], self.design_snr_db[-1])
        return replace(self.networks()[0].about(), title="Separate networks", train_snr_db=ends)

    def networks(self) -> tuple[AirNet, ...]:
        """The scheme of each network."""
        alike = replace(self.network, train_channel=self.train_channel, normalisation=self.normalisation)
        return tuple(replace(alike, train_snr_db=snr_db) for snr_db in self.design_snr_db)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return tuple(training for network in self.networks() for training in network.trainings(problem, channel_uses))

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        told = (network.misfit(problem, channel_uses) for network in self.networks())
        return next((reason for reason in told if reason is not None), None)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        packages = [network.pack(problem, trained, channel_uses) for network in self.networks()]
        choices = tuple(package.choices[0] for package in packages)
        table = self.table(choices, problem, channel_uses)
        held = (self.normalisation, packages[0].inputs, self.unknown_snr_db)
        return SelectingPackage(choices, *held, table=table, selection=self.selection)
