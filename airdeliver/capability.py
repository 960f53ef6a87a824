"""What a receiver can take: channel uses that it hears, multiply-accumulates that it can spend."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Capability:
    """Bounds of one receiver.

    Args:
        channel_uses: it listens to, from the first symbol on; None for all.
        macs: multiply-accumulates that an inference may take; None for any number.

    Raises:
        ValueError: a bound below 1.

    >>> Capability(macs=1_000_000).takes(channel_uses=60_000, macs=500_000)
    True
    """

    channel_uses: int | None = None
    macs: int | None = None

    def __post_init__(self) -> None:
        for name in ("channel_uses", "macs"):
            bound = getattr(self, name)
            if bound is not None and bound < 1:
                raise ValueError(f"{name} must be at least 1, or None for no bound, got {bound}")

    def takes(self, channel_uses: int, macs: int) -> bool:
        """Whether a network that is there after so many channel uses and takes so many operations is within it."""
        heard = self.channel_uses is None or channel_uses <= self.channel_uses
        return heard and (self.macs is None or macs <= self.macs)
