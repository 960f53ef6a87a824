"""Early exits as an elastic network: members are the first blocks of one network, each with an exit of its own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from airdeliver.architecture import Given, Pruned, Shaped, Whole
from airdeliver.conversion import Converted, converted, tuple_of, whole_number
from airdeliver.elastic.base import Elastic, ElasticBuilder, Member
from airdeliver.links.condition import Condition
from airdeliver.models.exits import EveryExit, Exits, Gated, with_exits
from airdeliver.payload import Layout, architecture_of
from airdeliver.randomness import stream
from airdeliver.task.base import Task

LEVELS = 255
"""A threshold is told in a byte, as so many parts of a probability of 1."""


def thresholds_told(thresholds: Sequence[float]) -> bytes:
    """Thresholds as a description has them; probabilities above 0.

    >>> thresholds_told([0.5, 1.0])
    b'\\x80\\xff'
    """
    return bytes(min(LEVELS, max(0, round(LEVELS * threshold))) for threshold in thresholds)


@dataclass(frozen=True)
class Depths(Shaped):
    """A stack of blocks of which the first ones are left, up to an exit; a byte of the description says to which.

    Bytes that follow are thresholds of the exits before that: a network with these stops where it is sure enough.

    Args:
        whole: the network without exits.
        after: numbers of blocks that exits follow, from 1; the last exit is the network's own answer.

    >>> from airdeliver.models import VGG
    >>> from airdeliver.task.base import Signature
    >>> architecture = Depths(Whole(VGG(), Signature((3, 32, 32), 3, 10)), (2, 3))
    >>> [architecture.layout_of_counts((k,), statistics=False).size for k in range(3)]
    [14746, 49988, 115406]
    """

    whole: Whole | Given
    after: tuple[int, ...]

    def of_counts(self, counts: Sequence[int]) -> Exits:  # noqa: D102
        (last,) = counts
        return self.with_exits(self.whole.fresh()).upto(last)

    def with_exits(self, model: nn.Module, seed: int = 0) -> Exits:
        """The whole network with its exits.

        Args:
            model: without them; its layers become those of the result.
            seed: of the weights of the exits.
        """
        return with_exits(model, self.whole.example(), self.after, stream(seed, "initialisation", 1))

    def describe(self, counts: Sequence[int]) -> bytes:  # noqa: D102
        return bytes(counts)

    def counts(self, description: bytes) -> tuple[int, ...]:  # noqa: D102
        last = description[0] if description else -1
        if not 0 <= last <= len(self.after) or len(description) not in (1, 1 + last):
            raise ValueError(
                f"a depth is described by a byte from 0 to {len(self.after)} and a threshold for each exit before, or "
                f"none, got {list(description)}"
            )
        return (last,)

    def receive(self, description: bytes) -> nn.Module:
        """The network up to its exit, every learned value NaN; one with thresholds stops where it is sure enough."""
        model = architecture_of(self.of_counts(self.counts(description)))
        assert isinstance(model, Exits)
        if len(description) == 1:
            return model
        return Gated(model.stages, model.heads, [told / LEVELS for told in description[1:]])

    def layout(self, description: bytes, statistics: bool | None) -> Layout:  # noqa: D102
        return Layout(self.layout_of_counts(self.counts(description), statistics).segments, description)


class EarlyExits(Elastic):
    """One network with exits, of which a member is all that comes before its exit, with the exits before that.

    Members have the very modules of the whole one, batch-norm statistics included: there is one set of everything, and
    one pass computes all of them.

    Args:
        network: with all exits.
        conditions: of the members, that of the first exit first.
        architecture: that the network is of.

    Raises:
        ValueError: another number of conditions than exits.

    Source: S. Teerapittayanon, B. McDanel and H. T. Kung, BranchyNet, 2016; G. Huang et al., MSDNet, 2018.
    """

    def __init__(self, network: Exits, conditions: Sequence[Condition | None], architecture: Depths) -> None:
        if len(conditions) != len(network.stages):
            raise ValueError(f"{len(network.stages)} exits need a condition each, got {len(conditions)}: give as many")
        last = len(network.stages) - 1
        models = [network.upto(index) for index in range(last)] + [network]
        super().__init__(
            [Member(m, met, architecture, (index,)) for index, (m, met) in enumerate(zip(models, conditions))]
        )
        self.shared = network

    def parameters_of(self, index: int) -> dict[str, Tensor]:  # noqa: D102
        return dict(self.members[index].model.named_parameters())

    def together(self, index: int) -> Callable[[dict[str, Tensor], Tensor], list[Tensor]]:  # noqa: D102
        network: Any = self.members[index].model
        every = EveryExit(network)

        def compute(parameters: dict[str, Tensor], inputs: Tensor) -> list[Tensor]:
            named = {f"network.{name}": parameter for name, parameter in parameters.items()}
            return functional_call(every, named, (inputs,))

        return compute


@dataclass(frozen=True)
class ExitsBuilder(ElasticBuilder):
    """Exits after blocks of a network: pooling and a linear layer each; the last is the network's own.

    A block is what computes at one resolution: VGG's begin with pooling, a residual network's with a stride.

    Args:
        after: numbers of the blocks that exits follow, rising from 1; none for the network as it is.

    Raises:
        ValueError: numbers that do not rise from 1.
    """

    after: Converted[Iterable[int], tuple[int, ...]] = converted(tuple_of(whole_number), (2, 3))

    def __post_init__(self) -> None:
        if list(self.after) != sorted(set(self.after)) or min(self.after, default=1) < 1:
            raise ValueError(f"after must be rising numbers of blocks from 1, got {list(self.after)}")

    @property
    def members(self) -> int:
        """One for each exit."""
        return len(self.after) + 1

    def shapes(self, architecture: Pruned) -> list[tuple[int, ...]]:
        """The exits are part of the published recipe."""
        return [(index,) for index in range(self.members)]

    def build(  # noqa: D102
        self,
        model: nn.Module,
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> EarlyExits:
        depths = Depths(architecture.whole, self.after)
        return EarlyExits(depths.with_exits(model, seed), conditions, depths)

    def empty(  # noqa: D102
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Condition | None], architecture: Pruned
    ) -> EarlyExits:
        depths = Depths(architecture.whole, self.after)
        return EarlyExits(depths.of_counts((len(self.after),)), conditions, depths)
