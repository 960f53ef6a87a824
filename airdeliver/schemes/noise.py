"""Noise injection: the network learns under the noise that it will be delivered with."""

from dataclasses import dataclass, field

from airdeliver.conversion import Converted, converted
from airdeliver.links.condition import SNR, Condition, level_or_range
from airdeliver.problem import Problem
from airdeliver.schemes.clean import Clean
from airdeliver.training import Training
from airdeliver.training.methods import Continued, ThroughLink
from channels import AWGN, Channel


@dataclass(frozen=True)
class Noise(Clean):
    """Clean training, then fine-tuning through the link.

    Args:
        train_snr_db: SNR in dB of the fine-tuning, a number or a range of which every step draws one.
        train_channel: channel of the fine-tuning.

    Source: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.
    """

    train_snr_db: Converted[SNR, float | tuple[float, float]] = converted(level_or_range, (-3.0, 25.0))
    train_channel: Channel = field(default_factory=AWGN)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        condition = Condition(self.link, self.train_channel, self.train_snr_db)
        method = ThroughLink(Continued(Training.clean(problem)), condition)
        return (Training.of(problem, method, problem.fine_tuning),)
