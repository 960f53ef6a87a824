"""The receiver of a pruned network, run as a program: it has the published recipe, and what arrived.

`python -m tests.airdeliver.compression.fresh_receiver ARRIVED OUTPUTS`
"""

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from airdeliver.architecture import Pruned
from airdeliver.links import Link
from airdeliver.normalisation import serve_by_batch
from airdeliver.payload import load
from channels import Received


@dataclass(frozen=True)
class Arrived:
    """What a receiver has: recipe (architecture, link, whether statistics are sent), side information, samples."""

    architecture: Pruned
    link: Link
    statistics: bool
    side_information: bytes
    received: Received


def receive(arrived: Arrived, images: Tensor) -> Tensor:
    """Logits of the network that was rebuilt from what arrived."""
    length = arrived.architecture.description_length
    description, table = arrived.side_information[:length], arrived.side_information[length:]
    model = arrived.architecture.receive(description)
    layout = arrived.architecture.layout(description, arrived.statistics)
    plan = arrived.link.plan_from_bytes(table, layout)
    load(model, layout, arrived.link.decode(arrived.received, plan).values[0])
    if not arrived.statistics:
        serve_by_batch(model)
    with torch.no_grad():
        return model.eval()(images)


if __name__ == "__main__":
    torch.set_num_threads(1)
    deliveries, images = pickle.loads(Path(sys.argv[1]).read_bytes())
    Path(sys.argv[2]).write_bytes(pickle.dumps([receive(arrived, images) for arrived in deliveries]))
