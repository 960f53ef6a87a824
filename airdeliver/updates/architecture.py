"""The architecture of an update: a network of which the receiver holds an earlier version."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.architecture import Architecture
from airdeliver.payload import Layout, load_tensors, values_of
from airdeliver.updates.base import Form


@dataclass(frozen=True)
class Update(Architecture):
    """A network whose earlier version is part of the recipe: what is sent is a change of it.

    Two updates are equal where whole network, form and earlier version are; that one is compared by a hash of its
    values.

    Args:
        whole: architecture of the network.
        version: description of it, which both versions have.
        form: of the change.
        base: values of the earlier version, by name: the state dict.
        digest: of these; computed.
    """

    whole: Architecture
    version: bytes
    form: Form
    base: Mapping[str, Tensor] = field(compare=False, repr=False, kw_only=True)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest(self.base))

    def receive(self, description: bytes) -> nn.Module:
        """The earlier version: what the receiver has before anything arrives.

        Raises:
            ValueError: a description that no change of this form has.
        """
        self.layout(description, None)
        model = self.whole.receive(self.version)
        assert isinstance(model, nn.Module)
        return load_tensors(model, self.base).eval()

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """The segments of the change."""
        return self.form.sent(self.whole.layout(self.version, statistics), description)

    def change(self, model: nn.Module, statistics: bool | None) -> Float[Tensor, "n"]:
        """By how much a later version differs, value by value, as near as the form comes to it.

        Args:
            model: of the same architecture.
            statistics: whether batch-norm statistics are sent.
        """
        layout = self.whole.layout(self.version, statistics)
        later = values_of(model, layout)
        return self.form.project(later - self.held(layout).to(later.device), layout)

    def held(self, layout: Layout) -> Float[Tensor, "n"]:
        """The values of the earlier version."""
        model = self.whole.receive(self.version)
        assert isinstance(model, nn.Module)
        return values_of(load_tensors(model, self.base), layout)

    def applied(
        self, values: Float[Tensor, "realizations sent"], description: bytes, statistics: bool | None
    ) -> Float[Tensor, "realizations n"]:
        """The values of the later version, from what arrived of the change.

        Args:
            values: of the segments of `layout`.
            description: that the receiver was told.
            statistics: whether batch-norm statistics are sent.
        """
        layout = self.whole.layout(self.version, statistics)
        return self.held(layout).to(values.device) + self.form.unpack(values, layout, description)


def digest(tensors: Mapping[str, Tensor]) -> str:
    """A hash (BLAKE2, 128 bits) of named values; equal values have equal ones, wherever they lie.

    >>> digest({"a": torch.ones(2)}) == digest({"a": torch.ones(2)}) != digest({"a": torch.zeros(2)})
    True
    """
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        found.update(f"{name}/{tensor.dtype}/{tuple(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
