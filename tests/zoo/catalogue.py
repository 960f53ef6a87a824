"""The catalogue of strangers' networks: how each is made, what goes in, and which of its buffers are learned."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tests.zoo import convolutional, dense_prediction, others, sequences

Inputs = Tensor | tuple[Tensor, ...]


@dataclass(frozen=True)
class Entry:
    """One architecture.

    Args:
        build: makes it, with whatever its constructors draw.
        inputs: so many examples of what it is given, from a generator.
        learned: beginnings of the last names of buffers that are learned, beside all parameters.
    """

    build: Callable[[], nn.Module]
    inputs: Callable[[int, torch.Generator], Inputs]
    learned: tuple[str, ...] = ("running_mean", "running_var")

    def model(self) -> nn.Module:
        """The network as somebody might have trained it: constructors' values moved, statistics of its own."""
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            model = self.build()
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in model.parameters():
                kick = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
                parameter.add_(0.02 * kick)
            for name, buffer in model.named_buffers():
                if name.endswith("running_var"):
                    buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
                elif name.endswith("running_mean"):
                    buffer.copy_(0.1 * torch.randn(buffer.shape, generator=generator))
        return model.eval()

    def examples(self, n: int) -> Inputs:
        """Inputs, always the same."""
        return self.inputs(n, torch.Generator().manual_seed(2))

    def travelling(self, model: nn.Module) -> dict[str, Tensor]:
        """All that was learned, by name, told without the code under test."""
        found = dict(model.named_parameters())
        for name, buffer in model.named_buffers():
            if name.rpartition(".")[2].startswith(self.learned):
                found[name] = buffer
        return found


def said(model: nn.Module, inputs: Inputs) -> list[Tensor]:
    """Everything that a network answers, one after the other."""
    with torch.no_grad():
        answer = model(*inputs) if isinstance(inputs, tuple) else model(inputs)
    return flat(answer)


def flat(answer: Any) -> list[Tensor]:
    if isinstance(answer, Tensor):
        return [answer]
    return [tensor for part in (answer.values() if isinstance(answer, dict) else answer) for tensor in flat(part)]


def normal(*shape: int) -> Callable[[int, torch.Generator], Tensor]:
    return lambda n, generator: torch.randn(n, *shape, generator=generator)


def words(length: int, kinds: int = 32) -> Callable[[int, torch.Generator], Tensor]:
    return lambda n, generator: torch.randint(1, kinds, (n, length), generator=generator)


def both(*parts: Callable[[int, torch.Generator], Tensor]) -> Callable[[int, torch.Generator], tuple[Tensor, ...]]:
    return lambda n, generator: tuple(part(n, generator) for part in parts)


def graph(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Six nodes each, neighbours at random, rows that sum to 1."""
    linked = (torch.rand(n, 6, 6, generator=generator) < 0.4).float() + torch.eye(6)
    return torch.randn(n, 6, 5, generator=generator), linked / linked.sum(-1, keepdim=True)


def edges(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """`n` nodes and three times as many edges between them."""
    return torch.randn(n, 5, generator=generator), torch.randint(n, (2, 3 * n), generator=generator)


_CODEBOOKS = ("codebook",)
_VECTORS = ("_u", "_v")
images, tokens = normal(3, 16, 16), words(12)

CATALOGUE: dict[str, Entry] = {
    **{name: Entry(build, images) for name, build in convolutional.IMAGES.items()},
    "U-Net": Entry(dense_prediction.UNet, images),
    "Feature pyramid": Entry(dense_prediction.Pyramid, images),
    "DeepLab": Entry(dense_prediction.DeepLab, images),
    "DCGAN": Entry(dense_prediction.DCGAN, normal(8)),
    "VAE": Entry(dense_prediction.VAE, images),
    "Diffusion block": Entry(
        dense_prediction.DiffusionBlock,
        both(normal(3, 8, 8), lambda n, generator: torch.rand(n, generator=generator) * 50),
    ),
    "WaveNet": Entry(dense_prediction.WaveNet, normal(1, 20)),
    "C3D": Entry(dense_prediction.video, normal(3, 4, 8, 8)),
    "ConvLSTM": Entry(dense_prediction.ConvLSTM, normal(4, 1, 8, 8)),
    "Style transfer": Entry(dense_prediction.InstanceStyle, normal(3, 8, 8)),
    "ESPCN": Entry(dense_prediction.super_resolution, normal(3, 8, 8)),
    "ViT": Entry(sequences.ViT, images),
    "Mixer": Entry(sequences.Mixer, images),
    "Swin": Entry(sequences.Swin, images),
    "GPT-2": Entry(sequences.GPT2, tokens),
    "Llama": Entry(sequences.Llama, tokens),
    "BERT": Entry(sequences.BERT, both(tokens, words(12, 2))),
    "Transformer": Entry(sequences.Translator, both(tokens, words(9))),
    "Perceiver": Entry(sequences.Perceiver, normal(3, 6, 6)),
    "Mixture of experts": Entry(sequences.MixtureOfExperts, tokens),
    "Mamba": Entry(sequences.Mamba, tokens),
    "LSTM": Entry(sequences.Recurrent, tokens),
    "GRU, both ways": Entry(lambda: sequences.Recurrent(nn.GRU, True), tokens),
    "GRU cell": Entry(sequences.CellByCell, normal(7, 4)),
    "TextCNN": Entry(sequences.TextCNN, tokens),
    "PointNet": Entry(others.PointNet, normal(3, 20)),
    "Graph convolution": Entry(others.GraphConvolution, graph),
    "Graph attention": Entry(others.GraphAttention, graph),
    "Message passing": Entry(others.MessagePassing, edges),
    "Deep sets": Entry(others.DeepSets, normal(3, 20)),
    "DLRM": Entry(others.Recommender, both(normal(4), words(2, 7))),
    "NeRF": Entry(others.NeRF, normal(3)),
    "SIREN": Entry(others.SIREN, normal(2)),
    "RealNVP": Entry(others.Coupling, normal(6)),
    "Hypernetwork": Entry(others.HyperNetwork, normal(6)),
    "LoRA": Entry(others.LoRA, normal(12)),
    "Complex-valued": Entry(others.ComplexValued, normal(6)),
    "Fourier operator": Entry(others.Fourier, normal(16, 1)),
    "VQ-VAE": Entry(others.Codebook, normal(8), _CODEBOOKS),
    "Weight norm": Entry(others.weight_normed, normal(12)),
    "Weight norm, old hook": Entry(others.old_weight_normed, normal(12)),
    "Spectral norm": Entry(others.spectral_normed, normal(12), _VECTORS),
    "CLIP": Entry(others.TwoTowers, both(images, words(7))),
}
