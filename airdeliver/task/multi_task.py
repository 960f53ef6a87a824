"""Several tasks at once: one network whose outputs are those of each task, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from airdeliver.data.targets import Classes, Numbers, Several
from airdeliver.task.base import Task
from airdeliver.task.classification import Classification
from airdeliver.task.regression import Regression


@dataclass(frozen=True, eq=False)
class MultiTask(Task):
    """Several targets for each example; loss and score are weighted means of the tasks' own.

    The network has as many outputs as all tasks together, in their order. The mean score of each task alone is among
    the extras.

    Args:
        dataset: with several targets.
        weights: of the tasks, in their order; None for equal ones.

    Raises:
        ValueError: a data set with a single target, or not as many positive weights as tasks.

    >>> from airdeliver.data import load_dataset
    >>> task = MultiTask(load_dataset("digits_and_ink"))
    >>> task.metric, task.signature.outputs, task.floor
    ('mean of accuracy and r2', 11, 0.05)
    """

    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.dataset.targets, Several):
            raise ValueError(f"several tasks need several targets, data set {self.dataset.name} has one")
        many = len(self.dataset.targets.parts)
        if self.weights is not None and (len(self.weights) != many or not min(self.weights) > 0):
            raise ValueError(f"there must be a weight above 0 for each of the {many} tasks, got {self.weights}")

    @property
    def kind(self) -> Several:
        """What the targets mean."""
        assert isinstance(self.dataset.targets, Several)
        return self.dataset.targets

    @property
    def tasks(self) -> dict[str, Task]:
        """Each task alone, by the name of its target; their data sets' splits still hold all targets."""
        known: dict[type, type[Task]] = {Classes: Classification, Numbers: Regression}
        parts = zip(self.kind.names, self.kind.parts)
        return {name: known[type(part)](replace(self.dataset, targets=part)) for name, part in parts}

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights, summing to 1."""
        weights = self.weights or (1.0,) * len(self.kind.parts)
        return tuple(weight / sum(weights) for weight in weights)

    @property
    def metric(self) -> str:  # noqa: D102
        metrics = dict.fromkeys(task.metric for task in self.tasks.values())
        return next(iter(metrics)) if len(metrics) == 1 else f"mean of {' and '.join(metrics)}"

    @property
    def bounds(self) -> tuple[float, float]:  # noqa: D102
        pairs = [task.bounds for task in self.tasks.values()]
        low, high = (sum(share * pair[end] for share, pair in zip(self.shares, pairs)) for end in (0, 1))
        return low, high

    @property
    def floor(self) -> float:  # noqa: D102
        return sum(share * task.floor for share, task in zip(self.shares, self.tasks.values()))

    def loss(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Float[Tensor, ""]:
        """Weighted mean of the tasks' losses."""
        parts = self._parts(outputs, targets)
        losses = [task.loss(said, true, label_smoothing) for task, said, true in parts]
        return torch.stack([share * loss for share, loss in zip(self.shares, losses)]).sum()

    def divergence(self, outputs: Tensor, taught: Tensor, temperature: float = 1.0) -> Float[Tensor, ""]:
        """Weighted mean of the tasks' divergences."""
        pairs = zip(self.tasks.values(), self._outputs(outputs), self._outputs(taught))
        apart = [task.divergence(said, other, temperature) for task, said, other in pairs]
        return torch.stack([share * value for share, value in zip(self.shares, apart)]).sum()

    def score(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "n"]:
        """Weighted mean of the tasks' scores."""
        scores = self.scores(outputs, targets)
        return torch.stack([share * values for share, values in zip(self.shares, scores.values())]).sum(0)

    def unanswered(self, outputs: Tensor) -> Bool[Tensor, "n"]:
        """None: a task whose own outputs are finite has been answered, whatever the others say."""
        return torch.zeros(len(outputs), dtype=torch.bool, device=outputs.device)

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, Float[Tensor, "n"]]:
        """The scores of each task, by the name of its target."""
        parts = self._parts(outputs, targets)
        return {name: task.score(said, true) for name, (task, said, true) in zip(self.tasks, parts)}

    def tally(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "counts"]:
        """The sum of each task's scores, and how many there are."""
        sums = [values.double().sum() for values in self.scores(outputs, targets).values()]
        return torch.stack([*sums, sums[0].new_tensor(len(outputs))])

    def extras(self, tally: Float[Tensor, "counts"]) -> Mapping[str, float]:
        """`METRIC_NAME`: the mean score of each task."""
        *sums, count = tally.tolist()
        return {f"{task.metric}_{name}": value / count for (name, task), value in zip(self.tasks.items(), sums)}

    def _outputs(self, outputs: Tensor) -> tuple[Tensor, ...]:
        if outputs.ndim != 2 or outputs.shape[1] != self.kind.outputs:
            raise ValueError(
                f"there must be {self.kind.outputs} outputs for {', '.join(self.kind.names)}, got outputs "
                f"{tuple(outputs.shape)}"
            )
        return outputs.split([part.outputs for part in self.kind.parts], 1)

    def _parts(self, outputs: Tensor, targets: Tensor) -> list[tuple[Task, Tensor, Tensor]]:
        """Each task, its outputs and its targets."""
        return list(zip(self.tasks.values(), self._outputs(outputs), self.kind.apart(targets)))


@dataclass(frozen=True, eq=False)
class SomeTasks(MultiTask):
    """Some of several tasks, of a network that has outputs for all of them.

    Args:
        dataset: with the targets of all.
        weights: of all tasks, in their order; None for equal ones.
        chosen: numbers of the tasks that count.

    Raises:
        ValueError: a number that no task has.

    >>> from airdeliver.data import load_dataset
    >>> SomeTasks(load_dataset("digits_and_ink"), chosen=(0,)).metric
    'accuracy'
    """

    chosen: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.chosen or not set(self.chosen) <= set(range(len(self.kind.parts))):
            raise ValueError(f"chosen must be some of the tasks 0 to {len(self.kind.parts) - 1}, got {self.chosen}")

    @property
    def tasks(self) -> dict[str, Task]:
        """Those that count."""
        every = list(super().tasks.items())
        return dict(every[number] for number in self.chosen)

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights, summing to 1."""
        every = super().shares
        chosen = [every[number] for number in self.chosen]
        return tuple(share / sum(chosen) for share in chosen)

    def _outputs(self, outputs: Tensor) -> tuple[Tensor, ...]:
        every = super()._outputs(outputs)
        return tuple(every[number] for number in self.chosen)

    def _parts(self, outputs: Tensor, targets: Tensor) -> list[tuple[Task, Tensor, Tensor]]:
        apart = self.kind.apart(targets)
        parts = zip(self.tasks.values(), self._outputs(outputs), (apart[number] for number in self.chosen))
        return list(parts)
