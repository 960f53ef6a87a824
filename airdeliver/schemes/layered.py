"""Layered delivery: one transmission, of which every receiver takes the leading layers that it can use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import torch
from torch import Tensor

from airdeliver.capability import Capability
from airdeliver.conversion import Converted, converted, instance_of, real, tuple_of
from airdeliver.elastic import ElasticArchitecture
from airdeliver.links import AnalogLink, BudgetError, DigitalLink, Knowledge, LayeredLink, Link
from airdeliver.links.digital import FixedGrade
from airdeliver.package import Package
from airdeliver.problem import Problem
from airdeliver.schemes.about import About, is_limit, side_of
from airdeliver.schemes.elastic import ElasticNetwork
from airdeliver.schemes.packing import sender_inputs
from airdeliver.schemes.spectrum import Selecting, increasing
from airdeliver.spectrum.layered import LayeredChoice, OverAudience
from airdeliver.spectrum.selection import AccuracyTable
from airdeliver.training import Trained, Training
from channels import AWGN, Channel, Multicast


def _spread() -> Channel:
    """Nine receivers evenly over 20 dB."""
    return Multicast(AWGN(), receivers=9, offsets_db=(-10.0, -7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5, 10.0))


@dataclass(frozen=True, kw_only=True)
class Layered(Selecting):
    """An elastic network sent in layers, for receivers of unlike SNR and unlike processors.

    The sender holds several splits of the budget: how many layers are sent, and what each gets of the channel. Each is
    delivered on the validation split at several SNRs; the one whose expected score over the receivers' law of SNR is
    largest is sent. Over an analog link a receiver's SNR also says how many layers it should use, since noise on a
    further layer may cost more than the layer is worth: these thresholds are measured and told, half a dB a step.

    Args:
        network: how the elastic network is trained; any whose members are nested.
        link: of every layer: an analog one, which fills the share of its layer, or a digital one, of which each layer
            has a grade.
        ratios: candidates: how many times more symbols for each value each layer gets than the next one.
        grades_db: candidates, for a digital link: the SNR in dB that the first layer's grade is for.
        steps_db: candidates, for a digital link: how much higher that is for each further layer.
        audience: the receivers' law of SNR for a sender that knows nothing of the channel: a channel, of which every
            row is a receiver.
        audience_db: its mean SNR in dB.
        capabilities: of the receivers of one transmission, in turn; empty for receivers that can take anything.

    Raises:
        ValueError: statistics of batch norm that are sent: layers hold none.
    """

    network: ElasticNetwork = field(default_factory=ElasticNetwork)
    link: Link = field(default_factory=lambda: AnalogLink(protection="size"))
    ratios: Converted[Iterable[float], tuple[float, ...]] = converted(increasing, (1.0, 2.0, 4.0))
    grades_db: Converted[Iterable[float], tuple[float, ...]] = converted(increasing, (-5.0, 0.0, 5.0, 10.0))
    steps_db: Converted[Iterable[float], tuple[float, ...]] = converted(tuple_of(real), (0.0, 5.0))
    audience: Channel = field(default_factory=_spread)
    audience_db: float = 5.0
    capabilities: Converted[Iterable[Capability], tuple[Capability, ...]] = converted(
        tuple_of(instance_of(Capability)), ()
    )

    def __post_init__(self) -> None:
        if self.normalisation.sends_statistics:
            raise ValueError("normalisation must be receiver: layers hold no batch-norm statistics")

    def about(self) -> About:  # noqa: D102
        said = self.network.about()
        title = "Layers, digital" if isinstance(self.link, DigitalLink) else "Layers"
        return replace(said, title=title, side=side_of(self.link), limit=is_limit(self.link), member=None)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return self.network.trainings(problem, channel_uses)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        network = trained[training]
        elastic = self.network.elastic(problem, trained, channel_uses)
        assert isinstance(network.architecture, ElasticArchitecture)
        known = (elastic, network.architecture, network.description)
        sizes = LayeredChoice.of_network(*known, self._links((1.0,), (self.link,))).layers
        fitting = [
            LayeredChoice.of_network(*known, link, self.capabilities)
            for link in self.candidates([len(places) for places in sizes.members])
        ]
        fitting = [choice for choice in fitting if _fits(choice, channel_uses)]
        if not fitting:
            raise BudgetError(f"not even the first layer fits into {channel_uses} symbols: give more channel uses")
        rows, choices = zip(*(self._measured(choice, problem, channel_uses) for choice in fitting), strict=True)
        table = AccuracyTable(self.table_snr_db, torch.stack(rows))
        told = (self.selection, self.unknown_snr_db, self.audience, self.audience_db)
        promising = (replace(c, expectation=OverAudience(table, i, *told)) for i, c in enumerate(choices))
        inputs = sender_inputs(problem, self.normalisation)
        return Package(tuple(promising), self.normalisation, inputs, self.unknown_snr_db)

    def candidates(self, sizes: list[int]) -> list[LayeredLink]:
        """The splits of the budget that are tried out.

        Args:
            sizes: values of each member, the smallest first.
        """
        found = []
        for count in range(1, len(sizes) + 1):
            own = [after - before for before, after in zip([0, *sizes], sizes[:count])]
            for ratio in self.ratios if count > 1 else self.ratios[:1]:
                weights = [max(1, size) * ratio ** (count - 1 - k) for k, size in enumerate(own)]
                shares = tuple(weight / sum(weights) for weight in weights)
                found += [self._links(shares, links) for links in self._graded(count)]
        return found

    def _graded(self, count: int) -> list[tuple[Link, ...]]:
        """The links of so many layers: analog ones are alike, digital ones have a grade each."""
        if not isinstance(self.link, DigitalLink):
            return [(self.link,) * count]
        link = self.link
        steps = self.steps_db if count > 1 else self.steps_db[:1]
        return [
            tuple(replace(link, adaptation=FixedGrade(first + k * step)) for k in range(count))
            for first, step in product(self.grades_db, steps)
        ]

    def _links(self, shares: tuple[float, ...], links: tuple[Link, ...]) -> LayeredLink:
        total = sum(shares)
        return LayeredLink(links, tuple(share / total for share in shares))

    def _measured(self, choice: LayeredChoice, problem: Problem, symbols: int) -> tuple[Tensor, LayeredChoice]:
        """The score over SNR of a split, and the split with the thresholds that are best for it."""
        assert isinstance(choice.link, LayeredLink)
        open_to_all = replace(choice, capabilities=())
        count = len(choice.link.links)
        if isinstance(self.link, DigitalLink) or count == 1:
            return self.table((open_to_all,), problem, symbols).accuracy[0], choice
        by_count = tuple(replace(open_to_all, most=most) for most in range(1, count + 1))
        scores = self.table(by_count, problem, symbols).accuracy
        least = thresholds(self.table_snr_db, scores)
        used = torch.tensor([[db >= t for db in self.table_snr_db] for t in least]).long().cumprod(0).sum(0) - 1
        envelope = scores.gather(0, used.clamp(min=0).unsqueeze(0))[0]
        return envelope, replace(choice, link=replace(choice.link, least_db=least))


def thresholds(snr_db: tuple[float, ...], scores: Tensor) -> tuple[float, ...]:
    """From which SNR on each layer should be used: where the members that need it are best from there on.

    Args:
        snr_db: of the columns, rising.
        scores: a row for each number of layers, the first for one.

    Returns:
        A threshold for each layer, rising: the first is used anywhere, one that never pays only beyond 63 dB.

    >>> thresholds((0.0, 10.0, 20.0), torch.tensor([[0.5, 0.5, 0.5], [0.2, 0.7, 0.8]]))
    (-64.0, 5.0)
    """
    best = scores.argmax(0).tolist()
    # From above: a smaller member that is better once at a high SNR is chance.
    found = [-64.0]
    for layer in range(1, len(scores)):
        place = next((i for i in range(len(best)) if all(b >= layer for b in best[i:])), None)
        if place is None:
            found.append(63.0)
        else:
            found.append(-64.0 if place == 0 else round(snr_db[place - 1] + snr_db[place]) / 2)
    return tuple(found)


def _fits(choice: LayeredChoice, symbols: int) -> bool:
    try:
        choice.link.plan(choice.payload, symbols, Knowledge())
    except BudgetError:
        return False
    return True
