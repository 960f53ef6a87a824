"""Arrived weights: for one step, a network bears what its receiver would have of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from airdeliver.payload import Flattened, Payload, layout_of


class Arrival:
    """Replaces a network's weights, for a step, by a function of them, and brings gradients back to them.

    What changes is the payload of normalisation `receiver`: all that travels in that mode and nothing else. Batch-norm
    statistics, which the other modes send too, do not enter a training step.

    Args:
        network: on its device and in its memory format.
    """

    def __init__(self, network: nn.Module) -> None:
        self.layout = layout_of(network, statistics=False)
        self.flattened = Flattened(network, self.layout)
        named = dict(network.named_parameters())
        self.parameters = [named.get(name) for name in self.layout.names]

    def payload(self) -> Payload:
        """What the network bears now."""
        return Payload(self.flattened.read(), self.layout)

    @contextmanager
    def bearing(self, arrive: Callable[[Tensor], Tensor], learned: Sequence[Tensor] = ()) -> Iterator[Tensor]:
        """Within the context the network bears `arrive(values)`; afterwards its own values, bit for bit.

        The gradient at the arrived weights becomes that at the network's own: by the chain rule where `arrive` is
        differentiable, as it is (straight through) where it is not. Terms of a loss may depend on the yielded tensor
        too, the network's own values: their gradient is added.

        Args:
            arrive: what arrives of the values, one vector.
            learned: other leaf tensors that what arrives depends on; their gradients accumulate as a parameter's do.
        """
        own = self.flattened.read()
        leaf = own.clone().requires_grad_()
        with torch.enable_grad():
            arrived = arrive(leaf)
        self.flattened.write(arrived.detach())
        try:
            yield leaf
        finally:
            self.flattened.write(own)
        if arrived.requires_grad:
            self._bring_back(arrived, leaf, learned)
        if leaf.grad is not None:
            for parameter, part in zip(self.parameters, self.layout.split(leaf.grad), strict=True):
                if parameter is not None and parameter.grad is not None:
                    parameter.grad.add_(part.view(parameter.shape))

    def _bring_back(self, arrived: Tensor, leaf: Tensor, learned: Sequence[Tensor]) -> None:
        """Replace each parameter's gradient, which is that at the arrived weights, by the chain rule."""
        pairs = zip(self.parameters, self.layout.sizes, strict=True)
        at_arrived = torch.cat(
            [
                arrived.new_zeros(size) if p is None or p.grad is None else p.grad.reshape(-1).to(arrived.dtype)
                for p, size in pairs
            ]
        )
        wanted = [leaf, *learned]
        gradients = torch.autograd.grad(arrived, wanted, at_arrived, materialize_grads=True, allow_unused=True)
        for parameter, part in zip(self.parameters, self.layout.split(gradients[0]), strict=True):
            if parameter is not None and parameter.grad is not None:
                parameter.grad.copy_(part.view(parameter.shape))
        for tensor, gradient in zip(learned, gradients[1:], strict=True):
            tensor.grad = gradient if tensor.grad is None else tensor.grad + gradient
