"""A network that was trained elsewhere, pruned to a budget."""

from torch import nn

from airdeliver.arguments import an_object, whole
from airdeliver.compression.importance import Importance, Magnitude
from airdeliver.compression.pruning import Pruning
from airdeliver.links import BudgetError, Knowledge, Link
from airdeliver.payload import Layout, Payload, values_of
from airdeliver.payload.inputs import Inputs
from airdeliver.task.base import Task
from airdeliver.training.methods.pruned import prunable
from airdeliver.training.trained import Trained
from channels import Channel


def prune(
    network: nn.Module | Trained,
    link: Link,
    channel_uses: int,
    inputs: Inputs = None,
    *,
    channel: Channel | None = None,
    importance: Importance | None = None,
    task: Task | None = None,
    statistics: bool = False,
    core: float = 0.1,
    seed: int = 0,
) -> Trained:
    """Remove whole channels of a trained network until it fits a budget, without a builder for it.

    Args:
        network: any torch module, which stays as it is; or what this function returned, to prune it further.
        link: that it will be sent over; its own plan says what fits.
        channel_uses: the budget, side information included.
        inputs: examples of what the network is given, at least one: a tensor, a tuple of tensors or a mapping from
            argument to tensor. Not needed for what was pruned before.
        channel: whose pilots count; None for a channel without.
        importance: of channels; None for `Magnitude`, which needs no data.
        task: gives examples and loss to an importance that needs them.
        statistics: whether batch-norm statistics are sent (normalisation `frozen` and `sender`).
        core: share of each layer's channels that goes only when nothing else is left.
        seed: of the choice of examples.

    Returns:
        The pruned network: `deliver` takes it as it is and charges the widths that it tells the receiver. Its `model()`
        is a plain module to train further, `holding(model)` the network with what came of it.

    Raises:
        BudgetError: the smallest network does not fit; says the minimum, and which layers stay whole for what reason.
        TypeError: an argument of another kind, TorchScript.
        ValueError: a Keras model, a network without inputs, with pruning masks, or one that is no torch module.

    Source: magnitudes of groups of channels, arXiv 2301.12900.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> from airdeliver.links import AnalogLink
    >>> model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))
    >>> prune(model, AnalogLink(), 700, torch.zeros(1, 8)).model()[0].out_features
    28
    """
    an_object(link, Link, "link", "AnalogLink() or another link")
    channel_uses = whole(channel_uses, "channel_uses", 1)
    if channel is not None:
        an_object(channel, Channel, "channel", "AWGN() or another channel")
    trained = network if isinstance(network, Trained) else Trained.of(network, inputs)
    architecture = prunable(trained.architecture)
    before = architecture.counts(trained.description) if architecture is trained.architecture else None
    symbols = channel_uses if channel is None else channel.symbols(channel_uses)
    before = before or architecture.groups.units
    left = symbols
    while True:
        pruning = Pruning(left, link, importance or Magnitude(), statistics, core)
        pruned, counts = pruning.prune(trained.model(), before, architecture, task, seed)
        over = _over(link, architecture.layout_of_counts(counts, statistics), pruned, symbols)
        if not over:
            return Trained(dict(pruned.state_dict()), architecture, architecture.describe(counts))
        left -= over


def _over(link: Link, layout: Layout, model: nn.Module, symbols: int) -> int:
    """How many symbols too many these very values need: a constant segment costs more side information than others."""
    payload = Payload(values_of(model, layout), layout)
    try:
        link.plan(payload, symbols, Knowledge())
    except BudgetError:
        return max(1, link.plan(payload, None, Knowledge()).symbols - symbols)
    return 0
