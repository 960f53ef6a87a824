"""Teaching: who learns from whom among the members of an elastic network, in the same step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from airdeliver.conversion import Converted, converted, instance_of, tuple_of
from airdeliver.task.base import Task
from airdeliver.task.judged import loss_of
from airdeliver.training.methods.base import TASK, Batch
from airdeliver.training.methods.distilled import Distillation
from airdeliver.training.methods.terms import Term


@dataclass(frozen=True)
class Teaching:
    r"""The loss of a step: that of its widest member on the labels, and for each other member m this.

    $(1 - w)\,\mathrm{CE}(z_m, y) + w\,T^2\,\mathrm{KL}(\mathrm{softmax}(z_t / T) \| \mathrm{softmax}(z_m / T))$

    with the logits $z_t$ of its teacher, which get no gradient from it. Soft cross entropy, which some papers write,
    differs from the divergence by the teacher's entropy: its gradients are the same.

    Args:
        teacher: the `largest` member of the step, the `next` wider one of the step, or `none`: labels alone.
        distillation: temperature T and share w of the teacher.
        share: of a step's examples that all but the widest member see.
        labels: weight of the labels' loss of a member that is taught; None for 1 - w, the rest.
        further: terms that every member's loss has beside these, the widest's too.

    Raises:
        ValueError: an unknown teacher, a share that is none, a negative weight, or a further term that is none.

    Source: J. Yu and T. Huang, arXiv 1903.05134, section 3.3 (in-place distillation); S. Horvath et al., arXiv
    2102.13451 (FjORD's self-distillation); D. Xue et al., SlimSeg, arXiv 2207.06242 (the next wider teaches).
    """

    teacher: Literal["largest", "next", "none"] = "largest"
    distillation: Distillation = field(default_factory=lambda: Distillation(temperature=1.0, weight=0.5))
    share: float = 0.5
    labels: float | None = None
    further: Converted[Iterable[Term], tuple[Term, ...]] = converted(tuple_of(instance_of(Term)), ())

    def __post_init__(self) -> None:
        if self.teacher not in ("largest", "next", "none"):
            raise ValueError(f"teacher must be largest, next or none, got {self.teacher!r}")
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {self.share}")
        if self.labels is not None and not self.labels >= 0:
            raise ValueError(f"labels must be a weight of at least 0, or None, got {self.labels}")

    def seen(self, examples: int) -> int:
        """Examples of a step that all but the widest member see; batch norm needs two."""
        return max(2, round(self.share * examples))

    def terms(
        self, said: Mapping[int, Tensor], outputs: Tensor, batch: Batch, task: Task, smoothing: float
    ) -> dict[str, Tensor]:
        """Named terms of the loss.

        Args:
            said: by the members of the step but the widest, rising: outputs on the first examples of the batch.
            outputs: of the widest on all of them.
            batch: of the step.
            task: gives loss and divergence.
            smoothing: of the labels.
        """
        terms = {TASK: loss_of(task, outputs, batch.targets, smoothing)}
        terms |= self._further("", outputs, batch.targets, task, smoothing)
        weight = 0.0 if self.teacher == "none" else self.distillation.weight
        labels = 1 - weight if self.labels is None or self.teacher == "none" else self.labels
        teachers = self._teachers(list(said.values()), outputs)
        for (index, logits), taught in zip(said.items(), teachers, strict=True):
            seen = len(logits)
            targets, member = batch.targets[:seen], f"member {index}"
            if labels > 0:
                terms[member] = labels * loss_of(task, logits, targets, smoothing)
            if weight > 0:
                apart = task.divergence(logits, taught[:seen].detach(), self.distillation.temperature)
                terms[f"{member} taught"] = weight * apart
            terms |= self._further(f"{member} ", logits, targets, task, smoothing)
        return terms

    def _further(self, whose: str, outputs: Tensor, targets: Tensor, task: Task, smoothing: float) -> dict[str, Tensor]:
        """Further terms of one member."""
        named = ((term, f"{whose}{term.name}") for term in self.further)
        return {name: term.weight * term.of(outputs, targets, task, smoothing) for term, name in named}

    def _teachers(self, said: Sequence[Tensor], outputs: Tensor) -> list[Tensor]:
        """Logits of the teacher of each."""
        return [*said[1:], outputs][: len(said)] if self.teacher == "next" else [outputs] * len(said)
