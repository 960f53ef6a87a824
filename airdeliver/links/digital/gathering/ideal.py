"""Rounds at the Shannon limit: what arrives is decided by the sum of what the rounds carry."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float64
from torch import Generator, Tensor

from airdeliver.links.digital.gathering.base import Combining, Gathered, versions
from channels import Channel, ChannelState

SLACK = 1e-9


class IdealGathered(Gathered):
    r"""Information of all rounds: a container of R bits per symbol of one round arrives as soon as it reaches R.

    Chase combining adds SNRs, $\log_2(1 + \sum_k \gamma_k)$; incremental redundancy adds what rounds carry,
    $\sum_k \log_2(1 + \gamma_k)$, which is never less.

    Args:
        data: of the container.
        symbols: of one round.
        rate: R, in bits per complex symbol.
        combining: how rounds add up.
        receivers: rows.
        carried: bits per symbol that each receiver's round carries, from channel, state and generator.

    Source: G. Caire and D. Tuninetti, The throughput of hybrid-ARQ protocols for the Gaussian collision channel, IEEE
    Trans. Inf. Theory, 2001 (accumulated SNR and accumulated mutual information).
    """

    def __init__(
        self,
        data: bytes,
        symbols: int,
        rate: float,
        combining: Combining,
        receivers: int,
        carried: Callable[[Channel, ChannelState, Generator], Float64[Tensor, "receivers"]],
    ) -> None:
        super().__init__(receivers, 1)
        self._data, self._symbols, self._rate, self._carried = data, symbols, rate, carried
        self._chase = versions(combining) == versions("chase")
        self._sum = torch.zeros(receivers, dtype=torch.float64)

    def symbols(self, number: int) -> Sequence[int]:  # noqa: D102
        return (self._symbols,)

    def hear(  # noqa: D102
        self,
        number: int,
        sent: Bool[Tensor, "receivers parts"],
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> None:
        rows = torch.nonzero(sent[:, 0]).flatten()
        carried = self._carried(channel, state[rows.to(state.gain.device)], generator).cpu()
        # Of a channel whose gain varies within a round, the SNR is that of the constant one that carries as much.
        self._sum[rows] += torch.expm1(carried * torch.tensor(2.0).log()) if self._chase else carried
        reached = torch.log2(1 + self._sum) if self._chase else self._sum
        self.lacking[:, 0] &= reached * (1 + SLACK) < self._rate

    def rows(self) -> list[bytes | None]:  # noqa: D102
        return [None if lacks else self._data for lacks in self.lacking[:, 0].tolist()]
