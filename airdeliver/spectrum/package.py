"""Things to send of which each is worth most at some SNR: what they promise, measured beforehand."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.delivery import send
from airdeliver.elastic import Elastic, ElasticArchitecture, Member
from airdeliver.evaluation import evaluate
from airdeliver.links import Knowledge
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.problem import Execution
from airdeliver.spectrum.selection import AccuracyTable, Selection
from airdeliver.task.base import Task
from channels import Channel, ChannelState

DRAWS = 256
"""Realizations that stand for the distribution of a fading channel."""

SYMBOLS = 256
"""Symbols of each of them that are looked at."""

OTHER_NOISE = 1_000_003
"""Added to the seed where validation images are delivered: the choice must not know the noise of the test."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What one of several choices promises by a table of their scores over SNR; an `airdeliver.package.Expectation`.

    Without knowledge, its score at an assumed SNR; knowing the average, over the distribution that the channel draws
    its fading from; knowing each realization, for each, the mean over the receivers of one transmission.

    Args:
        table: of all choices.
        index: of this one.
        selection: how well the sender knows the SNR.
        unknown_snr_db: that a sender without knowledge assumes.
    """

    table: AccuracyTable
    index: int
    selection: Selection
    unknown_snr_db: float

    def of(self, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
        """Expected score; the arguments are those of `Expectation.of`."""
        if knowledge.snr_db is None or knowledge.channel is None:
            snr_db = torch.tensor([[self.unknown_snr_db]])
        elif knowledge.state is not None:
            snr_db = effective_snr_db(knowledge.state).view(-1, knowledge.channel.receivers)
        else:
            # The same draws whenever it is asked: knowledge of a distribution does not differ from block to block.
            draws = torch.Generator().manual_seed(0)
            state = knowledge.channel.realize(DRAWS, min(symbols, SYMBOLS), knowledge.snr_db, draws)
            # What its receivers will see, estimator and hardware included, not what the channel is.
            snr_db = effective_snr_db(knowledge.channel.effective(state, draws)).unsqueeze(0)
        expected = self.selection.expected(self.table, snr_db.flatten())
        return expected[self.index].view(snr_db.shape).mean(-1)


def choice_of(member: Member, normalisation: Normalisation, sensitivity: Tensor | None = None) -> Choice:
    """What a sender holds to send a member.

    Args:
        member: of an elastic network.
        normalisation: says whether batch-norm statistics are sent.
        sensitivity: loss increase per unit of noise variance of each segment, if it is known.
    """
    payload = member.payload(normalisation, sensitivity)
    return Choice(member.architecture, member.model, payload, member.meant_for.link)


@dataclass(frozen=True)
class SelectingPackage(Package):
    """Several choices, and a table of what each is worth at which SNR.

    Args:
        table: score of each choice over SNR.
        selection: how well the sender knows the SNR.
    """

    table: AccuracyTable = field(kw_only=True)
    selection: Selection = field(default_factory=Selection, kw_only=True)

    def __post_init__(self) -> None:
        expected = (
            replace(choice, expectation=Measured(self.table, index, self.selection, self.design_snr_db))
            for index, choice in enumerate(self.choices)
        )
        object.__setattr__(self, "choices", tuple(expected))


@dataclass(frozen=True)
class SpectrumPackage(SelectingPackage):
    """The members of a spectrum.

    Args:
        spectrum: whose members the choices are, in the same order.
        architecture: of the spectrum.
    """

    spectrum: Elastic = field(kw_only=True)
    architecture: ElasticArchitecture = field(kw_only=True)


def effective_snr_db(state: ChannelState) -> Float[Tensor, "realizations"]:
    """The SNR in dB of the flat channel of the same capacity: |h|^2 / noise variance where one gain lasts."""
    snr = state.gain.abs().square() / state.noise_variance
    return 10 * torch.expm1(torch.log1p(snr).mean(-1)).clamp(min=1e-10).log10().cpu()


def measured(
    choices: tuple[Choice, ...],
    normalisation: Normalisation,
    task: Task,
    execution: Execution,
    channel: Channel,
    symbols: int,
    snr_db: tuple[float, ...],
    realizations: int,
    images: int,
    inputs: Tensor | None = None,
) -> AccuracyTable:
    """Deliver every choice at every SNR and measure its accuracy on images of the validation split.

    All meet the same noise and images, so that differences are sharp. Where deliveries are few their noise decides who
    looks best, so many are made, and each is scored on images of its own.

    Args:
        choices: that can be sent.
        normalisation: where batch-norm statistics come from.
        task: gives the validation split and the score.
        execution: seed and device.
        channel: that is delivered over.
        symbols: the budget.
        snr_db: increasing, in dB.
        realizations: of each.
        images: that each delivery is scored on, drawn at random for it; all where there are no more.
        inputs: prepared inputs of the sender's own, for normalisation `sender`.
    """
    split, data = task.dataset.validation, task.dataset
    inputs_of_all, targets = split.take(torch.arange(len(split)))
    prepared, targets = data.prepare(inputs_of_all.to(execution.device)), targets.to(execution.device)
    each = images if images < len(split) else None
    seed, uses = execution.seed + OTHER_NOISE, channel.uses(symbols)
    rows = []
    for choice in choices:
        package = Package((choice,), normalisation, inputs)
        sent = (send(package, channel, db, uses, "average", realizations, seed, execution.device) for db in snr_db)
        reports = (evaluate(delivery, prepared, targets, task=task, images_each=each) for delivery in sent)
        rows.append([report.accuracy for report in reports])
    return AccuracyTable(snr_db, torch.tensor(rows))
