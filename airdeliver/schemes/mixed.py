"""Mixed delivery: a digital base that far receivers decode, mended for near ones by an analog refinement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import torch
from torch import Tensor

from airdeliver.architecture import Whole
from airdeliver.architecture.whole import layout_of_fresh
from airdeliver.compression.pruning import ByValues, Pruning
from airdeliver.compression.quantisers import RateDistortion
from airdeliver.conversion import Converted, converted, real, tuple_of
from airdeliver.links import AnalogLink, BudgetError, DigitalLink, Knowledge, MixedLink
from airdeliver.links.condition import Condition
from airdeliver.links.digital import FixedGrade
from airdeliver.models import ModelBuilder
from airdeliver.package import Choice, Package
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import FOR_THE_LINK, About
from airdeliver.schemes.airnet import taught
from airdeliver.schemes.layered import thresholds
from airdeliver.schemes.packing import choice_of, pruned_misfit, sender_inputs
from airdeliver.schemes.spectrum import Selecting, increasing
from airdeliver.spectrum.package import Measured
from airdeliver.spectrum.selection import AccuracyTable
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Distillation, Method, Pruned, Refined
from airdeliver.training.methods.quantised import QUANTISER


@dataclass(frozen=True, kw_only=True)
class Mixed(Selecting):
    """One network, pruned and trained to be good quantised as well as mended, sent by bits and as it is.

    The sender holds several ways of sharing the channel between base and refinement: in turns or superposed, how much
    each gets, and for which SNR the base is coded. Each is delivered on validation inputs over SNR, with and without
    the refinement, which says from which SNR a receiver should add it; what promises most over the law of the
    receivers' SNR is sent.

    Args:
        uses_per_value: channel uses of the budget for each value that pruning leaves.
        bits: a value, of the base.
        link: of the base; its quantiser, bits and grade are set by this scheme.
        refinement: analog link.
        shares: candidates: of the symbols (in turns) or of the power (superposed) for the base.
        arrangements: candidates.
        grades_db: candidates: SNR in dB that the base's grade is for.
        train_db: the range of SNR in dB of the training, and `least_db` from which on it bears the refinement.
        least_db: see `train_db`.
        penalty: weight of the base's bits a value in the loss.
        teacher: architecture of a teacher, or a factor on the width of the model; None for no distillation.
        distillation: how the network learns from it.
        fine_tuning: recipe; None for the task's.

    Raises:
        ValueError: uses or bits a value that are not positive.
    """

    uses_per_value: float = 1.7
    bits: float = 1.1
    link: DigitalLink = field(default_factory=DigitalLink)
    refinement: AnalogLink = field(default_factory=lambda: AnalogLink(protection="size"))
    shares: Converted[Iterable[float], tuple[float, ...]] = converted(tuple_of(real), (0.5, 0.8))
    arrangements: tuple[str, ...] = ("in turns", "superposed")
    grades_db: Converted[Iterable[float], tuple[float, ...]] = converted(increasing, (-2.5, 2.5))
    train_db: Converted[Iterable[float], tuple[float, ...]] = converted(increasing, (-10.0, 15.0))
    least_db: float = 0.0
    penalty: float = 0.5
    teacher: ModelBuilder | float | None = 2.0
    distillation: Distillation = field(default_factory=Distillation)
    fine_tuning: Recipe | None = None

    def __post_init__(self) -> None:
        if not (self.uses_per_value > 0 and self.bits > 0):
            raise ValueError(f"uses_per_value and bits must be above 0, got {self.uses_per_value} and {self.bits}")

    def about(self) -> About:  # noqa: D102
        return About("Mixed: digital base, analog refinement", "mixed", FOR_THE_LINK, self.train_db, self.train_channel)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        method: Method = Continued(Training.clean(problem))
        pruning = self._pruning(channel_uses)
        if pruning.symbols < layout_of_fresh(Whole.of(problem.task, problem.model), pruning.statistics).size / 2:
            method = Pruned(method, pruning)
        low, high = self.train_db
        condition = Condition(self.refinement, self.train_channel, (low, high))
        method = Refined(method, RateDistortion(bits_per_value=self.bits), condition, self.least_db, self.penalty)
        method = taught(problem, method, problem.model, self.teacher, self.distillation)
        return (Training.of(problem, method, self.fine_tuning or problem.fine_tuning),)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        return pruned_misfit(problem, self._pruning(channel_uses))

    def _pruning(self, channel_uses: int) -> Pruning:
        """To so many values as suit the budget."""
        symbols = round(channel_uses / self.uses_per_value / 2)
        return Pruning(symbols, ByValues(), statistics=self.normalisation.sends_statistics)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        network = trained[training]
        found: list[tuple[Tensor, Choice]] = []
        refused: BudgetError | None = None
        for link in self.candidates(network):
            choice = choice_of(network, link, self.normalisation)
            try:
                choice.link.plan(choice.payload, channel_uses, Knowledge())
                found.append(self._measured(choice, link, problem, channel_uses))
            except BudgetError as error:
                refused = error
        if not found:
            raise refused or BudgetError(f"nothing fits into {channel_uses} symbols: give more channel uses")
        rows, choices = zip(*found, strict=True)
        table = AccuracyTable(self.table_snr_db, torch.stack(rows))
        promised = (Measured(table, i, self.selection, self.unknown_snr_db) for i in range(len(choices)))
        choices = tuple(replace(c, expectation=e) for c, e in zip(choices, promised, strict=True))
        return Package(choices, self.normalisation, sender_inputs(problem, self.normalisation), self.unknown_snr_db)

    def candidates(self, network: Trained) -> list[MixedLink]:
        """The ways of sharing the channel that are tried out."""
        state: Any = None if self.normalisation.sends_statistics else network.state.get(QUANTISER)
        found = []
        for arrangement, share, grade in product(self.arrangements, self.shares, self.grades_db):
            base = replace(self.link, adaptation=FixedGrade(grade), state=state, bits_per_value=1.05 * self.bits)
            found.append(MixedLink(base, self.refinement, share, arrangement))  # type: ignore[arg-type]
        return found

    def _measured(self, choice: Choice, link: MixedLink, problem: Problem, symbols: int) -> tuple[Tensor, Choice]:
        """The score over SNR of a way, and the way with the threshold that is best for it."""
        alone, mended = (replace(choice, link=replace(link, least_db=least)) for least in (63.0, -64.0))
        scores = self.table((alone, mended), problem, symbols).accuracy
        _, least = thresholds(self.table_snr_db, scores)
        used = torch.tensor([db >= least for db in self.table_snr_db])
        return torch.where(used, scores[1], scores[0]), replace(choice, link=replace(link, least_db=least))
