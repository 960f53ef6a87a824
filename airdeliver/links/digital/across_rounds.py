"""Link adaptation of a sender that will be asked again: as fast as what all rounds together carry."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.links.digital.adaptation import Adaptation, Worth
from airdeliver.links.digital.gathering.base import Combining, versions
from airdeliver.links.digital.outlook import Outlook
from airdeliver.links.digital.physical_layer import PhysicalLayer
from channels import ChannelState


@dataclass(frozen=True)
class AcrossRounds(Adaptation):
    r"""Another adaptation, whose receivers will have heard several rounds, each over a channel of its own.

    What rounds carry together is told as one round's SNR: $\sum_k \gamma_k$ where they repeat coded bits,
    $\prod_k (1 + \gamma_k) - 1$ where each sends others. Rounds are different ones of the realizations that the sender
    imagines, so that they are independent; where it imagines one alone, all rounds are that.

    Args:
        adaptation: what is done with it; its outer loop, which counts losses of a single round, has no part in it.
        rounds: most.
        combining: how they add up.

    Raises:
        ValueError: no round.
    """

    adaptation: Adaptation
    rounds: int
    combining: Combining

    def __post_init__(self) -> None:
        versions(self.combining)
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {self.rounds}")

    @property
    def design_snr_db(self) -> float:  # type: ignore[override]
        """That of the adaptation inside."""
        return self.adaptation.design_snr_db

    def best(self, physical: PhysicalLayer, outlook: Outlook, symbols: int, values: int, worth: Worth) -> int:  # noqa: D102
        return self.adaptation.best(physical, outlook, symbols, values, worth)

    def foreseen(self, outlook: Outlook) -> Outlook:  # noqa: D102
        return replace(outlook, states={a: self._together(state) for a, state in outlook.states.items()})

    def _together(self, state: ChannelState) -> ChannelState:
        snr = state.gain.abs().square().double() / state.noise_variance
        shift = max(1, len(snr) // self.rounds)
        each = torch.stack([snr.roll(number * shift, 0) for number in range(self.rounds)])
        return ChannelState(self._combined(each).sqrt().to(state.gain), torch.ones_like(state.noise_variance))

    def _combined(self, snr: Float[Tensor, "rounds rows #n"]) -> Float[Tensor, "rows #n"]:
        return snr.sum(0) if self.combining == "chase" else torch.expm1(torch.log1p(snr).sum(0))
