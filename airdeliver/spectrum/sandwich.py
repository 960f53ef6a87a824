"""The sandwich rule: every step trains the largest member, the smallest, and some in between."""

from dataclasses import replace

import torch
from torch import Generator, Tensor, nn

from airdeliver.payload import Payload, layout_of
from airdeliver.randomness import stream
from airdeliver.spectrum.base import Spectrum
from airdeliver.task import Task
from airdeliver.training.distillation import Distillation


class Sandwich:
    """What a spectrum minimises: the sum of its members' losses, each through the link in its own condition.

    The largest member learns from the labels; the others from labels and from what the largest says of the same images
    in the same step. Gradients at the arrived weights are applied to the shared ones (straight through) and add up.

    Args:
        spectrum: that is trained.
        task: gives the loss.
        distillation: how small members learn from the largest.
        between: how many members between smallest and largest a step trains, at random.
        share: of the step's images that all but the largest member see.
        seed: of the choice of members and of the noise.
        label_smoothing: of the loss on labels.

    Source: J. Yu and T. Huang, Universally Slimmable Networks and Improved Training Techniques, arXiv 1903.05134
    (sandwich rule, in-place distillation); M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.
    """

    def __init__(
        self,
        spectrum: Spectrum,
        task: Task,
        distillation: Distillation,
        between: int,
        share: float,
        seed: int,
        label_smoothing: float = 0.0,
    ) -> None:
        self.task, self.distillation, self.between, self.seed = task, distillation, between, seed
        self.share, self.label_smoothing = share, label_smoothing
        self.arrivals = [_Arrival(spectrum, index) for index in range(len(spectrum.members))]

    def __call__(self, spectrum: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        """The loss of one step; an `airdeliver.training.fit.Objective`."""
        assert isinstance(spectrum, Spectrum)
        noise = stream(self.seed, "training noise", int(spectrum.steps), images.device)
        spectrum.steps += 1
        *smaller, largest = self._members(noise)
        taught = self.arrivals[largest](images, noise)
        loss = self.task.loss(taught, labels, self.label_smoothing)
        seen = max(2, round(self.share * len(labels)))
        for index in smaller:
            logits = self.arrivals[index](images[:seen], noise)
            soft = self.distillation.divergence(logits, taught[:seen].detach())
            hard = self.task.loss(logits, labels[:seen], self.label_smoothing)
            loss = loss + (1 - self.distillation.weight) * hard + self.distillation.weight * soft
        return loss

    def _members(self, generator: Generator) -> list[int]:
        """Indices of the members of one step: the smallest, some between, the largest."""
        last = len(self.arrivals) - 1
        order = torch.randperm(max(0, last - 1), generator=generator, device=generator.device) + 1
        return [*([0] if last else []), *order[: self.between].tolist(), last]


class _Arrival:
    """A member as it would arrive: what `airdeliver.training.through.Arrival` does, differentiable by the spectrum."""

    def __init__(self, spectrum: Spectrum, index: int) -> None:
        self.spectrum, self.index, member = spectrum, index, spectrum.members[index]
        self.model, self.condition, self.compute = member.model, member.condition, spectrum.computing(index)
        self.layout = replace(layout_of(self.model, statistics=False), description=member.description)
        payload = Payload(self._values().detach(), self.layout)
        self.plan = self.condition.link.plan(payload, self.condition.budget, self.condition.knowledge())

    def __call__(self, images: Tensor, generator: Generator) -> Tensor:
        values = self._values()
        with torch.no_grad():
            link = self.condition.link
            self.plan = link.refresh(self.plan, Payload(values.detach(), self.layout))
            snr_db = self.condition.draw_snr_db(generator)
            arrived = link.perturb(values.detach(), self.plan, self.condition.channel, snr_db, generator)
        seen = values + (arrived - values.detach())
        parts = zip(self.layout.segments, self.layout.split(seen), strict=True)
        named = {segment.name: part.view(segment.shape) for segment, part in parts}
        return self.compute(named, images).float()

    def _values(self) -> Tensor:
        tensors = {**dict(self.model.named_buffers()), **self.spectrum.parameters_of(self.index)}
        return torch.cat([tensors[name].reshape(-1) for name in self.layout.names])
