"""One parameter set for several tasks, each of which takes its weights in an order of its own."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.func import functional_call

from airdeliver.models.several import Served, SeveralNetworks

Order = Callable[[int, int, int], Int64[Tensor, "n"]]
"""The order of a layer's weights, from the place of a task, the number of the layer and that of its weights."""

MOST = 1.0
"""Magnitude that a weight behind a sign has at most: beyond, it would learn nothing."""


class Reconfigurable(SeveralNetworks):
    r"""Networks of one architecture whose weights are those of one set, permuted within each layer.

    Task t computes with $\alpha_o\,\mathrm{sign}(w_\pi)$ where $\pi$ is its order of the layer, $\alpha_o$ the mean
    magnitude of the permuted weights of filter o, and $\mathrm{sign}(0) = 1$. The first convolution, 1 x 1 convolutions
    and all linear layers but the last are real-valued and permuted; norms, biases and the last layer are each task's
    own. The gradient is straight through where a weight is at most 1.

    Args:
        served: which tasks.
        networks: alike but for their last layers; the first gives the shared weights, all lose theirs.
        order: of each task and layer.

    Attributes:
        latent: whether the shared weights are what signs are taken of, as in training; else they are what arrived,
            signs times a scale or estimates of them.

    Source: arXiv 2105.03822 (several tasks in one binary parameter set); M. Rastegari et al., XNOR-Net,
    arXiv 1603.05279 (scale of a filter, gradient).
    """

    def __init__(self, served: Served, networks: Sequence[nn.Module], order: Order) -> None:
        super().__init__(served, networks)
        self.latent = False
        self.binary, self.real = nn.ParameterDict(), nn.ParameterDict()
        self.layers = tuple(shared_layers(networks[0]))
        for number, (name, binary) in enumerate(self.layers):
            first: Any = networks[0].get_submodule(name)
            weight = first.weight
            (self.binary if binary else self.real)[_plain(name)] = weight
            lender = f"{'binary' if binary else 'real'}.{_plain(name)}"
            for place, network in enumerate(networks):
                layer: Any = network.get_submodule(name)
                layer.register_parameter("weight", None)
                layer.weight_from = lender
                layer.register_buffer("order", order(place, number, weight.numel()), persistent=False)

    def said(self, place: int, image: Tensor) -> Tensor:  # noqa: D102
        drawn = {f"{name}.weight": self._drawn(place, name, binary) for name, binary in self.layers}
        return functional_call(self.networks[place], drawn, (image,))

    def _drawn(self, place: int, name: str, binary: bool) -> Tensor:
        """The weights of a layer as a task has them."""
        weight = (self.binary if binary else self.real)[_plain(name)]
        layer: Any = self.networks[place].get_submodule(name)
        drawn = weight.reshape(-1)[layer.order].view(weight.shape)
        return signs(drawn) if binary and self.latent else drawn

    @torch.no_grad()
    def clip(self) -> None:
        """Keep what signs are taken of within -1 to 1, where it learns."""
        for weight in self.binary.values():
            weight.clamp_(-MOST, MOST)

    @torch.no_grad()
    def harden(self) -> None:
        """Replace what signs are taken of by signs times the mean magnitude of the layer: what is sent.

        Scales of filters are lost, which batch norm behind each of them undoes once its statistics are estimated anew.
        """
        for weight in self.binary.values():
            weight.copy_(torch.where(weight >= 0, 1.0, -1.0) * weight.abs().mean())
        self.latent = False


def shared_layers(network: nn.Module) -> list[tuple[str, bool]]:
    """Names of the layers whose weights tasks share, and whether these are binary.

    All convolutions and linear layers but the last; binary are convolutions of more than one pixel but for the first.

    Args:
        network: of one task.
    """
    kinds = (nn.Conv1d, nn.Conv2d, nn.Linear)
    layers = [(name, module) for name, module in network.named_modules() if isinstance(module, kinds)]
    convolutions = [name for name, module in layers if not isinstance(module, nn.Linear)]
    return [
        (name, not isinstance(module, nn.Linear) and name != convolutions[0] and max(module.kernel_size) > 1)
        for name, module in layers[:-1]
    ]


def signs(weight: Float[Tensor, "filters *rest"]) -> Float[Tensor, "filters *rest"]:
    """Signs times the mean magnitude of each filter, straight through where a weight is at most 1.

    >>> signs(torch.tensor([[0.5, -0.1, 0.0]]))
    tensor([[ 0.2000, -0.2000,  0.2000]])
    """
    scale = weight.abs().flatten(1).mean(1).view(-1, *[1] * (weight.ndim - 1))
    passed = torch.where(weight.abs() <= MOST, weight, weight.detach())
    return scale * (torch.where(weight >= 0, 1.0, -1.0) + passed - passed.detach())


def _plain(name: str) -> str:
    """A name without dots, which a dictionary of parameters does not take."""
    return name.replace(".", "_")
