"""A parameter set of several tasks, of which a receiver has the keys that it was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Generator, Tensor

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.keys import KEY_BYTES, Device, permutation
from airdeliver.models import ModelBuilder
from airdeliver.models.reconfigurable import Reconfigurable
from airdeliver.models.several import Served
from airdeliver.payload import Layout, architecture_of, layout_of, published

SHARED = ("binary", "real")
"""Under these names a network has the weights that all tasks share."""


@dataclass(frozen=True, eq=False)
class Keyed(Architecture):
    """Several tasks in one binary parameter set: see `airdeliver.models.reconfigurable.Reconfigurable`.

    Its description is the key of each task that is served, 32 bytes each, wrapped for one device: any other makes
    networks of it that know nothing.

    Args:
        model: architecture of the network of a task.
        channels: of the image of a task.
        served: which tasks.
        device: of the receiver.
        base: shared weights that the receiver has already, by name; they are not sent then.

    Source: arXiv 2105.03822.
    """

    model: ModelBuilder
    channels: int
    served: Served
    device: Device = field(default_factory=Device)
    base: Mapping[str, Tensor] = field(default_factory=dict)

    def describe(self, keys: Sequence[bytes]) -> bytes:
        """What the receiver is told: the key of each task that is served, wrapped."""
        pairs = zip(keys, self.served.tasks, strict=True)
        return b"".join(self.device.wrapped(key, task) for key, task in pairs)

    def fresh(self, keys: Sequence[bytes], generator: Generator | None = None) -> Reconfigurable:
        """A network with fresh weights.

        Args:
            keys: of the tasks that are served, in their order.
            generator: source of the weights; None for one of seed 0.
        """
        generator = generator or Generator().manual_seed(0)
        networks = [self.model(self.channels, self.served.outputs[task], generator) for task in self.served.tasks]
        return Reconfigurable(self.served, networks, lambda place, layer, count: permutation(keys[place], layer, count))

    def receive(self, description: bytes) -> Reconfigurable:  # noqa: D102
        if len(description) != KEY_BYTES * len(self.served.tasks):
            raise ValueError(
                f"{len(self.served.tasks)} tasks need {KEY_BYTES} bytes each, got {len(description)} bytes: were the "
                "keys made for another network?"
            )
        wrapped = [description[i : i + KEY_BYTES] for i in range(0, len(description), KEY_BYTES)]
        keys = [self.device.wrapped(key, task) for key, task in zip(wrapped, self.served.tasks, strict=True)]
        network = self.fresh(keys)
        if self.base:
            network.load_state_dict(dict(self.base), strict=False)
            published(network, *SHARED)
        received = architecture_of(network)
        assert isinstance(received, Reconfigurable)
        return received

    def layout(self, description: bytes, statistics: bool | None) -> Layout:  # noqa: D102
        return replace(layout_of(self.receive(description), statistics), description=description)

    def knowing(self, shared: Mapping[str, Tensor], tasks: tuple[int, ...]) -> "Keyed":
        """The same for a receiver that has the shared weights and gets further tasks.

        Args:
            shared: weights by name, those of `SHARED`.
            tasks: numbers of those tasks.
        """
        return replace(self, served=replace(self.served, tasks=tasks), base=shared)
