"""The resource grid: where pilots and payload symbols lie, and what both cost."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Int
from torch import Tensor

_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class ResourceGrid:
    """A grid of OFDM symbols (rows) by subcarriers (columns), with a rectangular pilot pattern.

    Every `time_spacing`-th OFDM symbol, beginning with the first, has a pilot on every `frequency_spacing`-th
    subcarrier and on the last one, so that no subcarrier lies outside the pilots. Payload symbols fill the other
    resource elements one OFDM symbol after another. What a delivery costs is the resource elements that it takes: its
    payload symbols and all pilots of every OFDM symbol that it touches; the free rest of its last OFDM symbol is left
    to others.

    Args:
        subcarriers: columns of the grid.
        frequency_spacing: subcarriers from one pilot to the next.
        time_spacing: OFDM symbols from one pilot-bearing OFDM symbol to the next.

    Raises:
        ValueError: a number below 1, or a pattern that leaves no room for payload.

    >>> grid = ResourceGrid(subcarriers=12, frequency_spacing=6, time_spacing=2)
    >>> grid.pilot_subcarriers.tolist(), grid.uses(9), grid.uses(22), grid.symbols(25)
    ([0, 6, 11], 12, 28, 21)
    """

    subcarriers: int
    frequency_spacing: int
    time_spacing: int

    def __post_init__(self):
        for name in ("subcarriers", "frequency_spacing", "time_spacing"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} of the resource grid must be at least 1, got {getattr(self, name)}")
        if self.payload_per_period == 0:
            raise ValueError(
                f"pilots on all {self.subcarriers} subcarriers of every OFDM symbol leave no room for payload: "
                "widen the pilot spacing"
            )

    @property
    def pilot_subcarriers(self) -> Int[Tensor, "pilots"]:
        """Subcarriers that bear pilots, in ascending order."""
        comb = torch.arange(0, self.subcarriers, self.frequency_spacing)
        return torch.unique(torch.cat([comb, torch.tensor([self.subcarriers - 1])]))

    @property
    def pilots(self) -> int:
        """Pilots of one pilot-bearing OFDM symbol."""
        last = (self.subcarriers - 1) % self.frequency_spacing != 0
        return math.ceil(self.subcarriers / self.frequency_spacing) + last

    @property
    def payload_per_period(self) -> int:
        """Payload symbols of the `time_spacing` OFDM symbols after which the pattern repeats."""
        return self.subcarriers * self.time_spacing - self.pilots

    def pilot_values(self, rows: int) -> Complex[Tensor, "rows pilots"]:
        """Pilots of unit power in the first pilot-bearing OFDM symbols.

        In each a quadratic chirp, whose envelope is flat in time too (D. C. Chu, 1972), from one to the next shifted in
        time by ever other amounts, so that what pilots leak into each other averages out.
        """
        pilot = torch.arange(self.pilots, dtype=torch.float64)
        shift = torch.arange(rows, dtype=torch.float64).square().mul(_GOLDEN).frac().unsqueeze(-1)
        turns = pilot**2 / (2 * self.pilots) + shift * pilot
        return torch.polar(torch.ones_like(turns), 2 * torch.pi * turns).to(torch.complex64)

    def uses(self, symbols: int) -> int:
        """Resource elements that `symbols` payload symbols take, pilots included."""
        return symbols + self.pilots * math.ceil(symbols / self.payload_per_period)

    def symbols(self, resource_elements: int) -> int:
        """The most payload symbols whose cost is at most `resource_elements`."""
        periods, rest = divmod(resource_elements, self.payload_per_period + self.pilots)
        return periods * self.payload_per_period + max(0, rest - self.pilots)

    def ofdm_symbols(self, symbols: int) -> int:
        """OFDM symbols that `symbols` payload symbols touch."""
        if symbols == 0:
            return 0
        periods, rest = divmod(symbols - 1, self.payload_per_period)
        return periods * self.time_spacing + 1 + max(0, (rest + self.pilots) // self.subcarriers)

    def positions(self, symbols: int) -> Int[Tensor, "symbols"]:
        """Resource elements of the payload symbols, counted OFDM symbol by OFDM symbol."""
        free = torch.ones(self.ofdm_symbols(symbols), self.subcarriers, dtype=torch.bool)
        free[:: self.time_spacing, self.pilot_subcarriers] = False
        return free.flatten().nonzero().squeeze(-1)[:symbols]

    def fill(self, symbols: Complex[Tensor, "k n"]) -> Complex[Tensor, "k ofdm_symbols subcarriers"]:
        """Lay payload symbols and pilots on the grid; resource elements that are left stay zero."""
        rows = self.ofdm_symbols(symbols.shape[-1])
        flat = symbols.new_zeros(len(symbols), rows * self.subcarriers)
        flat[:, self.positions(symbols.shape[-1]).to(symbols.device)] = symbols
        grid = flat.reshape(len(symbols), rows, self.subcarriers)
        pilots = self.pilot_values(math.ceil(rows / self.time_spacing)).to(symbols)
        grid[:, :: self.time_spacing, self.pilot_subcarriers] = pilots
        return grid
