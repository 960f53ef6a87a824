"""Regression: one or several numbers for each example."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.data.targets import Numbers
from airdeliver.task.answers import floored
from airdeliver.task.base import Score, Task


@dataclass(frozen=True)
class Explained(Score):
    r"""$1 - \overline{(\hat y - y)^2}$ for targets of variance 1; its mean over examples is $R^2$.

    A perfect answer scores 1, the mean of the targets scores 0 on average, and there is no lower bound: an answer ten
    standard deviations off scores -99. So the mean is the share of the variance that the answers explain, with mean and
    variance of the training split, and every example has a score of its own, as intervals need it.

    The floor is 0: a receiver without a network, or with one whose outputs are not finite, can answer with the mean. A
    network that arrived and is worse than that scores worse, since its receiver cannot know.

    >>> Explained().score(torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0], [2.0]])).tolist()
    [1.0, -3.0]
    """

    @property
    def metric(self) -> str:  # noqa: D102
        return "r2"

    @property
    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return -torch.inf, 1.0

    @property
    def floor(self) -> float:  # noqa: D102
        return 0.0

    def score(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "n"]:
        """See the class.

        Args:
            outputs: (n, numbers), or (n,) for one number.
            targets: of the same shape, of variance 1.

        Raises:
            ValueError: shapes that do not belong together; targets that are not finite.
        """
        outputs, targets = together(outputs, targets)
        unknown = int((~targets.isfinite()).any(1).sum())
        if unknown:
            raise ValueError(
                f"targets must be finite, got NaN or infinite for {unknown} of {len(targets)}: leave them out"
            )
        squares = (outputs - targets).square().mean(1)
        # Answers so far off that their square is not finite are as good as none, too.
        return floored(1 - squares, squares, self.floor)


@dataclass(frozen=True, eq=False)
class Regression(Task):
    """Numbers to predict, each with mean 0 and variance 1 over the training split; the score is `Explained`.

    Raises:
        ValueError: a data set whose targets are no numbers.

    >>> from airdeliver.data import load_dataset
    >>> task = Regression(load_dataset("diabetes"))
    >>> task.metric, task.bounds, task.floor
    ('r2', (-inf, 1.0), 0.0)
    """

    def __post_init__(self) -> None:
        if not isinstance(self.dataset.targets, Numbers):
            raise ValueError(f"regression needs numbers to predict, data set {self.dataset.name} has none")

    @property
    def metric(self) -> str:  # noqa: D102
        return Explained().metric

    @property
    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return Explained().bounds

    @property
    def floor(self) -> float:
        """That of the mean of the training targets."""
        return Explained().floor

    def loss(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Float[Tensor, ""]:
        """Mean squared error in units of the targets' variance; there is no label to smooth."""
        return nn.functional.mse_loss(*together(outputs, targets))

    def divergence(self, outputs: Tensor, taught: Tensor, temperature: float = 1.0) -> Float[Tensor, ""]:
        """Mean squared difference of the two answers; there is no temperature."""
        return nn.functional.mse_loss(*together(outputs, taught))

    def score(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "n"]:
        """1 minus the squared error over the variance: its mean is the share of the variance that is explained."""
        return Explained().score(outputs, targets)

    def tally(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "counts"]:
        """Squared errors of each number, in units of its variance, and how many there are."""
        outputs, targets = together(outputs, targets)
        squares = (outputs - targets).square().double().sum(0)
        return torch.cat([squares, squares.new_tensor([len(outputs)])])

    def extras(self, tally: Float[Tensor, "counts"]) -> Mapping[str, float]:
        """`rmse_NAME`: root of the mean squared error of each number, in its own unit."""
        assert isinstance(self.dataset.targets, Numbers)
        *squares, count = tally.tolist()
        kind = self.dataset.targets
        return {f"rmse_{name}": std * (sum_ / count) ** 0.5 for name, std, sum_ in zip(kind.names, kind.std, squares)}


def together(outputs: Tensor, targets: Tensor) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n k"]]:
    """Answers and targets as (n, numbers).

    Raises:
        ValueError: shapes that do not belong together: broadcasting would compare each answer with every target.
    """
    if (
        outputs.numel() != targets.numel()
        or outputs.shape[:1] != targets.shape[:1]
        or max(outputs.ndim, targets.ndim) > 2
    ):
        raise ValueError(
            f"there must be a number for each target, got outputs {tuple(outputs.shape)} and targets "
            f"{tuple(targets.shape)}"
        )
    return outputs.float().reshape(len(outputs), -1), targets.float().reshape(len(targets), -1)
