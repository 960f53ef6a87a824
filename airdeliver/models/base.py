"""The contract of a model builder: the published architecture of a network."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import is_lazy

NORMS = ("batch", "group")


class ModelBuilder(ABC):
    """Builds one architecture for any number of inputs (channels, features, tokens) and outputs.

    A member of the family is a frozen dataclass, so that equal builders are one: a builder is part of what
    identifies a training. It has one method, `architecture`. Calling the builder gives a network with fresh weights,
    drawn from the given generator alone; what its constructors compute (tables, masks, codes of positions) is
    kept. A builder of one's own whose layers hold other parameters than convolutions, linear layers, embeddings,
    attention and norms overrides `initialise` too.
    """

    @abstractmethod
    def architecture(self, channels: int, classes: int) -> nn.Module:
        """The network, its weights as its layers' constructors leave them."""

    def __call__(self, channels: int, classes: int, generator: Generator | None = None) -> nn.Module:
        """A network with fresh weights, float32, on the generator's device.

        Args:
            channels: of the input images; features of a row, distinct tokens of a text.
            classes: number of outputs (logits), of each pixel for segmentation.
            generator: source of the initial weights; `None` for one of seed 0.

        Raises:
            ValueError: no channels, or fewer than one class; a lazy layer, which has no weights to draw.
        """
        if channels < 1 or classes < 1:
            raise ValueError(f"channels and classes must be at least 1, got {channels} and {classes}")
        generator = generator or Generator().manual_seed(0)
        # Not on the meta device, where a buffer that a constructor computes would be whatever the memory held.
        with _drawing_apart(generator.device), torch.device(generator.device):
            model = self.architecture(channels, classes)
        for name, parameter in model.named_parameters():
            if is_lazy(parameter):
                raise ValueError(
                    f"{type(self).__name__} builds {name} without a shape: give its layer all sizes, as in "
                    f"nn.Linear(64, {classes}), or run the network once on an input in `architecture`"
                )
        self.initialise(model, generator)
        return model

    def initialise(self, model: nn.Module, generator: Generator) -> None:
        """Draw the initial weights: He's normal for convolutions, uniform for linear layers, norms the identity.

        Embeddings are normal of standard deviation 1, attention's projections Glorot's uniform.

        Raises:
            TypeError: a layer with parameters of another kind.

        Source: K. He et al., Delving Deep into Rectifiers, ICCV 2015, equation 10.
        """
        for name, module in model.named_modules():
            if isinstance(module, _ConvNd):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, a=5**0.5, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, _BatchNorm | nn.GroupNorm | nn.LayerNorm | nn.RMSNorm):
                module.reset_parameters()
            elif isinstance(module, nn.Embedding | nn.EmbeddingBag):
                nn.init.normal_(module.weight, generator=generator)
                if module.padding_idx is not None:
                    with torch.no_grad():
                        module.weight[module.padding_idx].zero_()
            elif isinstance(module, nn.MultiheadAttention):
                _initialise_attention(module, generator)
            elif any(True for _ in module.parameters(recurse=False)):
                raise TypeError(
                    f"{name or 'the network'} ({type(module).__name__}) has no initialisation: override initialise"
                )


def _initialise_attention(module: nn.MultiheadAttention, generator: Generator) -> None:
    """Its projections; the last is a linear layer of its own."""
    for name, parameter in module.named_parameters(recurse=False):
        if parameter.ndim == 2:
            nn.init.xavier_uniform_(parameter, generator=generator)
        elif name in ("bias_k", "bias_v"):
            nn.init.xavier_normal_(parameter, generator=generator)
        else:
            nn.init.zeros_(parameter)


@contextmanager
def _drawing_apart(device: torch.device) -> Iterator[None]:
    """Whatever constructors draw, they draw it alike every time, and the global generators stay as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(0)
        if devices:
            torch.cuda.manual_seed(0)
        yield


def convolution(inputs: int, outputs: int, norm: str, stride: int = 1) -> list[nn.Module]:
    """A 3 x 3 convolution without bias and its norm."""
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), normalisation(norm, outputs)]


def normalisation(norm: str, channels: int) -> nn.Module:
    """Batch norm, or group norm with about 8 channels a group (one group if 8 does not divide them).

    Source: Y. Wu and K. He, Group Normalization, ECCV 2018.

    >>> normalisation("group", 16).num_groups
    2
    """
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(channels // 8 if channels % 8 == 0 else 1, channels)


def widened(channels: int, width: float) -> int:
    """A number of channels times the width, rounded to a multiple of 8, at least 8; unchanged for width 1.

    >>> widened(16, 2.0), widened(16, 0.3), widened(20, 1.0)
    (32, 8, 20)
    """
    return channels if width == 1 else max(8, 8 * round(channels * width / 8))


def check(width: float, norm: str) -> None:
    """Refuse a width that is not positive or an unknown norm.

    Raises:
        ValueError: naming what was expected.
    """
    if not 0 < width < float("inf"):
        raise ValueError(f"width must be a positive factor, got {width}")
    if norm not in NORMS:
        raise ValueError(f"norm must be batch or group, got {norm}")
