"""Path loss and shadowing of the urban cells of 3GPP TR 38.901."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

_SPEED_OF_LIGHT = 299_792_458.0


@dataclass(frozen=True)
class UrbanCell:
    """Receivers dropped uniformly over a cell, outdoors, with path loss and log-normal shadowing.

    Args:
        radius: of the cell, in metres; receivers are at least `nearest` away from the base station.
        carrier_frequency: in Hz, 0.5e9 to 100e9.
        receiver_height: in metres, 1.5 to 13.
        base_station_height, nearest: in metres.

    Raises:
        ValueError: any of these outside the bounds of the model.

    Source: 3GPP TR 38.901 V19.2, tables 7.2-1, 7.4.1-1 and 7.4.2-1.
    """

    radius: float
    carrier_frequency: float = 3.5e9
    receiver_height: float = 1.5
    base_station_height: float = 25.0
    nearest: float = 35.0

    def __post_init__(self):
        if not 0 < self.nearest < self.radius <= 5000:
            raise ValueError(f"radius must be above {self.nearest} (nearest) and at most 5000 m, got {self.radius}")
        if not 0.5e9 <= self.carrier_frequency <= 100e9:
            raise ValueError(f"carrier_frequency must be 0.5e9 to 100e9 Hz, got {self.carrier_frequency}")
        if not 1.5 <= self.receiver_height <= 13 or not self.base_station_height > self.receiver_height:
            raise ValueError(
                f"receiver_height must be 1.5 to 13 m and below the base station's {self.base_station_height} m, "
                f"got {self.receiver_height}"
            )

    @abstractmethod
    def line_of_sight_probability(self, distance: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Probability of a line of sight at a horizontal distance in metres (table 7.4.2-1)."""

    @abstractmethod
    def path_loss(self, distance: Float[Tensor, "*n"], line_of_sight: Bool[Tensor, "*n"] | bool) -> Float[Tensor, "*n"]:
        """Median path loss in dB at a horizontal distance in metres (table 7.4.1-1)."""

    @abstractmethod
    def shadowing(self, line_of_sight: Bool[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Standard deviation of the shadowing in dB (table 7.4.1-1)."""

    def draw(self, shape: tuple[int, ...], generator: Generator) -> Float[Tensor, "..."]:
        """Path loss with shadowing, in dB, of receivers dropped uniformly over the area of the cell."""
        device = generator.device
        place, sight = torch.rand((2, *shape), generator=generator, device=device, dtype=torch.float64)
        distance = self._distance(place)
        line_of_sight = sight < self.line_of_sight_probability(distance)
        shadow = torch.randn(shape, generator=generator, device=device, dtype=torch.float64)
        return self.path_loss(distance, line_of_sight) + shadow * self.shadowing(line_of_sight)

    @cached_property
    def mean_path_loss(self) -> float:
        """Mean in dB over the cell; shadowing has mean 0 dB."""
        distance = self._distance((torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000)
        p = self.line_of_sight_probability(distance)
        return float((p * self.path_loss(distance, True) + (1 - p) * self.path_loss(distance, False)).mean())

    def _distance(self, share: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Horizontal distance within which a share of the cell's area lies."""
        return (self.nearest**2 + share * (self.radius**2 - self.nearest**2)).sqrt()

    def _slant(self, distance: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return (distance.square() + (self.base_station_height - self.receiver_height) ** 2).sqrt()

    def _two_slopes(
        self, distance: Float[Tensor, "*n"], offset: float, slope: float, correction: float
    ) -> Float[Tensor, "*n"]:
        """Line of sight: `slope` up to the breakpoint, 40 dB a decade beyond it."""
        # Effective heights: 1 m is taken off both (table 7.4.1-1, note 1, for receivers below 13 m).
        heights = (self.base_station_height - 1) * (self.receiver_height - 1)
        breakpoint_ = 4 * heights * self.carrier_frequency / _SPEED_OF_LIGHT
        slant, frequency = self._slant(distance), 20 * math.log10(self.carrier_frequency / 1e9)
        turn = breakpoint_**2 + (self.base_station_height - self.receiver_height) ** 2
        near = offset + slope * slant.log10() + frequency
        far = offset + 40 * slant.log10() + frequency - correction * math.log10(turn)
        return torch.where(distance <= breakpoint_, near, far)


@dataclass(frozen=True)
class UrbanMacro(UrbanCell):
    """UMa: a base station above the roofs, 500 m from the next.

    Args and errors: those of `UrbanCell`.

    >>> cell = UrbanMacro(carrier_frequency=1e9)
    >>> round(float(cell.path_loss(torch.tensor([100.0]), False)), 1)
    92.2
    """

    radius: float = 500 / math.sqrt(3)

    def line_of_sight_probability(self, distance: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:  # noqa: D102
        return _line_of_sight(distance, 63.0)

    def path_loss(  # noqa: D102
        self, distance: Float[Tensor, "*n"], line_of_sight: Bool[Tensor, "*n"] | bool
    ) -> Float[Tensor, "*n"]:
        clear = self._two_slopes(distance, 28.0, 22.0, 9.0)
        blocked = 13.54 + 39.08 * self._slant(distance).log10() + 20 * math.log10(self.carrier_frequency / 1e9)
        blocked = blocked - 0.6 * (self.receiver_height - 1.5)
        return torch.where(torch.as_tensor(line_of_sight), clear, torch.maximum(clear, blocked))

    def shadowing(self, line_of_sight: Bool[Tensor, "*n"]) -> Float[Tensor, "*n"]:  # noqa: D102
        return torch.where(line_of_sight, 4.0, 6.0)


@dataclass(frozen=True)
class UrbanMicro(UrbanCell):
    """UMi street canyon: a base station below the roofs, 200 m from the next.

    Args and errors: those of `UrbanCell`.

    >>> cell = UrbanMicro(carrier_frequency=1e9)
    >>> round(float(cell.path_loss(torch.tensor([100.0]), False)), 1)
    93.1
    """

    radius: float = 200 / math.sqrt(3)
    base_station_height: float = 10.0
    nearest: float = 10.0

    def line_of_sight_probability(self, distance: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:  # noqa: D102
        return _line_of_sight(distance, 36.0)

    def path_loss(  # noqa: D102
        self, distance: Float[Tensor, "*n"], line_of_sight: Bool[Tensor, "*n"] | bool
    ) -> Float[Tensor, "*n"]:
        clear = self._two_slopes(distance, 32.4, 21.0, 9.5)
        blocked = 22.4 + 35.3 * self._slant(distance).log10() + 21.3 * math.log10(self.carrier_frequency / 1e9)
        blocked = blocked - 0.3 * (self.receiver_height - 1.5)
        return torch.where(torch.as_tensor(line_of_sight), clear, torch.maximum(clear, blocked))

    def shadowing(self, line_of_sight: Bool[Tensor, "*n"]) -> Float[Tensor, "*n"]:  # noqa: D102
        return torch.where(line_of_sight, 4.0, 7.82)


def _line_of_sight(distance: Float[Tensor, "*n"], decay: float) -> Float[Tensor, "*n"]:
    near = 18 / distance
    return torch.where(distance <= 18, 1.0, near + torch.exp(-distance / decay) * (1 - near))
