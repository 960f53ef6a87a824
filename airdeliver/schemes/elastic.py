"""Elastic networks: one parameter set trained for several widths at once, of which one member is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airdeliver.conversion import Converted, converted, optional
from airdeliver.elastic import Elastic, ElasticBuilder, Every, Member, Sampler, SlimmableBuilder
from airdeliver.links import AnalogLink, Link
from airdeliver.links.condition import SNR, Condition, level_or_range
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import AS_IT_IS, FOR_THE_LINK, About, is_limit, side_of, words
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import sender_inputs
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Joint, Plain, Teaching
from channels import AWGN, Channel


@dataclass(frozen=True, kw_only=True)
class ElasticNetwork(Scheme):
    """All members trained together from fresh weights, as they are or through the link; one of them is sent.

    US-Nets, FjORD, slimmable networks and networks trained by themselves are configurations of it: which members there
    are (`builder`), which a step trains (`sampler`), who learns from whom (`teaching`).

    Args:
        builder: the kind of elastic network, and its members.
        sampler: which members a step trains.
        teaching: who learns from whom.
        member: which is sent, by its index from 0, the smallest, among those that are delivered; None for the largest.
        link: that it is sent over, and trained through.
        train_snr_db: SNR in dB of a fine-tuning of all members through the link, a number or a range of which every
            member draws one in every step; None for no such training.
        train_channel: channel of that fine-tuning.
        training: recipe of the training from fresh weights; None for the task's.
        fine_tuning: recipe of the training through the link; None for the task's.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: a member that there is not.

    Source: J. Yu and T. Huang, arXiv 1903.05134; S. Horvath et al., arXiv 2102.13451; J. Yu et al., arXiv 1812.08928.
    """

    builder: ElasticBuilder = field(default_factory=SlimmableBuilder)
    sampler: Sampler = field(default_factory=Every)
    teaching: Teaching = field(default_factory=lambda: Teaching("none", share=1.0))
    member: int | None = None
    link: Link = field(default_factory=lambda: AnalogLink(protection="size"))
    train_snr_db: Converted[SNR | None, float | tuple[float, float] | None] = converted(optional(level_or_range), None)
    train_channel: Channel = field(default_factory=AWGN)
    training: Recipe | None = None
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        most = self.builder.members
        if most is None:
            raise ValueError(f"builder must say how many members it has, {type(self.builder).__name__} does not")
        if self.member is not None and not 0 <= self.member < most:
            raise ValueError(f"member must be from 0 to {most - 1}, or None for the largest, got {self.member}")

    @property
    def count(self) -> int:
        """Members that can be sent."""
        assert self.builder.members is not None
        return self.builder.members

    def about(self) -> About:  # noqa: D102
        trained = self.train_snr_db is not None
        return About(
            words(type(self.builder).__name__.removesuffix("Builder")),
            side_of(self.link),
            FOR_THE_LINK if trained else AS_IT_IS,
            self.train_snr_db,
            self.train_channel if trained else None,
            self.member,
            is_limit(self.link),
        )

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        fresh = Training.of(problem, Plain(problem.model), Recipe(epochs=0))
        clean = self._joint(problem, fresh, None, self.training or problem.training, self.bases(problem, fresh))
        if self.train_snr_db is None:
            return (clean,)
        condition = Condition(self.link, self.train_channel, self.train_snr_db)
        return (self._joint(problem, clean, condition, self.fine_tuning or problem.fine_tuning),)

    def bases(self, problem: Problem, fresh: Training) -> tuple[Training, ...]:
        """Trainings of other networks that the builder takes something from; none unless a kind needs them.

        Args:
            problem: task, model, how long to train, how to compute.
            fresh: the network before any training.
        """
        return ()

    def _joint(
        self,
        problem: Problem,
        before: Training,
        condition: Condition | None,
        recipe: Recipe,
        bases: tuple[Training, ...] = (),
    ) -> Training:
        conditions = (condition,) * self.count
        statistics = self.normalisation.sends_statistics
        method = Joint(before, conditions, self.builder, self.sampler, self.teaching, statistics, bases=bases)
        return Training.of(problem, method, recipe)

    def elastic(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Elastic:
        """The trained network."""
        (training,) = self.trainings(problem, channel_uses)
        elastic = trained[training].model()
        assert isinstance(elastic, Elastic)
        return elastic

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        elastic = self.elastic(problem, trained, channel_uses)
        member = elastic.members[elastic.delivered[-1 if self.member is None else self.member]]
        inputs = sender_inputs(problem, self.normalisation)
        return Package((choice_of_member(member, self.link, self.normalisation),), self.normalisation, inputs)


def choice_of_member(member: Member, link: Link, normalisation: Normalisation) -> Choice:
    """What a sender holds to send a member, as the network that it is.

    Args:
        member: of an elastic network.
        link: that it is sent over.
        normalisation: says whether batch-norm statistics are sent.
    """
    return Choice(member.architecture, member.model, member.payload(normalisation), link)
