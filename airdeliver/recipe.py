"""How long and how fast to train."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of one fit.

    Args:
        epochs: passes over the training split.
        batch_size: images a step.
        learning_rate: the peak of the one-cycle schedule (linear warm-up, linear decay to zero).
        warm_up: share of the steps before the peak.
        optimizer: `sgd` (Nesterov momentum 0.9), `adamw`, or `muon`: steps of filters made orthogonal, at half of the
            learning rate, and `sgd` for everything else; for trainings of a few epochs of convolutional networks.
        weight_decay: on weights of two and more dimensions alone; biases and normalisation are left free.
        label_smoothing: probability spread over the other classes.
        augment: random crops and flips, where the data set allows them.
        shift: most pixels by which random crops are shifted, in place of the data set's own; None for those.
        precision: of the forward and backward pass; the weights stay float32.

    Raises:
        ValueError: a value outside its range.
    """

    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 0.1
    warm_up: float = 0.2
    optimizer: Literal["sgd", "adamw", "muon"] = "sgd"
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    augment: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    shift: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch_size < 2:
            raise ValueError(
                f"a recipe needs 0 or more epochs and batches of 2 or more, got {self.epochs} and {self.batch_size}"
            )
        if not self.learning_rate > 0 or not 0 <= self.warm_up <= 1 or not 0 <= self.label_smoothing < 1:
            raise ValueError(
                "learning_rate must be above 0, warm_up in [0, 1] and label_smoothing in [0, 1), "
                f"got {self.learning_rate}, {self.warm_up} and {self.label_smoothing}"
            )
        if self.optimizer not in ("sgd", "adamw", "muon"):
            raise ValueError(f"optimizer must be sgd, adamw or muon, got {self.optimizer!r}")
        if self.shift is not None and self.shift < 0:
            raise ValueError(f"shift must be 0 pixels or more, or None for the data set's own, got {self.shift}")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision must be float32 or bfloat16, got {self.precision!r}")
