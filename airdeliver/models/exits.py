"""Early exits: a network that answers after some of its blocks, and stops where the answer is sure enough."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.models.dynamic import Dynamic


class Exits(nn.Module):
    """Stages one after the other, each followed by an exit; as a module it computes what the last exit says.

    Networks that end earlier share the modules of this one, and the names of their tensors.

    Args:
        stages: each takes what the one before gives.
        heads: what an exit makes of its stage's features, as many as stages.

    Raises:
        ValueError: no stage, or another number of heads.
    """

    def __init__(self, stages: Iterable[nn.Module], heads: Iterable[nn.Module]) -> None:
        super().__init__()
        self.stages, self.heads = nn.ModuleList(stages), nn.ModuleList(heads)
        if not len(self.stages) or len(self.stages) != len(self.heads):
            raise ValueError(f"each stage needs an exit, got {len(self.stages)} stages and {len(self.heads)} exits")

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of the last exit."""
        for stage in self.stages:
            inputs = stage(inputs)
        return self.heads[-1](inputs)

    def every(self, inputs: Tensor) -> list[Tensor]:
        """Logits of every exit, in one pass."""
        said = []
        for stage, head in zip(self.stages, self.heads, strict=True):
            inputs = stage(inputs)
            said.append(head(inputs))
        return said

    def upto(self, last: int) -> "Exits":
        """The network that ends at an exit, with those before it; modules are shared.

        Args:
            last: number of the exit, from 0.
        """
        return Exits(list(self.stages)[: last + 1], list(self.heads)[: last + 1])


class EveryExit(nn.Module):
    """A network with exits that answers with all of them: a list of logits, the last exit's last.

    Args:
        network: whose tensors are named behind `network.` here.
    """

    def __init__(self, network: Exits) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> list[Tensor]:
        """Logits of every exit."""
        return self.network.every(inputs)


class Gated(Exits, Dynamic):
    """A network that stops at the first exit whose largest probability is above its threshold.

    Examples leave one by one, and stages compute those that are left. While batch norms measure statistics nobody
    leaves: those of the later stages are of all examples, as in training and where thresholds were chosen.

    Args:
        stages: each takes what the one before gives.
        heads: of the exits.
        thresholds: of all exits but the last, at which everybody leaves.

    Raises:
        ValueError: another number of thresholds.

    Source: S. Teerapittayanon, B. McDanel and H. T. Kung, BranchyNet, 2016, has entropy in place of probability.
    """

    def __init__(self, stages: Iterable[nn.Module], heads: Iterable[nn.Module], thresholds: Sequence[float]) -> None:
        super().__init__(stages, heads)
        if len(thresholds) != len(self.stages) - 1:
            raise ValueError(f"{len(self.stages) - 1} exits need a threshold each, got {list(thresholds)}")
        self.thresholds = tuple(thresholds)
        self.paths = tuple(f"exit{number + 1}" for number in range(len(self.stages)))
        self.taken = torch.zeros(0, dtype=torch.int64)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of the exit that each example leaves at."""
        measuring = any(norm.training for norm in self.modules() if isinstance(norm, _BatchNorm))
        left, features, outputs = torch.arange(len(inputs), device=inputs.device), inputs, torch.empty(0)
        self.taken = torch.full((len(inputs),), len(self.stages) - 1, device=inputs.device)
        for number, (stage, head) in enumerate(zip(self.stages, self.heads, strict=True)):
            features = stage(features)
            said = head(features)
            outputs = said.new_empty(len(inputs), *said.shape[1:]) if number == 0 else outputs
            # What stays is written over by a later exit.
            outputs[left] = said
            if number < len(self.thresholds) and not measuring:
                leaving = confidence(said) > self.thresholds[number]
                self.taken[left[leaving]] = number
                left, features = left[~leaving], features[~leaving]
            if not len(left):
                break
        return outputs

    def along(self, path: int) -> Exits:
        """The network that always leaves at an exit; it computes the exits before it, too."""
        return _Walked(list(self.stages)[: path + 1], list(self.heads)[: path + 1])


class _Walked(Exits):
    """A network that asks every exit and answers with the last."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.every(inputs)[-1]


def confidence(logits: Float[Tensor, "n classes"]) -> Float[Tensor, "n"]:
    """The largest probability of each example; 0 where logits are not finite.

    >>> confidence(torch.zeros(1, 4)).tolist()
    [0.25]
    """
    return logits.float().softmax(-1).amax(-1).nan_to_num(nan=0.0)


@torch.no_grad()
def blocks_of(model: nn.Module, example: Tensor) -> tuple[list[nn.Sequential], nn.Sequential]:
    """The blocks of a stack of layers, each of which begins where images get smaller, and what follows them.

    Args:
        model: layers one after the other, `nn.Sequential` within `nn.Sequential`.
        example: one prepared image, a batch of one.

    Returns:
        The blocks; and pooling over the whole image with the layers that make the answer of it.

    Raises:
        ValueError: a network that is no such stack, or does not begin with images.

    >>> from airdeliver.models import VGG
    >>> blocks, tail = blocks_of(VGG()(3, 10), torch.zeros(1, 3, 32, 32))
    >>> len(blocks), [type(layer).__name__ for layer in tail]
    (4, ['AdaptiveAvgPool2d', 'Flatten', 'Linear'])
    """
    if example.ndim != 4 or not isinstance(model, nn.Sequential):
        raise ValueError(
            f"exits need layers for images one after the other (nn.Sequential), got {type(model).__name__} for inputs "
            f"of shape {tuple(example.shape[1:])}"
        )
    layers, blocks, training = _flat(model), [list[nn.Module]()], model.training
    features, model = example.to(next(model.parameters())), model.eval()
    for place, layer in enumerate(layers):
        before, features = features, layer(features)
        if isinstance(layer, nn.AdaptiveAvgPool2d) or features.ndim != 4:
            model.train(training)
            return [nn.Sequential(*block) for block in blocks], nn.Sequential(*layers[place:])
        if features.shape[-1] < before.shape[-1] and blocks[-1]:
            blocks.append([])
        blocks[-1].append(layer)
    raise ValueError(f"exits need a network that pools its features, {type(model).__name__} does not")


def _flat(model: nn.Sequential) -> list[nn.Module]:
    return [inner for layer in model for inner in (_flat(layer) if type(layer) is nn.Sequential else [layer])]


def with_exits(model: nn.Module, example: Tensor, after: Sequence[int], generator: Generator) -> Exits:
    """A stack of blocks with exits after some of them, pooling and a linear layer each, and its own answer as the last.

    Args:
        model: its layers become those of the result.
        example: one prepared image, a batch of one.
        after: numbers of blocks, rising from 1 and below the number of all blocks.
        generator: of the weights of the exits.

    Raises:
        ValueError: a network without such blocks.
    """
    blocks, tail = blocks_of(model, example)
    if list(after) != sorted(set(after)) or not all(1 <= number < len(blocks) for number in after):
        raise ValueError(f"exits must be after rising blocks from 1 to {len(blocks) - 1}, got {list(after)}")
    ends = [0, *after, len(blocks)]
    stages = [
        nn.Sequential(*(layer for block in blocks[start:end] for layer in block)) for start, end in pairwise(ends)
    ]
    training, device = model.training, next(model.parameters()).device
    with torch.no_grad():
        said, channels = example.to(next(model.parameters())), []
        for stage in stages:
            said = stage.eval()(said)
            channels.append(said.shape[1])
        outputs = tail.eval()(said).shape[-1]
    heads = [_head(width, outputs, generator).to(device) for width in channels[:-1]]
    return Exits(stages, [*heads, tail]).train(training)


def _head(channels: int, outputs: int, generator: Generator) -> nn.Sequential:
    """Pooling over the image and a linear layer, initialised as those of model builders are."""
    linear = nn.Linear(channels, outputs)
    nn.init.kaiming_uniform_(linear.weight, a=5**0.5, generator=generator)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
