"""Digital delivery: quantised, entropy-coded, protected by a channel code; at the rate that promises most accuracy."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.importance import Importance, Magnitude
from airdeliver.compression.pruning import Pruning
from airdeliver.compression.pruning_to_size import PruningToSize
from airdeliver.compression.quantisation import allocate
from airdeliver.links import CapacityLink, DigitalLink, Knowledge, Worth
from airdeliver.models import ModelBuilder
from airdeliver.normalisation import Normalisation, batch_norms, estimate_statistics
from airdeliver.package import Choice, Package
from airdeliver.payload import layout_of, load
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import AS_IT_IS, FOR_THE_LINK, About, is_limit, side_of
from airdeliver.schemes.airnet import teacher_model
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.clean import sender_inputs
from airdeliver.schemes.packing import choice_of
from airdeliver.task import Task
from airdeliver.training import Through, Trained, Training
from airdeliver.training.distillation import Distillation
from channels import AWGN

TRAINED = (0.55, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.35, 1.6)
"""Rates at which a network is tried out on validation data, relative to the one that it was trained for."""

UNTRAINED = (0.3, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0, 6.0)
"""Bits per value at which a network is tried out that was trained for none."""

VALIDATION_IMAGES = 1024

_MARGIN = 1.01
"""The container may come out larger than estimated when a network was tried out."""


@dataclass(frozen=True)
class Digital(Scheme):
    """One network or several, each trained for a rate; whichever delivers more accuracy over the channel is sent.

    A network that was trained for no rate is quantised as it is: levels by rate and distortion together, steps at one
    slope over all bands, the rate by accuracy on validation images. A bias correction has no place in it where the
    receiver estimates statistics anew, which takes away whatever quantisation shifts or scales in a channel. Steps by
    measured curvature instead of relative noise were worse at 1 bit a value and less (digits at 0.8: 18 against 90 %)
    and equal from 1.3 on: so large an error has left the region where the curvature says what it costs.

    Args:
        link: that it is sent over; its `worth` is replaced by what each network is measured to be worth.
        train_bits: bits per value that networks are trained for, each starting from the one before; empty for the
            network as it is (post-training quantisation).
        keep: the share of the unpruned network that structured pruning has left when each of them is trained; empty
            for all of it. Bits per value times this share fall from one training to the next.
        importance: of channels, for the pruning.
        teacher: architecture of the teacher of these trainings, or a factor on the width of the model; None for no
            distillation.
        distillation: how they learn from it.
        penalty: weight of the bits per value beside the task's loss in that training.
        models: architectures to choose from, beside the task's: wider ones at fewer bits a value, say.
        fine_tuning: recipe of each of these trainings; None for the task's.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: rates that do not fall, shares that rise, or a negative penalty.

    Source: quantisation-aware training with a rate term: D. Oktay et al., Scalable Model Compression by Entropy
    Penalized Reparameterization, ICLR 2020.
    """

    link: DigitalLink = field(default_factory=DigitalLink)
    train_bits: tuple[float, ...] = ()
    keep: tuple[float, ...] = ()
    importance: Importance = field(default_factory=Magnitude)
    teacher: ModelBuilder | float | None = None
    distillation: Distillation = field(default_factory=Distillation)
    penalty: float = 0.0
    models: tuple[ModelBuilder, ...] = ()
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        object.__setattr__(self, "train_bits", tuple(self.train_bits))
        object.__setattr__(self, "keep", tuple(self.keep) or (1.0,) * len(self.train_bits))
        object.__setattr__(self, "models", tuple(self.models))
        if len(self.keep) != len(self.train_bits):
            raise ValueError(
                f"keep needs a share for each of train_bits or none, got {list(self.keep)} for {list(self.train_bits)}"
            )
        if _rises((1.0, *self.keep)) or min(self.keep, default=1) <= 0:
            raise ValueError(f"keep must be shares of the network that never rise, above 0, got {list(self.keep)}")
        costs = [bits * share for bits, share in zip(self.train_bits, self.keep, strict=True)]
        if _rises(costs) or min(costs, default=1) <= 0:
            raise ValueError(
                "train_bits, times the shares that are kept, must be above 0 and fall from one to the next, "
                f"got {list(self.train_bits)}"
            )

    def about(self) -> About:  # noqa: D102
        limit = is_limit(self.link)
        title = f"Digital{' QAT' if self.train_bits else ''}{', Shannon limit' if limit else ''}"
        return About(title, side_of(self.link), FOR_THE_LINK if self.train_bits else AS_IT_IS, limit=limit)

    def trainings(self, task: Task, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return tuple(training for model in (task.model, *self.models) for training in self._chain(task, model))

    def _chain(self, task: Task, model: ModelBuilder) -> list[Training]:
        training, chain = Training.clean(task, model), []
        recipe = self.fine_tuning or task.fine_tuning
        teacher = None if self.teacher is None else Training.clean(task, teacher_model(self.teacher, model))
        for bits, share, before in zip(self.train_bits, self.keep, (1.0, *self.keep), strict=False):
            # What reaches the weights is the quantiser alone, so that links that differ in the rest share networks.
            through = Through(CapacityLink(bits_per_value=bits), AWGN(), 0.0, penalty=self.penalty)
            training = replace(
                training,
                recipe=recipe,
                through=through,
                start=training,
                pruning=self._pruning(task, model, share) if share < before else None,
                teacher=teacher,
                distillation=None if teacher is None else self.distillation,
            )
            chain.append(training)
        return chain or [training]

    def _pruning(self, task: Task, model: ModelBuilder, share: float) -> Pruning:
        """To a share of the values of the unpruned network."""
        statistics = self.normalisation.sends_statistics
        values = layout_of(model(task.dataset.channels, task.dataset.classes), statistics=statistics).size
        return PruningToSize(math.ceil(share * values / 2), importance=self.importance, statistics=statistics)

    def pack(self, task: Task, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        choices = []
        for training in self.trainings(task, channel_uses):
            link = replace(self.link, steps=self._trained_steps(trained[training]))
            choice = choice_of(task, training, trained[training], link, self.normalisation)
            worth = self._worth(task, choice, *_trained_bits(training))
            link = replace(link, worth=worth)
            if self.train_bits:
                # More bits than a network was trained for may even harm it: they stay unused.
                enough = min(bits for bits, accuracy in worth.points if accuracy == worth.points[-1][1])
                link = replace(link, bits_per_value=_MARGIN * enough)
            choices.append(replace(choice, link=link))
        inputs = sender_inputs(task, self.normalisation) if self.normalisation.kind == "sender" else None
        return DigitalPackage(tuple(choices), self.normalisation, inputs, self.link.adaptation.design_snr_db)

    def _trained_steps(self, trained: Trained) -> tuple[int, ...] | None:
        """The quantisation steps that a network was trained with, if they are those of all that is sent."""
        settled = trained.record.get("link")
        return None if settled is None or self.normalisation.sends_statistics else tuple(settled["steps"])

    @torch.no_grad()
    def _worth(self, task: Task, choice: Choice, bits: float, shares: tuple[float, ...]) -> Worth:
        """Validation accuracy of a network, quantised to several rates; never less at more bits."""
        images, labels = task.dataset.validation.take(
            torch.arange(min(VALIDATION_IMAGES, len(task.dataset.validation)))
        )
        inputs, calibrated = task.dataset.prepare(images.to(task.device)), self.normalisation.calibration_inputs
        points, best = [], 0.0
        assert isinstance(choice.link, DigitalLink)
        size, steps = choice.link.container_bits, choice.link.steps
        for share in shares:
            quantised = allocate(choice.payload, share * bits * choice.payload.layout.size, size, steps)
            model = load(choice.builder(), choice.payload.layout, quantised.values()).to(task.device).eval()
            if not self.normalisation.sends_statistics and batch_norms(model):
                estimate_statistics(model, inputs[:calibrated])
            best = max(best, float(task.metric(model(inputs), labels.to(task.device)).mean()))
            points.append((share * bits, best))
        return Worth(tuple(points), 1 / task.dataset.classes)


def _trained_bits(training: Training) -> tuple[float, tuple[float, ...]]:
    """Bits per value that a network was trained for, and the multiples of them to try out."""
    link = None if training.through is None else training.through.link
    bits = link.bits_per_value if isinstance(link, DigitalLink) else None
    return (1.0, UNTRAINED) if bits is None else (bits, TRAINED)


def _rises(numbers: Sequence[float]) -> bool:
    return any(after > before for before, after in pairwise(numbers))


@dataclass(frozen=True)
class DigitalPackage(Package):
    """Networks at several rates, of which each transmission gets the one that promises most."""

    def select(self, knowledge: Knowledge, symbols: int) -> Int64[Tensor, "#realizations"]:  # noqa: D102
        prospects = [self._prospects(choice, symbols, knowledge) for choice in self.choices]
        receivers = 1 if knowledge.channel is None else knowledge.channel.receivers
        best = torch.stack(prospects).argmax(0)
        return best if len(best) == 1 else best.repeat_interleave(receivers)

    def _prospects(self, choice: Choice, symbols: int, knowledge: Knowledge) -> Float[Tensor, "#transmissions"]:
        assert isinstance(choice.link, DigitalLink)  # what `Digital.pack` makes
        return choice.link.prospects(choice.payload, symbols, knowledge)
