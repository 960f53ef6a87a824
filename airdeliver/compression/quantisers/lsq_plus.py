"""LSQ+: learned steps, and with them a learned zero; per tensor or channel, of any scale or a power of two."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.codec.reconstruction import Reconstruction
from airdeliver.compression.quantisers.octaves import SMALLEST, moments_of
from airdeliver.compression.quantisers.per_band import PerBand, Rows, held, rounded, scaled, tread

Scale = Literal["float", "power_of_two"]


@dataclass(frozen=True)
class LSQPlus(PerBand):
    r"""$\hat w = s\,(\lfloor \mathrm{clip}(w / s + z, -Q_n, Q_p) \rceil - z)$ with a learned step s, and zero z.

    Symmetric, z is 0. Otherwise it is an integer, as hardware wants it, learned straight through; what is added is a
    multiple of the step. Steps begin at $\max|\mu \pm 3 \sigma| / 2^{b-1}$; their gradients are scaled by $1 / \sqrt{N
    Q_p}$.

    Args:
        symmetric: whether the zero stays 0; otherwise it begins where the range holds what values there are.
        scale: `float`, or `power_of_two` for steps of $2^k$: multiplications become shifts.

    Raises:
        ValueError: bits out of range, or an unknown scale.

    Source: Y. Bhalgat et al., LSQ+, arXiv 2004.09576 (here with an integer zero); gradients and their scale: S. K.
    Esser et al., arXiv 1902.08153; power-of-two steps as TVM's in MQBench, arXiv 2111.03759.

    >>> from airdeliver.payload import Layout, Segment
    >>> layout, values = Layout((Segment("weight", (512, 2)),)), torch.linspace(-1, 1, 1024)
    >>> quantiser = LSQPlus(bits=2)
    >>> quantiser.quantise(values, layout, quantiser.init(values, layout)).detach().unique().tolist()
    [-0.8671875, 0.0, 0.8671875]
    """

    symmetric: bool = True
    scale: Scale = "float"
    names: ClassVar[tuple[str, ...]] = ("steps", "zeros")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale not in ("float", "power_of_two"):
            raise ValueError(f"scale must be float or power_of_two, got {self.scale!r}")

    def begin(self, rows: Rows) -> tuple[Float[Tensor, "rows"], ...]:  # noqa: D102
        if self.symmetric:
            mean, deviation = moments_of(rows)
            steps = ((mean.abs() + 3 * deviation) / 2 ** (self.bits - 1))[:, 0]
            return steps.clamp(min=SMALLEST), torch.zeros_like(steps)
        low, high = rows.amin(1).clamp(max=0), rows.amax(1).clamp(min=0)
        steps = ((high - low) / (2**self.bits - 1)).clamp(min=SMALLEST)
        return steps, -(2.0 ** (self.bits - 1)) - low / steps

    def soft(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> Rows:  # noqa: D102
        most = 2 ** (self.bits - 1) - 1
        factor = (rows.shape[1] * most) ** -0.5
        steps, zeros = self._travelling(*(scaled(tensor, factor) for tensor in learned))
        ratio = (rows / steps + zeros).detach()
        # Values beyond the ends, and at them, move with the step alone. They are left out before the division, whose
        # derivative overflows where a step has become next to nothing.
        within = (ratio > -most - 1) & (ratio < most)
        inside = torch.where(within, rows, 0.0) / steps + zeros
        kept = torch.where(within, inside, ratio.clamp(-most - 1, most))
        return steps * (rounded(kept) - zeros)

    def numbers(  # noqa: D102
        self, rows: Rows, *learned: Float[Tensor, "rows 1"]
    ) -> tuple[Int64[Tensor, "rows n"], Reconstruction]:
        most = 2 ** (self.bits - 1) - 1
        steps, zeros = self._travelling(*learned)
        return ((rows / steps + zeros).clamp(-most - 1, most).round() - zeros).long(), tread(steps)

    def centre(self, reconstruction: Reconstruction) -> int | None:
        """0, or the median where the zero may be anywhere."""
        return 0 if self.symmetric else None

    def _travelling(self, steps: Tensor, zeros: Tensor) -> tuple[Tensor, Tensor]:
        """Step and zero as they arrive, straight through."""
        if self.scale == "power_of_two":
            octave = torch.exp2(steps.detach().clamp(min=SMALLEST).log2().round())
            steps = steps + (octave - steps).detach()
        return held(steps), torch.zeros_like(zeros) if self.symmetric else rounded(zeros)
