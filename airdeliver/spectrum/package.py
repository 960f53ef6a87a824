"""A package whose sender chooses by what it knows of the channel."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.architecture import PrunableArchitecture
from airdeliver.delivery import send
from airdeliver.evaluation import evaluate
from airdeliver.links import Knowledge
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.spectrum.base import Spectrum, SpectrumBuilder
from airdeliver.spectrum.selection import AccuracyTable, Selection
from airdeliver.task import Task
from channels import Channel, ChannelState

DRAWS = 256
"""Realizations that stand for the distribution of a fading channel."""

SYMBOLS = 256
"""Symbols of each of them that are looked at."""

OTHER_NOISE = 1_000_003
"""Added to the seed where validation images are delivered: the choice must not know the noise of the test."""


@dataclass(frozen=True)
class SelectingPackage(Package):
    """Several choices, and a table of what each is worth at which SNR.

    Args:
        table: accuracy of each choice over SNR.
        selection: the rule.
    """

    table: AccuracyTable = field(kw_only=True)
    selection: Selection = field(default_factory=Selection, kw_only=True)

    def select(self, knowledge: Knowledge, symbols: int) -> Int64[Tensor, "#realizations"]:
        """The best choice for what the sender knows.

        Without knowledge, at the design SNR; knowing the average, for the distribution that the channel draws its
        fading from; knowing each realization, for each. Receivers of one transmission get one choice, of the best
        mean over them.

        Args:
            knowledge: of the channel.
            symbols: that fit; every choice was made for one budget.
        """
        if knowledge.snr_db is None or knowledge.channel is None:
            return self.selection.choose(self.table, torch.tensor([self.design_snr_db]))
        channel = knowledge.channel
        if knowledge.state is not None:
            snr_db = effective_snr_db(knowledge.state).view(-1, channel.receivers)
            chosen = self.selection.choose_over(self.table, snr_db)
            return chosen.repeat_interleave(channel.receivers).to(knowledge.state.gain.device)
        # The same draws whenever it is asked: knowledge of a distribution does not differ from block to block.
        draws = torch.Generator().manual_seed(0)
        state = channel.realize(DRAWS, min(symbols, SYMBOLS), knowledge.snr_db, draws)
        return self.selection.choose_over(self.table, effective_snr_db(state).unsqueeze(0))


@dataclass(frozen=True)
class SpectrumPackage(SelectingPackage):
    """The members of a spectrum.

    Args:
        spectrum: whose members the choices are, in the same order.
        builder: the kind of the spectrum.
        architecture: of the unpruned network.
    """

    spectrum: Spectrum = field(kw_only=True)
    builder: SpectrumBuilder = field(kw_only=True)
    architecture: PrunableArchitecture = field(kw_only=True)


def effective_snr_db(state: ChannelState) -> Float[Tensor, "realizations"]:
    """The SNR in dB of the flat channel of the same capacity: |h|^2 / noise variance where one gain lasts."""
    snr = state.gain.abs().square() / state.noise_variance
    return 10 * torch.expm1(torch.log1p(snr).mean(-1)).clamp(min=1e-10).log10().cpu()


def measured(
    choices: tuple[Choice, ...],
    normalisation: Normalisation,
    task: Task,
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
        task: gives the validation split, and the seed.
        channel: that is delivered over.
        symbols: the budget.
        snr_db: increasing, in dB.
        realizations: of each.
        images: that each delivery is scored on, drawn at random for it; all where there are no more.
        inputs: prepared inputs of the sender's own, for normalisation `sender`.
    """
    split, data = task.dataset.validation, task.dataset
    prepared, labels = data.prepare(split.images.to(task.device)), split.labels.to(task.device)
    each = images if images < len(labels) else None
    seed, uses, chance = task.seed + OTHER_NOISE, channel.uses(symbols), 1 / data.classes
    rows = []
    for choice in choices:
        package = Package((choice,), normalisation, inputs)
        sent = (send(package, channel, db, uses, "average", realizations, seed, task.device) for db in snr_db)
        reports = (evaluate(delivery, prepared, labels, chance=chance, images_each=each) for delivery in sent)
        rows.append([report.accuracy for report in reports])
    return AccuracyTable(snr_db, torch.tensor(rows))
