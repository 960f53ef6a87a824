"""Pruning to a budget: the largest network whose exact cost, side information included, fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from airdeliver.architecture import Pruned
from airdeliver.architecture.kept_channels import KeptChannels
from airdeliver.budget import BudgetError
from airdeliver.compression.importance import Importance, Taylor
from airdeliver.payload import Layout, load_tensors
from airdeliver.task.base import Task

Counts = tuple[int, ...]
"""Units kept of each channel group."""


@runtime_checkable
class Price(Protocol):
    """Says what a network of some layout costs; a link is one, whose own plan says so.

    Values do not matter: a network is priced before it has any.
    """

    def check(self, layout: Layout, symbols: int) -> None:
        """Refuse a layout that does not fit, however its values are.

        Args:
            layout: of the payload.
            symbols: complex symbols that fit.

        Raises:
            BudgetError: naming the minimum; a `ValueError`.
        """

    def reserve(self, layout: Layout) -> int:
        """Symbols beyond the least cost that should be left to the plan."""
        ...


@dataclass(frozen=True)
class ByValues:
    """A price of half a symbol a value, side information left aside.

    A digital link can send any network at any budget, with few bits a value; how large the network should be then is a
    choice, not a consequence of the budget.
    """

    def check(self, layout: Layout, symbols: int) -> None:
        """Refuse a layout of more values than twice the symbols.

        Raises:
            BudgetError: naming the minimum.
        """
        if layout.size > 2 * symbols:
            least = -(-layout.size // 2)
            raise BudgetError(f"{layout.size:,} values do not fit in {symbols:,} symbols, give at least {least}")

    def reserve(self, layout: Layout) -> int:
        """Nothing."""
        return 0


@dataclass(frozen=True)
class Pruning:
    """Removal of whole channels, the least important of all layers first, until the network fits.

    Args:
        symbols: complex symbols that fit, side information included.
        price: of a network; for a link, its own plan, whose expansion decides how far is pruned.
        importance: of channels.
        statistics: whether batch-norm statistics are part of the payload.
        core: share of each layer's channels that is touched only when nothing else is left, so that no layer becomes
            a bottleneck; the smallest network has one unit of each group all the same.
        step: which step of a gradual pruning this is; it removes an equal share of what is left to remove.
        steps: of the gradual pruning; 1 is one-shot.

    Raises:
        ValueError: a step beyond the steps, a core that is not a share.

    Source: importance over all layers at once, arXiv 2301.12900; pruning to the bandwidth: M. Jankowski,
    D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.
    """

    symbols: int
    price: Price
    importance: Importance = field(default_factory=Taylor)
    statistics: bool = False
    core: float = 0.1
    step: int = 1
    steps: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.step <= self.steps:
            raise ValueError(f"step must be 1 to steps, got step {self.step} of {self.steps}")
        if not 0 <= self.core <= 1:
            raise ValueError(f"core must be a share from 0 to 1, got {self.core}")

    def prune(
        self, model: nn.Module, before: Counts, architecture: Pruned, task: Task | None, seed: int
    ) -> tuple[nn.Module, Counts]:
        """Prune a network.

        Args:
            model: the network, maybe pruned already; left in evaluation mode.
            before: units of each of its channel groups.
            architecture: unpruned.
            task: gives examples and loss for the importance; None for one that needs none.
            seed: of the choice of examples.

        Returns:
            The pruned network, on the model's device, and its units of each group.

        Raises:
            BudgetError: the smallest network does not fit; names the minimum.
        """
        groups = architecture.groups.narrowed(KeptChannels.first(before).units)
        scores = self.importance.scores(model, groups, task, seed)
        order = removal_order(scores, self.core)
        kept = self._kept(order, tuple(before), architecture)
        pruned = architecture.of_counts(kept.counts)
        load_tensors(pruned, groups.select(model.state_dict(), kept.units))
        return pruned.to(next((each.device for each in model.parameters()), "cpu")), kept.counts

    def _kept(self, order: list[tuple[int, int]], before: Counts, architecture: Pruned) -> KeptChannels:
        def layout(counts: Counts) -> Layout:
            return architecture.layout_of_counts(counts, self.statistics)

        counts = [before]
        for group, _ in order:
            counts.append(tuple(n - (i == group) for i, n in enumerate(counts[-1])))
        self._check_smallest(layout(counts[-1]), architecture)
        removed = _first(len(order), lambda k: self.fits(layout(counts[k])))
        if self.step < self.steps:
            now, last = layout(before).size, layout(counts[removed]).size
            goal = now - (now - last) / (self.steps - self.step + 1)
            removed = _first(len(order), lambda k: layout(counts[k]).size <= goal)
            return _without(order[:removed], before)
        return self._refilled(order[:removed], before, layout)

    def _refilled(
        self, removed: list[tuple[int, int]], before: Counts, layout: Callable[[Counts], Layout]
    ) -> KeptChannels:
        """Put back what still fits, the most important first: a channel costs more in some layers than in others."""
        counts = list(_without(removed, before).counts)
        gone, too_large = list(removed), layout(before).size + 1
        for group, unit in reversed(removed):
            counts[group] += 1
            larger = layout(tuple(counts))
            if larger.size < too_large and self.fits(larger):
                gone.remove((group, unit))
                continue
            too_large = min(too_large, larger.size)
            counts[group] -= 1
        return _without(gone, before)

    def check(self, architecture: Pruned) -> None:
        """Refuse a budget that even the smallest network does not fit: one unit of each group.

        Args:
            architecture: unpruned.

        Raises:
            BudgetError: naming the minimum.
        """
        smallest = tuple(1 for _ in architecture.groups.units)
        self._check_smallest(architecture.layout_of_counts(smallest, self.statistics), architecture)

    def fits(self, layout: Layout) -> bool:
        """Whether a network of this layout can be sent, with room for what its plan tells."""
        try:
            self.price.check(layout, self.symbols - self.price.reserve(layout))
        except ValueError:
            return False
        return True

    def _check_smallest(self, layout: Layout, architecture: Pruned) -> None:
        try:
            self.price.check(layout, self.symbols)
        except ValueError as error:
            groups = architecture.groups
            reason = shorten(f"; what stays whole: {groups.why_fixed}", 400) if groups.fixed else ""
            what = "even the smallest network that pruning can leave" if groups.groups else "no channel can be removed:"
            it = "" if groups.groups else " the whole network"
            raise type(error)(f"{what}{it} does not fit: {error}{reason}") from error


def removal_order(scores: Sequence[Tensor], core: float) -> list[tuple[int, int]]:
    """Group and unit of all that can be removed, first to go first; the best unit of each group is not among them.

    Args:
        scores: of the units of each group.
        core: share of each group's units that goes only after all others.

    >>> removal_order([Tensor([3.0, 1.0]), Tensor([2.0, 5.0, 4.0])], core=0.5)
    [(0, 1), (1, 0), (1, 2)]
    """
    ranked = []
    for group, score in enumerate(scores):
        best = score.argsort(descending=True, stable=True).tolist()
        protected = max(1, round(core * len(best)))
        ranked += [(place < protected, float(score[unit]), group, unit) for place, unit in enumerate(best) if place]
    return [(group, unit) for _, _, group, unit in sorted(ranked)]


def _first(most: int, holds: Callable[[int], bool]) -> int:
    """The smallest number from 0 to `most` for which it holds, if it holds for all after it, and for `most`."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _without(removed: Sequence[tuple[int, int]], before: Counts) -> KeptChannels:
    gone = set(removed)
    return KeptChannels(tuple(tuple(u for u in range(n) if (g, u) not in gone) for g, n in enumerate(before)))
