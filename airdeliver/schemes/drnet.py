"""DRNet: a network that chooses the resolution of each image, with the predictor that chooses in its payload."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import torch

from airdeliver.architecture import DrawnResolution, Whole
from airdeliver.conversion import Converted, converted, optional
from airdeliver.links import AnalogLink, Link
from airdeliver.links.condition import SNR, Condition, level_or_range
from airdeliver.models import DynamicResolution, ResolutionNetwork
from airdeliver.models.dynamic_resolution import falling_pixels
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.payload import Payload, values_of
from airdeliver.problem import Problem
from airdeliver.schemes.about import AS_IT_IS, FOR_THE_LINK, About, is_limit, side_of
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, sender_inputs, whole_misfit
from airdeliver.schemes.worth import Validation
from airdeliver.training import Trained, Training
from airdeliver.training.methods import ChosenResolution, Continued, EveryResolution, Plain, ThroughLink
from channels import AWGN, Channel


@dataclass(frozen=True, kw_only=True)
class DRNet(Scheme):
    """A network trained at several resolutions, then with a predictor that chooses one of them for each image.

    Network, predictor and the batch norms of each resolution are one payload. Resolutions save operations and no
    channel use: the mean multiply-accumulates of the images served, predictor included, are in column `macs`, the share
    of each resolution in columns of its own.

    Args:
        resolutions: in pixels, the finest first.
        seen: resolution in pixels that the predictor sees.
        eta: weight of operations beyond the bound.
        most_macs: bound on the mean multiply-accumulates, as a share of those at the finest resolution.
        choice: `predicted`; `random` for resolutions drawn as often as the predictor chooses them on the validation
            split, told as a byte each; or one of the resolutions, for all images alike.
        link: that it is sent over, and trained through.
        train_snr_db: SNR in dB that network and predictor learn at through the link, a number or a range; None for
            none.
        train_channel: channel of that training.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: resolutions that do not fall, or a choice that there is not.

    Source: M. Zhu et al., Dynamic Resolution Network, arXiv 2106.02898.
    """

    resolutions: Converted[Iterable[int], tuple[int, ...]] = converted(falling_pixels, (32, 24, 16))
    seen: int = 16
    eta: float = 0.2
    most_macs: float = 0.65
    choice: Literal["predicted", "random"] | int = "predicted"
    link: Link = field(default_factory=lambda: AnalogLink(protection="size"))
    train_snr_db: Converted[SNR | None, float | tuple[float, float] | None] = converted(optional(level_or_range), None)
    train_channel: Channel = field(default_factory=AWGN)
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        if self.choice not in ("predicted", "random", *self.resolutions):
            resolutions = ", ".join(map(str, self.resolutions))
            raise ValueError(f"choice must be predicted, random or one of {resolutions}, got {self.choice!r}")
        ChosenResolution(Plain(DynamicResolution(seen=self.seen)), self.eta, self.most_macs)  # refuses bad numbers

    def about(self) -> About:  # noqa: D102
        chosen = {"predicted": "", "random": ", resolution at random"}
        told = chosen.get(str(self.choice), f", {self.choice} pixels for all")
        trained = self.train_snr_db is not None
        return About(
            f"DRNet{told}",
            side_of(self.link),
            FOR_THE_LINK if trained else AS_IT_IS,
            self.train_snr_db,
            self.train_channel if trained else None,
            limit=is_limit(self.link),
        )

    def builder(self, problem: Problem) -> DynamicResolution:
        """The problem's architecture at these resolutions."""
        return DynamicResolution(problem.model, self.resolutions, self.seen)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        method = EveryResolution(Plain(self.builder(problem)))
        every = Training.of(problem, method, problem.training)
        chosen = ChosenResolution(Continued(every), self.eta, self.most_macs)
        if self.train_snr_db is None:
            return (Training.of(problem, chosen, problem.fine_tuning),)
        condition = Condition(self.link, self.train_channel, self.train_snr_db)
        return (Training.of(problem, ThroughLink(chosen, condition), problem.fine_tuning),)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        whole = replace(problem, model=self.builder(problem))
        return whole_misfit(whole, self.link, self.normalisation, channel_uses)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        made = trained[training]
        choice = choice_of(made, self.link, self.normalisation)
        if self.choice != "predicted":
            choice = self._drawing(problem, made)
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))

    def _drawing(self, problem: Problem, trained: Trained) -> Choice:
        """The same network with shares in place of the predictor's choice."""
        assert isinstance(trained.architecture, Whole)
        architecture, model = DrawnResolution(trained.architecture), trained.model()
        assert isinstance(model, ResolutionNetwork)
        if self.choice == "random":
            shares = self.shares(problem, trained)
        else:
            shares = [float(resolution == self.choice) for resolution in self.resolutions]
        description = architecture.describe(shares)
        layout = architecture.layout(description, self.normalisation.sends_statistics)
        drawing = model.drawing([float(share) for share in description])
        return Choice(architecture, drawing, Payload(values_of(drawing, layout), layout), self.link)

    @torch.no_grad()
    def shares(self, problem: Problem, trained: Trained) -> list[float]:
        """How often the predictor chooses each resolution on the validation split, noiseless.

        Args:
            problem: gives the images.
            trained: network and predictor.
        """
        validation, model = Validation.of(problem, self.normalisation), trained.model()
        assert isinstance(model, ResolutionNetwork)
        validation.received(model)
        chosen = torch.bincount(model.choice(validation.inputs), minlength=len(self.resolutions))
        return (chosen.double() / len(validation.inputs)).tolist()
