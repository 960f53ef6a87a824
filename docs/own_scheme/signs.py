"""Binary weights: a network that is trained to be sent as signs, and one scale a segment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from airdeliver import DigitalLink, Problem
from airdeliver.compression.quantisers import Signs
from airdeliver.package import Package
from airdeliver.schemes import About, Clean
from airdeliver.schemes.packing import choice_of, sender_inputs
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Quantised
from airdeliver.training.methods.quantised import QUANTISER


@dataclass(frozen=True)
class SignsAndOneScale(Clean):
    """Goes on from the clean network with the quantiser of its link, and sends what that training made.

    Segments of fewer than 512 values are no signs: they have levels of `small_bits` bits.

    Args:
        link: that it is sent over.

    Raises:
        ValueError: a link that does not send signs.
    """

    link: DigitalLink = field(default_factory=lambda: DigitalLink(quantiser=Signs()))

    def __post_init__(self):
        if not isinstance(self.link, DigitalLink) or not isinstance(self.link.quantiser, Signs):
            raise ValueError(f"the link must be a DigitalLink with the quantiser Signs, got {self.link}")

    def about(self) -> About:
        """That of any digital scheme, but for the preparation."""
        return replace(super().about(), preparation="trained for the link")

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:
        """One; the clean training that it goes on from is found through its `needs`."""
        method = Quantised(Continued(Training.clean(problem)), self.link.quantiser)
        return (Training.of(problem, method, problem.fine_tuning),)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:
        """The trained network, and the state of the quantiser that it was trained with."""
        (training,) = self.trainings(problem, channel_uses)
        link = replace(self.link, state=trained[training].state[QUANTISER])
        choice = choice_of(trained[training], link, self.normalisation)
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))
