"""Bit planes over the digital link: one network, of which a receiver gets as much precision as its channel carries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.compression.codec import BitPlanes
from airdeliver.compression.quantisers import State, Vertical
from airdeliver.compression.quantisers.answers import levels_now
from airdeliver.conversion import Converted, converted, real, tuple_of
from airdeliver.links import DigitalLink, Knowledge
from airdeliver.links.digital.coded import Coded
from airdeliver.links.digital.outlook import Outlook, outlooks
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.payload import Model, Payload
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import FOR_THE_LINK, About, side_of
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, sender_inputs
from airdeliver.schemes.worth import Validation
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Layered


@dataclass(frozen=True)
class Planes(Scheme):
    """One network trained at several precisions; bit planes travel, the most significant first and most robust.

    What can be sent is any of the numbers of planes, each with any of the ladders of protection; the sender takes what
    promises most over what it knows of the channel: the sum over planes of the probability that all up to it arrive
    times what it adds to the score on validation images.

    Args:
        bits: of the finest level.
        dead_zone: whether values below a step are 0: a cheaper base, one plane less.
        precisions: numbers of planes that are trained, and may be sent, rising.
        ladders: bits per symbol of each group of packets over those of the next, less than 1 for planes that are
            protected the more the more they matter.
        link: that planes are sent over; quantiser, state and codec are set by this scheme. Its physical layer must tell
            groups apart, as `full` and `abstraction` do.
        fine_tuning: recipe; None for the task's.
        normalisation: where batch-norm statistics come from; not `frozen`, as each precision has its own.

    Raises:
        ValueError: a physical layer that protects all alike, statistics that are sent, no ladder.

    Source: arXiv 2212.05326 (vertical layers); unequal protection of layers is priority encoding.
    """

    bits: int = 8
    dead_zone: bool = False
    precisions: Converted[Iterable[int], tuple[int, ...]] = converted(tuple_of(int), (1, 2, 4, 8))
    ladders: Converted[Iterable[float], tuple[float, ...]] = converted(tuple_of(real), (1.0, 0.7, 0.5))
    link: DigitalLink = field(default_factory=DigitalLink)
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        if not isinstance(self.link.phy, Coded):
            raise ValueError(
                f"planes need a physical layer with a grade for each, full or abstraction, got {self.link.phy}"
            )
        if self.normalisation.sends_statistics:
            raise ValueError("each precision has batch-norm statistics of its own: give normalisation receiver")
        if not self.ladders:
            raise ValueError("ladders must be at least one share above 0 and at most 1")

    @property
    def quantiser(self) -> Vertical:
        """Of the weights."""
        return Vertical(self.bits, dead_zone=self.dead_zone)

    def about(self) -> About:  # noqa: D102
        title = "Bit planes, dead zone" if self.dead_zone else "Bit planes"
        return About(title, side_of(self.link), FOR_THE_LINK)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        method = Layered(Continued(Training.clean(problem)), self.quantiser, self.precisions)
        return (Training.of(problem, method, self.fine_tuning or problem.fine_tuning),)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        plain = choice_of(trained[training], self.link, self.normalisation)
        validation, most = Validation.of(problem, self.normalisation), self.precisions[-1]
        scores = tuple(validation.score(self._with_planes(plain, planes)) for planes in range(1, most + 1))
        choices = []
        for planes in self.precisions:
            for ladder in self.ladders if planes > 1 else self.ladders[:1]:
                link = self.sending(planes, ladder)
                promise = Promise(link, plain.payload, scores[:planes], problem.task.floor)
                choices.append(replace(plain, link=link, expectation=promise))
        inputs = sender_inputs(problem, self.normalisation)
        return Package(tuple(choices), self.normalisation, inputs, self.link.adaptation.design_snr_db)

    def sending(self, planes: int, ladder: float = 1.0) -> DigitalLink:
        """The link that sends so many planes, on a ladder of protection."""
        physical = self.link.phy
        assert isinstance(physical, Coded)
        # Levels of so many planes, and no more: what is not sent is not computed with either.
        codec = BitPlanes(planes + self.dead_zone, dead_zone=self.dead_zone)
        return replace(
            self.link,
            phy=replace(physical, ladder=ladder),
            quantiser=replace(self.quantiser, planes=planes),
            state=State().to_plain(),
            codec=codec,
        )

    def _with_planes(self, choice: Choice, planes: int) -> Model:
        """The network with so many planes of its values."""
        layout = choice.payload.layout
        values = replace(self.quantiser, planes=planes).quantise(choice.payload.values, layout, State())
        return choice.receive(values)


@dataclass(frozen=True, eq=False)
class Promise:
    """What a number of planes on a ladder promises: each plane's gain, if all up to it arrive.

    Args:
        link: that they are sent over.
        payload: whose levels.
        scores: with 1, 2, ... planes.
        floor: of a delivery of which the first group or the first plane does not arrive.
    """

    link: DigitalLink
    payload: Payload
    scores: tuple[float, ...]
    floor: float

    def of(self, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
        """Expected score of each transmission that the sender can tell apart; minus infinity where nothing fits."""
        physical, lengths = self.link.phy, lengths_of(self)
        assert isinstance(physical, Coded)
        room = self.link.room(self.payload.layout, symbols)
        grade = next((g for g in range(physical.fastest + 1) if physical.symbols(lengths, g) <= room), None)
        seen = outlooks(knowledge, self.link.adaptation.design_snr_db, symbols, physical.alphabets)
        if grade is None:
            return torch.full((len(seen),), -torch.inf)
        # Groups of one grade travel in one transport block: what loses one of them has lost the others.
        blocks = [(g, physical.symbols((length,), g)) for length, g in physical.transports(lengths, grade)]
        carrier = physical.transport_of(lengths, grade)
        gains = torch.tensor([after - before for before, after in zip((self.floor, *self.scores), self.scores)])

        def expected(outlook: Outlook) -> Tensor:
            parts = [physical.failure(torch.tensor([g]), outlook, n)[:, 0] for g, n in blocks]
            arrive = (1 - torch.stack(parts, 1).double()).cumprod(1)[:, carrier]
            return self.floor + (arrive[:, 1:] * gains.double().to(arrive.device)).sum(1).mean()

        return torch.stack([expected(outlook) for outlook in seen]).float()


@lru_cache(maxsize=64)
def lengths_of(promise: Promise) -> tuple[int, ...]:
    """Bytes of each group of what is sent."""
    levels = levels_now(promise.link.quantiser, promise.payload.values, promise.payload.layout, State())
    return promise.link.codec.pack(levels, promise.link.phy.packet_bytes).groups
