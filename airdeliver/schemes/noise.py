"""Noise injection: the network learns under the noise that it will be delivered with."""

from dataclasses import dataclass, field

from airdeliver.schemes.clean import Clean
from airdeliver.task import Task
from airdeliver.training import SNR, Through, Training
from channels import AWGN, Channel


@dataclass(frozen=True)
class Noise(Clean):
    """Clean training, then fine-tuning through the link.

    Args:
        train_snr_db: SNR in dB of the fine-tuning, a number or a range of which every step draws one.
        train_channel: channel of the fine-tuning.

    Source: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.
    """

    train_snr_db: SNR = (-3.0, 25.0)
    train_channel: Channel = field(default_factory=AWGN)

    def trainings(self, task: Task, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return (Training.fine_tuned(task, Through(self.link, self.train_channel, self.train_snr_db)),)
