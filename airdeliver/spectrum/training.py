"""The training of a spectrum: all members in one run, kept as one network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airdeliver.spectrum.base import Spectrum, SpectrumBuilder, parameters, shapes
from airdeliver.spectrum.nested import NestedBuilder
from airdeliver.spectrum.sandwich import Sandwich
from airdeliver.task import Task
from airdeliver.training import Checkpoint, Through, Trained, Training
from airdeliver.training.distillation import Distillation
from airdeliver.training.fit import fit
from airdeliver.training.training import restored, threads

IN_PLACE = Distillation(temperature=1.0, weight=0.5)
"""How small members learn from the largest, unless said otherwise."""


@dataclass(frozen=True)
class SpectrumTraining(Training):
    """The making of one spectrum, from a trained network.

    Args:
        conditions: of the members, that of the smallest first: link with expansion, channel, range of SNR, budget.
        builder: the kind of spectrum.
        in_place: how small members learn from the largest.
        between: members between smallest and largest that a step trains.
        share: of a step's images that all but the largest member see.
        statistics: whether members are pruned with room for batch-norm statistics.

    Raises:
        ValueError: no conditions, nothing to start from, or a share that is none.
    """

    conditions: tuple[Through, ...] = ()
    builder: SpectrumBuilder = field(default_factory=NestedBuilder)
    in_place: Distillation = IN_PLACE
    between: int = 1
    share: float = 0.5
    statistics: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.conditions or self.start is None:
            raise ValueError("a spectrum needs at least one condition, and a training to start from")
        if self.between < 0 or not 0 < self.share <= 1:
            raise ValueError(
                f"between must be 0 or more and share above 0 and at most 1, got {self.between} and {self.share}"
            )

    def run(self, task: Task, trained: Mapping[Training, Trained], checkpoint: Checkpoint | None = None) -> Trained:
        """Train all members in one run; the arguments are those of `Training.run`.

        Returns:
            The state dict of the spectrum, and in its record `members`, what cuts each of them out.
        """
        assert self.start is not None
        with threads(self.threads):
            model = restored(task, self.start, trained[self.start]).to(task.device)
            architecture = self.architecture(task)
            spectrum = self.builder.build(model, self.conditions, architecture, task, self.seed, self.statistics)
            smoothing = self.recipe.label_smoothing
            objective = Sandwich(spectrum, task, self.in_place, self.between, self.share, self.seed, smoothing)
            record = fit(spectrum, task, self.recipe, self.seed, None, checkpoint, objective)
        record["members"] = shapes(spectrum)
        record["parameters"] = [parameters(member.model) for member in spectrum.members]
        return Trained({name: tensor.detach().cpu() for name, tensor in spectrum.state_dict().items()}, record)

    def spectrum(self, task: Task, trained: Trained) -> Spectrum:
        """The spectrum that was trained.

        Args:
            task: gives images' shape and classes.
            trained: the result of `run`.
        """
        return self.builder.restore(
            trained.tensors, trained.record["members"], self.conditions, self.architecture(task)
        )
