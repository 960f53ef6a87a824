"""Compact networks over the digital link: sparse ones, and students of a chain of teachers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from airdeliver.conversion import Converted, converted, real
from airdeliver.models import ModelBuilder
from airdeliver.problem import Problem
from airdeliver.schemes.about import About
from airdeliver.schemes.airnet import teacher_model
from airdeliver.schemes.digital import Digital
from airdeliver.training import Training
from airdeliver.training.methods import Distilled, KeptZeros, Masked, Method, Plain, RigL, Sparse

Sparsely = Literal["rigl", "static", "gradual"]


def chain(given: Any) -> tuple[ModelBuilder | float, ...]:
    """Teachers, the largest first: models, or factors on the width of the student.

    >>> chain([4, 2.0])
    (4.0, 2.0)
    """
    listed = given if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    return tuple(item if isinstance(item, ModelBuilder) else real(item) for item in listed)


@dataclass(frozen=True)
class Compact(Digital):
    """Digital delivery of a network that is sparse from its first training on, or learns from a chain of teachers.

    What is trained on for a rate starts from it: zeros stay zero, and the teacher of `Digital` is one more, of those
    trainings alone. Zeros travel as levels, whose entropy coder pays for their positions.

    Args:
        sparsity: share of zeros over all weights of two and more dimensions; 0 for a dense network.
        sparse: `rigl` (weights move where the gradient is largest), `static` (a random choice) or `gradual` (a dense
            network loses its smallest weights step by step).
        teachers: that the first training learns from in turn, each from the one before it, the largest first: models,
            or factors on the width of the student.

    Raises:
        ValueError: sparsity that is no share, an unknown way, and what `Digital` refuses.

    Source: RigL, arXiv 1911.11134; gradual pruning, arXiv 1710.01878; chains of teachers, S. I. Mirzadeh et al.,
    Improved Knowledge Distillation via Teacher Assistant, arXiv 1902.03393.
    """

    sparsity: float = 0.0
    sparse: Sparsely = "rigl"
    teachers: Converted[Iterable[ModelBuilder | float], tuple[ModelBuilder | float, ...]] = converted(chain, ())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.sparsity < 1 or self.sparse not in ("rigl", "static", "gradual"):
            raise ValueError(
                "sparsity must be from 0 to below 1 and sparse rigl, static or gradual, "
                f"got {self.sparsity} and {self.sparse!r}"
            )

    def about(self) -> About:  # noqa: D102
        about = super().about()
        what = [f"{self.sparsity:.0%} zeros ({self.sparse})"] if self.sparsity else []
        what += [f"{len(self.teachers)} teachers"] if self.teachers else []
        return replace(about, title=", ".join([about.title, *what]))

    def first(self, problem: Problem, model: ModelBuilder) -> Training:
        """The network that the trainings for a rate start from."""
        method: Method = Plain(model)
        if self.sparsity:
            kinds = {"rigl": RigL, "static": Masked, "gradual": Sparse}
            method = kinds[self.sparse](method, self.sparsity)
        return taught_in_turn(problem, method, model, self)

    def held(self, method: Method) -> Method:
        """Zeros stay zero."""
        return KeptZeros(method) if self.sparsity else method


def taught_in_turn(problem: Problem, method: Method, model: ModelBuilder, scheme: Compact) -> Training:
    """A training from scratch that learns from the last of a chain of teachers, if there is one.

    Args:
        problem: task and recipe.
        method: of the student.
        model: the student's.
        scheme: whose teachers.
    """
    teacher: Training | None = None
    for given in scheme.teachers:
        plain: Method = Plain(teacher_model(given, model))
        learning = plain if teacher is None else Distilled(plain, teacher, scheme.distillation)
        teacher = Training.of(problem, learning, problem.training)
    if teacher is not None:
        method = Distilled(method, teacher, scheme.distillation)
    return Training.of(problem, method, problem.training)
