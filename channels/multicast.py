"""One transmission, many receivers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from channels.base import ChannelState, Decibel, Received, noise_variance
from channels.path_loss import UrbanCell, UrbanMacro
from channels.wrapper import Wrapper


@dataclass(frozen=True)
class Multicast(Wrapper):
    """A base station sends once, and every receiver hears it through its own fading at its own average SNR.

    The rows of state and samples are realizations x receivers, the receivers of one transmission side by side: row
    `i * receivers + j` is receiver j of transmission i. Path loss and shadowing are noise variance. A receiver keeps
    its place for the delivery, and the next transmission meets new places.

    Args:
        channel: from the base station to each receiver, impairments included.
        receivers: of each transmission.
        cell: where the receivers are dropped. `snr_db` is then the mean over the cell of the average SNR in dB;
            `None` gives all receivers the same.
        offsets_db: instead of a cell, the average SNR of each receiver relative to `snr_db`, in dB.

    Raises:
        ValueError: receivers below 1, other than one offset for each receiver, or a multicast as the channel.

    Source: 3GPP TR 38.901 V19.2, clause 7.4.

    >>> from channels import Rayleigh
    >>> channel = Multicast(Rayleigh(), receivers=2, offsets_db=(0.0, -10.0))
    >>> channel.realize(2, 100, snr_db=10.0, generator=torch.Generator().manual_seed(0)).noise_variance
    tensor([[0.1000],
            [1.0000],
            [0.1000],
            [1.0000]])
    """

    receivers: int = 8
    cell: UrbanCell | None = field(default_factory=UrbanMacro)
    offsets_db: Sequence[float] | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.receivers < 1:
            raise ValueError(f"receivers must be at least 1, got {self.receivers}")
        if self.channel.receivers != 1:
            raise ValueError("the channel of a multicast must have one receiver, got another multicast")
        if self.offsets_db is not None and len(self.offsets_db) != self.receivers:
            raise ValueError(
                f"offsets_db must be one number for each of {self.receivers} receivers, got {len(self.offsets_db)}"
            )

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:
        """Drop the receivers, then draw the fading and the noise level of `realizations` transmissions.

        Returns:
            A state of `realizations * receivers` rows; arguments and errors are those of `Channel.realize`.
        """
        mean = -10 * noise_variance(snr_db, realizations, generator).double().log10()
        snr = (mean + self._offsets(realizations, generator)).flatten()
        return self.channel.realize(realizations * self.receivers, n, snr, generator)

    def transmit(self, symbols: Complex[Tensor, "_ n"], state: ChannelState, generator: Generator) -> Received:
        """Send the same symbols to all receivers of a transmission.

        Args:
            symbols: `(1, n)`, a row for each transmission, or a row for each row of the state.
            state: of whole transmissions.
            generator: source of the noise.

        Returns:
            A row for each receiver of each transmission; errors are those of `Channel.transmit`.
        """
        return self.channel.transmit(self._to_all(symbols, state), state, generator)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "_ n"] | None = None
    ) -> ChannelState:
        return self.channel.effective(state, generator, None if probe is None else self._to_all(probe, state))

    def _to_all(self, symbols: Complex[Tensor, "_ n"], state: ChannelState) -> Complex[Tensor, "_ n"]:
        """A row for each receiver where there is one for each transmission."""
        if 1 < symbols.shape[0] * self.receivers == state.gain.shape[0]:
            return symbols.repeat_interleave(self.receivers, dim=0)
        return symbols

    def _offsets(self, realizations: int, generator: Generator) -> Float[Tensor, "_ receivers"]:
        if self.offsets_db is not None:
            return torch.tensor([list(self.offsets_db)], dtype=torch.float64, device=generator.device)
        if self.cell is None:
            return torch.zeros((1, self.receivers), dtype=torch.float64, device=generator.device)
        return self.cell.mean_path_loss - self.cell.draw((realizations, self.receivers), generator)
