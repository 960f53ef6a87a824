"""The receiver, run as a program: it has recipe, bytes and samples, and nothing of the sender's process.

`python -m tests.experiments.fresh_receiver ARRIVED VALUES`
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from airdeliver.payload import load
from airdeliver.plain import from_plain
from channels import ChannelState, Received


def receive(told: dict[str, Any]) -> list[float]:
    """The parameters of the network that was rebuilt from what arrived, one list.

    Args:
        told: `recipe` (architecture, link, whether statistics are sent), `description` and `side_information` in
            hexadecimal, and what came over the channel: samples, or rows of bytes where the link has no waveform.
    """
    recipe = {name: from_plain(value) for name, value in told["recipe"].items()}
    architecture, link = recipe["architecture"], recipe["link"]
    description = bytes.fromhex(told["description"])
    layout = architecture.layout(description, recipe["statistics"])
    plan = link.plan_from_bytes(bytes.fromhex(told["side_information"]), layout)
    gain, noise = _complex(told["gain"]), torch.tensor(told["noise_variance"])
    if "rows" in told:
        rows = [None if row is None else bytes.fromhex(row) for row in told["rows"]]
        decoded = link._rebuilt(rows, plan, ChannelState(gain, noise))
    else:
        decoded = link.decode(Received(_complex(told["samples"]), gain, noise), plan)
    model = load(architecture.receive(description), layout, decoded.values[0])
    return torch.cat(
        [tensor.flatten() for tensor in model.state_dict().values() if tensor.is_floating_point()]
    ).tolist()


def _complex(parts: list[Any]) -> torch.Tensor:
    return torch.view_as_complex(torch.tensor(parts))


if __name__ == "__main__":
    torch.set_num_threads(1)
    arrived = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps({name: receive(told) for name, told in arrived.items()}))
