"""A channel round another channel."""

from dataclasses import dataclass

from jaxtyping import Complex
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Decibel, Received


@dataclass(frozen=True)
class Wrapper(Channel):
    """Passes everything on to the channel that it wraps; a member overrides `realize` or `transmit`.

    A channel that has a waveform (OFDM) offers `modulate(symbols (k, n))`, its time samples `(k, m)`, and
    `demodulate(samples, n)`, the symbols again; any other channel's symbols are its time samples.

    Args:
        channel: what is wrapped.

    Raises:
        ValueError: something that is not a channel.
    """

    channel: Channel

    def __post_init__(self):
        if not isinstance(self.channel, Channel):
            raise ValueError(f"channel must be a Channel to wrap, got {type(self.channel).__name__}")

    @property
    def mean_gain(self) -> float:  # type: ignore[override]
        """E|h|^2 of the wrapped channel."""
        return self.channel.mean_gain

    @property
    def array_gain(self) -> float:  # type: ignore[override]
        """That of the wrapped channel."""
        return self.channel.array_gain

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        """Whether gradients pass the wrapped channel."""
        return self.channel.differentiable

    def symbols(self, channel_uses: int) -> int:
        """The most payload symbols that fit into `channel_uses` of the wrapped channel."""
        return self.channel.symbols(channel_uses)

    def uses(self, symbols: int) -> int:
        """What `symbols` payload symbols cost on the wrapped channel."""
        return self.channel.uses(symbols)

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        return self.channel.realize(realizations, n, snr_db, generator)

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "_ n"], state: ChannelState, generator: Generator
    ) -> Received:
        return self.channel.transmit(symbols, state, generator)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "_ n"] | None = None
    ) -> ChannelState:
        if type(self).transmit is Wrapper.transmit:
            return self.channel.effective(state, generator, probe)
        return super().effective(state, generator, probe)

    def modulate(self, symbols: Complex[Tensor, "k n"]) -> Complex[Tensor, "k m"]:
        """Time samples of the wrapped channel's waveform; the symbols themselves if it has none."""
        modulate = getattr(self.channel, "modulate", None)
        return symbols if modulate is None else modulate(symbols)

    def demodulate(self, samples: Complex[Tensor, "k m"], n: int) -> Complex[Tensor, "k n"]:
        """Symbols of time samples: the inverse of `modulate`."""
        demodulate = getattr(self.channel, "demodulate", None)
        return samples if demodulate is None else demodulate(samples, n)
