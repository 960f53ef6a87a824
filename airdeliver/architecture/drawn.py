"""Dynamic resolutions that are drawn, not predicted: what the prediction is measured against."""

from collections.abc import Sequence
from dataclasses import dataclass

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.whole import Whole
from airdeliver.models.dynamic_resolution import ResolutionNetwork
from airdeliver.payload import Layout

MOST = 255
"""Of a byte: a share in a description is a multiple of a 255th of the largest."""


@dataclass(frozen=True)
class DrawnResolution(Architecture):
    """A network of dynamic resolution whose images are shared out among the resolutions at random.

    A description has a byte for each resolution: its share, in proportion to the others'.

    Args:
        inner: the same network with its predictor, which travels and is not asked.
    """

    inner: Whole

    def describe(self, shares: Sequence[float]) -> bytes:
        """The description of shares.

        Args:
            shares: of each resolution, at least 0, not all of them.
        """
        return bytes(round(MOST * share / max(shares)) for share in shares)

    def receive(self, description: bytes) -> ResolutionNetwork:
        """The network, every learned value NaN.

        Raises:
            ValueError: another number of bytes than there are resolutions, or none above 0.
        """
        network = self.inner.receive(b"")
        assert isinstance(network, ResolutionNetwork)
        if len(description) != len(network.resolutions) or not any(description):
            raise ValueError(
                f"shares of {len(network.resolutions)} resolutions are a byte each, not all 0, got {list(description)}"
            )
        return network.drawing([float(share) for share in description])

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """The segments of the network."""
        return Layout(self.inner.layout(b"", statistics).segments, description)
