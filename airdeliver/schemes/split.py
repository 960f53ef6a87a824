"""Split computing: the first layers are delivered once, then features travel with every inference."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from airdeliver.architecture import Whole
from airdeliver.conversion import Converted, converted
from airdeliver.links import AnalogLink, FeatureLink, Knowledge
from airdeliver.links.analog.expansion import Repetition
from airdeliver.links.condition import SNR, Condition, level_or_range
from airdeliver.models.bottleneck import Bottlenecked, Cut, Device, DevicePart
from airdeliver.normalisation import Normalisation, batch_norms, estimate_statistics
from airdeliver.package import Choice, Package
from airdeliver.payload import load, payload_of
from airdeliver.problem import Problem
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import FOR_THE_LINK, About
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import sender_inputs, whole_misfit
from airdeliver.serving import Service
from airdeliver.task.judged import judged
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Distillation, Distilled, Imitating, Plain, Served
from channels import AWGN, Channel

ARRIVALS = 8
"""Deliveries of the device's part over which exits are measured, at each SNR."""

MEASURED_DB = (-15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 30.0)
"""SNRs in dB at which it is measured for how many inputs a device asks."""


def head_link() -> AnalogLink:
    """Eight channel inputs for each value of the few that a device gets, and no more."""
    return AnalogLink(expansion=Repetition(8), whole_budget=False)


@dataclass(frozen=True)
class Split(Scheme):
    """A network that is cut in two by a bottleneck, trained in two stages through the links of both its parts.

    The device's part is delivered once. With every inference its features travel back over the same channel, of which
    each inference meets a realization of its own, to a server that holds the rest. With an exit the device answers by
    itself where it is confident enough; the threshold is the lowest that costs no more than `exit_drop` of the score,
    measured on validation inputs under the noise of the middle of the training's range.

    Args:
        channels: of the bottleneck.
        link: that delivers the device's part.
        features: the link of features.
        exit_drop: score that an early exit may cost; None for a device without an exit.
        stages: 2 for a first stage in which bottleneck and decoder imitate the teacher; 1 without it.
        distillation: how the network learns from the teacher, the network of clean training.
        train_snr_db: SNR in dB of both links in training, a number or a range of which every step draws one.
        train_channel: channel of both in training.
        imitation: recipe of the first stage; None for that of the task's training with AdamW at 0.003.
        fine_tuning: recipe of the second stage; None for the task's training.
        normalisation: where the device's batch-norm statistics come from; the server's are those of its training.

    Raises:
        ValueError: other stages than 1 or 2, or a drop that is not a share.

    Source: the split of Y. Matsubara et al., BottleFit: Learning Compressed Representations in Deep Neural Networks.
    """

    channels: int = 4
    link: AnalogLink = field(default_factory=head_link)
    features: FeatureLink = field(default_factory=FeatureLink)
    exit_drop: float | None = None
    stages: int = 2
    distillation: Distillation = field(default_factory=lambda: Distillation(temperature=1.0, weight=0.5))
    train_snr_db: Converted[SNR, float | tuple[float, float]] = converted(level_or_range, (-5.0, 20.0))
    train_channel: Channel = field(default_factory=AWGN)
    imitation: Recipe | None = None
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        if self.stages not in (1, 2):
            raise ValueError(f"stages must be 1 or 2, got {self.stages}")
        if self.exit_drop is not None and not 0 <= self.exit_drop < 1:
            raise ValueError(f"exit_drop must be a share of the score, from 0 to below 1, got {self.exit_drop}")

    def about(self) -> About:  # noqa: D102
        exits = "" if self.exit_drop is None else ", early exit"
        title = f"Split, {self.channels} channels{exits}"
        return About(title, "split", FOR_THE_LINK, self.train_snr_db, self.train_channel, family="Split")

    def builder(self, problem: Problem) -> Bottlenecked:
        """Of the network that is cut in two."""
        return Bottlenecked(problem.model, self.channels, self.exit_drop is not None)

    @property
    def condition(self) -> Condition:
        """What both parts are trained through."""
        return Condition(self.link, self.train_channel, self.train_snr_db)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        teacher, builder = Training.clean(problem), self.builder(problem)
        method = Plain(builder)
        if self.stages == 2:
            recipe = self.imitation or replace(problem.training, optimizer="adamw", learning_rate=0.003)
            first = Training.of(problem, Served(Imitating(teacher, builder), self.features, self.condition), recipe)
            method = Continued(first)
        method = Distilled(Served(method, self.features, self.condition), teacher, self.distillation)
        return (Training.of(problem, method, self.fine_tuning or problem.training),)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        part = replace(problem, model=DevicePart(self.builder(problem)))
        return whole_misfit(part, self.link, self.normalisation, channel_uses)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        network = trained[training].model().to(problem.execution.device)
        assert isinstance(network, Cut)
        example = problem.task.signature.example(2).to(problem.execution.device)
        service = Service(network.server, self.features, network.device(example)[0].numel())
        if self.exit_drop is not None:
            service = _Exits(self, problem, network, service).measured(self.exit_drop)
        architecture = Whole.of(problem.task, DevicePart(self.builder(problem)))
        payload = payload_of(network.device, statistics=self.normalisation.sends_statistics)
        choice = Choice(architecture, network.device, payload, self.link, service=service)
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))


@dataclass(frozen=True, eq=False)
class _Exits:
    """Exits as they are delivered, measured on validation inputs.

    Args:
        scheme: whose link, channel and SNR.
        problem: whose task.
        network: trained; its device's threshold is set.
        service: of the server.
    """

    scheme: Split
    problem: Problem
    network: Cut
    service: Service

    def measured(self, drop: float) -> Service:
        """The service that knows how often a device asks, once its threshold is set."""
        answers = self.at(self.scheme.condition.middle_db)
        self.network.device.threshold.fill_(self._threshold(answers, drop))
        threshold = float(self.network.device.threshold)
        shares = [(db, float((self.at(db)[0] < threshold).float().mean())) for db in MEASURED_DB]
        return replace(self.service, asked=tuple(shares), least_bits=self.scheme.link.side_information_rate)

    @torch.no_grad()
    def at(self, snr_db: float) -> tuple[Tensor, Tensor, Tensor]:
        """Confidence of the exit, its score and the server's, of all validation inputs in several deliveries."""
        task, data, device = self.problem.task, self.problem.task.dataset, self.problem.execution.device
        raw, targets = data.validation.take(torch.arange(len(data.validation)))
        inputs, targets = data.prepare(raw.to(device)), targets.to(device)
        noise = stream(self.problem.execution.seed, "importance", 0, device)
        serving = self.service.over(self.scheme.train_channel, snr_db)
        plan = self.scheme.link.plan(self._payload, None, Knowledge("average", snr_db, self.scheme.train_channel))
        part, found = DevicePart(self.scheme.builder(self.problem)), []
        received = task.build(part).to(device)
        assert isinstance(received, Device)
        for _ in range(ARRIVALS):
            values = self.scheme.link.perturb(self._payload.values, plan, self.scheme.train_channel, snr_db, noise)
            load(received, self._payload.layout, values).eval()
            if not self.scheme.normalisation.sends_statistics and batch_norms(received):
                estimate_statistics(received, inputs[: self.scheme.normalisation.calibration_inputs])
            features = received(inputs)
            own, _ = received.answer(features)
            arrived = serving.service.link.send(features.flatten(1), serving.channel, snr_db, noise)
            asked = serving.service.server(arrived.reshape(features.shape))
            confidence = own.softmax(-1).amax(-1)
            found.append((confidence, judged(task, own, targets)[0], judged(task, asked, targets)[0]))
        confidence, own, asked = (torch.cat(parts) for parts in zip(*found, strict=True))
        return confidence, own, asked

    @cached_property
    def _payload(self):
        return payload_of(self.network.device, statistics=self.scheme.normalisation.sends_statistics)

    @staticmethod
    def _threshold(answers: tuple[Tensor, Tensor, Tensor], drop: float) -> float:
        """The lowest confidence from which the exit's answer may stand; above 1 if it never may."""
        confidence, own, asked = answers
        order = confidence.argsort(descending=True)
        # Exits of the n most confident inputs in place of the server's answers.
        lost = (asked[order] - own[order]).cumsum(0) / len(order)
        bearable = torch.nonzero(lost <= drop).flatten()
        return float(confidence[order[int(bearable[-1])]]) if len(bearable) else 2.0
