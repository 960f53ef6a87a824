"""Updates: the receiver holds an earlier version of the network and is sent what has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.data.earlier import View, WithoutClasses
from airdeliver.links import Arrivals, Decoded, DigitalLink, Link, Plan
from airdeliver.normalisation import Normalisation
from airdeliver.package import Arrived, Choice, Package
from airdeliver.payload import Model, Payload, load
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import About, is_limit, side_of, words
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Earlier, Method, Plain, Updating
from airdeliver.updates import Difference, Form, Update


@dataclass(frozen=True)
class Updated(Scheme):
    """A network that was trained before its task changed, and what makes it the network for the task as it is now.

    The version that the receiver holds is trained on the task as a view shows it; it is part of the recipe, and its
    training part of the key of every result. Then it learns the task as it is, changing in no other way than the form
    of the update can send.

    Args:
        view: of the task as it was.
        form: of the change; None to send the whole new network, to a receiver that holds none.
        link: that it is sent over.
        fine_tuning: how the earlier version is trained further; None for the task's.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: batch-norm statistics that are sent: the receiver estimates them.
    """

    view: View = field(default_factory=lambda: WithoutClasses((8, 9)))
    form: Form | None = field(default_factory=Difference)
    link: Link = field(default_factory=DigitalLink)
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        if self.normalisation.sends_statistics:
            raise ValueError("normalisation must be receiver: an update holds no batch-norm statistics")

    def about(self) -> About:  # noqa: D102
        what = "Whole network" if self.form is None else words(type(self.form).__name__)
        title = f"{what}, {side_of(self.link)}, {self.view.words}"
        return About(title, side_of(self.link), f"taught {self.view.words}", limit=is_limit(self.link))

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:
        """The earlier version, and the one that is sent."""
        earlier = Training.of(problem, Earlier(Plain(problem.model), self.view), problem.training)
        method: Method = Continued(earlier)
        if self.form is not None and not isinstance(self.form, Difference):
            method = Updating(earlier, self.form)
        return earlier, Training.of(problem, method, self.fine_tuning or problem.fine_tuning)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        earlier, later = (trained[training] for training in self.trainings(problem, channel_uses))
        if self.form is None:
            return Package((choice_of(later, self.link, self.normalisation),), self.normalisation)
        return Package((UpdateChoice.between(earlier, later, self.form, self.link),), self.normalisation)


@dataclass(frozen=True)
class UpdateChoice(Choice):
    """The change from one version of a network to another, for receivers that hold the first.

    A receiver of which nothing usable arrives keeps the version that it holds. Batch-norm statistics are not sent.
    """

    @classmethod
    def between(cls, earlier: Trained, later: Trained, form: Form, link: Link) -> "UpdateChoice":
        """What a sender holds to bring receivers from one version to another.

        Args:
            earlier: what the receivers hold.
            later: what they are to have; of the same architecture and description.
            form: of the change.
            link: that it is sent over.

        Raises:
            ValueError: versions of unlike architectures.
        """
        if (earlier.architecture, earlier.description) != (later.architecture, later.description):
            raise ValueError("an update needs two versions of one architecture: prune or widen both alike")
        update = Update(earlier.architecture, earlier.description, form, base=earlier.tensors)
        model, whole = later.model(), earlier.architecture.layout(earlier.description, False)
        change = update.change(model, False)
        description = form.describe(change, whole)
        payload = Payload(form.pack(change, whole, description), update.layout(description, False))
        return cls(update, model, payload, link)

    def receive(self, values: Float[Tensor, "n"]) -> Model:
        """The version that receivers hold, changed by these values."""
        update, description = self._update, self.payload.layout.description
        layout = update.whole.layout(update.version, False)
        (later,) = update.applied(values[None], description, False)
        return load(update.whole.receive(update.version), layout, later)

    def fallback(self) -> Model:
        """The version that receivers hold."""
        return self._update.receive(self.payload.layout.description)

    @property
    def _update(self) -> Update:
        assert isinstance(self.architecture, Update)
        return self.architecture

    def arrived(
        self, decoded: Decoded, plan: Plan, numbers: Int64[Tensor, "rows"], receivers: int = 1
    ) -> list[Arrived]:
        """The network of each receiver: its own version, with what arrived of the change."""
        update, description = self._update, self.payload.layout.description
        arrived = decoded.usable

        def of(values: Tensor, usable: Tensor) -> Tensor:
            change = torch.where(usable.unsqueeze(-1), update.applied(values, description, False), 0.0)
            held = update.held(update.whole.layout(update.version, False)).to(values.device)
            return torch.where(usable.unsqueeze(-1), change, held)

        values = decoded.values
        if isinstance(values, Arrivals):
            n, rows = update.whole.layout(update.version, False).size, values
            values = Arrivals(len(rows), n, rows.like, lambda row: iter([(0, of(rows[row][None], arrived[[row]])[0])]))
        else:
            values = of(values, arrived)
        now = replace(decoded, values=values, usable=torch.ones_like(arrived))
        return [Arrived(torch.arange(len(numbers)), update.whole, update.version, now)]
