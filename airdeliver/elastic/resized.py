"""Networks that see their images at a lower resolution: as many values, fewer operations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from airdeliver.architecture import Architecture
from airdeliver.models.resizing import at_resolution
from airdeliver.payload import Layout


class Resized(nn.Module):
    """A network behind a first module without parameters, which resizes its images.

    Args:
        model: that sees the resized images.
        resolution: height and width that it sees.
    """

    def __init__(self, model: nn.Module, resolution: int) -> None:
        super().__init__()
        self.model, self.resolution = model, resolution

    def forward(self, images: Tensor) -> Tensor:
        """What the network says of the resized images."""
        return self.model(at_resolution(images, self.resolution))


@dataclass(frozen=True)
class AtResolution(Architecture):
    """Networks of another architecture at a resolution that a byte of the description tells.

    Args:
        inner: architecture of the network.
    """

    inner: Architecture

    def describe(self, resolution: int, description: bytes) -> bytes:
        """The description of a network at a resolution.

        Args:
            resolution: from 1 to 255.
            description: of the network in its own architecture.
        """
        return bytes([resolution]) + description

    def receive(self, description: bytes) -> Resized:
        """The network behind its resizing, every learned value NaN.

        Raises:
            ValueError: no byte, or one that is no resolution.
        """
        model = self.inner.receive(self._own(description))
        assert isinstance(model, nn.Module)
        return Resized(model, description[0])

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """The segments of the network, whose names begin with `model.` here."""
        own = self.inner.layout(self._own(description), statistics)
        return Layout(tuple(replace(s, name=f"model.{s.name}") for s in own.segments), description)

    def _own(self, description: bytes) -> bytes:
        if not description or not description[0]:
            raise ValueError("a network at a resolution is described by a byte from 1 to 255 first, got none")
        return description[1:]


def check_resolutions(resolutions: Sequence[int]) -> None:
    """Refuse what is no resolution.

    Raises:
        ValueError: a number that a byte does not tell, or that is 0.
    """
    if any(not 1 <= r <= 255 for r in resolutions):
        raise ValueError(f"resolutions must be from 1 to 255 pixels, got {list(resolutions)}")
