"""What a network costs to hold and to run: values, multiply-accumulates, bit operations, memory, energy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy

from airdeliver.cost.counter import Counter
from airdeliver.cost.energy import FLOAT_BITS, Energy
from airdeliver.cost.memory import peak_activation_bytes


@dataclass(frozen=True)
class Layer:
    """One module with weights, of its own or another's.

    Args:
        name: in the network; empty for the network itself.
        weights: values of its weights of two and more dimensions.
        nonzeros: of these, how many are not 0.
        macs: multiply-accumulates of one inference.
        weight_bits: of a weight as it is computed with.
        activation_bits: of its inputs.
        activations: values that go in and come out.
    """

    name: str
    weights: int
    nonzeros: int
    macs: int
    weight_bits: int
    activation_bits: int
    activations: int

    @property
    def density(self) -> float:
        """Share of its weights that are not 0."""
        return self.nonzeros / self.weights if self.weights else 1.0


@dataclass(frozen=True)
class NetworkCost:
    """What one inference of a network takes.

    Args:
        parameters: learned values.
        nonzeros: of these, how many are not 0.
        other_macs: multiply-accumulates that no layer's weights take part in (attention, say).
        layers: with weights of their own.
        activation_bytes: most memory beside the weights, in binary32: see `peak_activation_bytes`.
    """

    parameters: int
    nonzeros: int
    other_macs: int
    layers: tuple[Layer, ...]
    activation_bytes: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.other_macs + sum(layer.macs for layer in self.layers)

    @property
    def effective_macs(self) -> float:
        """Those with a weight that is not 0: each layer's times its density."""
        return self.other_macs + sum(layer.macs * layer.density for layer in self.layers)

    @property
    def bit_operations(self) -> int:
        """Each layer's multiply-accumulates times the bits of a weight times those of an activation."""
        return FLOAT_BITS**2 * self.other_macs + sum(
            layer.macs * layer.weight_bits * layer.activation_bits for layer in self.layers
        )

    def joules(self, energy: Energy | None = None, skip_zeros: bool = False) -> float:
        """Energy of one inference: see `Energy`.

        Args:
            energy: of each operation.
            skip_zeros: whether the hardware neither stores nor multiplies weights that are 0.
        """
        energy = energy or Energy()
        picojoules = self.other_macs * energy.multiply_accumulate(FLOAT_BITS, FLOAT_BITS)
        for layer in self.layers:
            share = layer.density if skip_zeros else 1.0
            each = energy.multiply_accumulate(layer.weight_bits, layer.activation_bits)
            moved = layer.weights * share * layer.weight_bits, float(layer.activations * layer.activation_bits)
            picojoules += layer.macs * share * each + energy.traffic(*moved)
        return picojoules * 1e-12


def network_cost(model: nn.Module, example: Tensor, weight_bits: Mapping[str, int] | None = None) -> NetworkCost:
    """What one inference of a network takes.

    Counted are convolutions, linear layers and matrix products, grouped ones rightly; sums, norms, activations and
    pooling are not, as usual. A layer computes in as many bits as its inputs have: a module that has an integer
    attribute `activation_bits` says so, all others have 32.

    Args:
        model: left in evaluation mode.
        example: one prepared input, a batch of one.
        weight_bits: of the weights, by the name of their tensor; those that are not named have 32.

    Raises:
        ValueError: a lazy layer that has not run yet.

    >>> cost = network_cost(nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2)), torch.zeros(1, 8))
    >>> cost.parameters, cost.macs, cost.bit_operations
    (46, 40, 40960)
    """
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise ValueError(f"{name} has no shape yet: run the lazy model once on an input before it is counted")
    total, macs, moved = _counted(model, example)
    layers = []
    for name, weights in _weighted(model).items():
        bits = [(weight_bits or {}).get(n, FLOAT_BITS) for n in weights]
        layers.append(
            Layer(
                name,
                sum(p.numel() for p in weights.values()),
                sum(int(p.count_nonzero()) for p in weights.values()),
                macs[name],
                max(bits),
                int(getattr(model.get_submodule(name), "activation_bits", FLOAT_BITS)),
                moved.get(name, 0),
            )
        )
    parameters = list(model.parameters())
    values, nonzeros = sum(p.numel() for p in parameters), sum(int(p.count_nonzero()) for p in parameters)
    other = total - sum(layer.macs for layer in layers)
    return NetworkCost(values, nonzeros, other, tuple(layers), peak_activation_bytes(model, example))


def multiply_accumulates(model: nn.Module, example: Tensor) -> int:
    """Multiply-accumulates of convolutions, linear layers and matrix products for one example.

    Args:
        model: left in evaluation mode.
        example: one prepared input, a batch of one.

    >>> multiply_accumulates(nn.Conv2d(3, 8, 3, padding=1), torch.zeros(1, 3, 32, 32)) == 3 * 8 * 9 * 32 * 32
    True
    """
    return _counted(model, example)[0]


def _weighted(model: nn.Module) -> dict[str, dict[str, Tensor]]:
    """Modules with weights, each once, and these by name; one that only lends its own to others is none."""
    own, taken = dict[str, dict[str, Tensor]](), dict[str, dict[str, Tensor]]()
    for name, module in model.named_modules():
        own[name] = {n: p for n, p in module.named_parameters(name, recurse=False) if p.ndim > 1}
        lender = getattr(module, "weight_from", None)
        taken[name] = {lender: model.get_parameter(lender)} if isinstance(lender, str) else {}
    lent = {lender for weights in taken.values() for lender in weights}
    kept = {name: {**taken[name], **{n: p for n, p in own[name].items() if n not in lent}} for name in own}
    return {name: weights for name, weights in kept.items() if weights}


@torch.no_grad()
def _counted(model: nn.Module, example: Tensor) -> tuple[int, dict[str, int], dict[str, int]]:
    """Multiply-accumulates in all and of each layer alone, and the values that go in and out of each."""
    example = example.to(next(model.parameters(), example).device)
    named, moved, root = list(_weighted(model)), dict[str, int](), type(model).__name__
    hooks = [model.get_submodule(name).register_forward_hook(_counting(moved, name)) for name in named]
    fast = torch.backends.mha.get_fastpath_enabled()
    # The fused operations of attention are not counted: without them it is made of matrix products.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with Counter() as counter, sdpa_kernel(SDPBackend.MATH):
            model.eval()(example)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for hook in hooks:
            hook.remove()
    flops = {name: sum(of.values()) for name, of in counter.get_flop_counts().items()}
    whole = {name: flops.get(f"{root}.{name}" if name else root, 0) for name in named}
    own = {name: macs - _inside(name, whole) for name, macs in whole.items()}
    return counter.get_total_flops() // 2, {name: macs // 2 for name, macs in own.items()}, moved


def _inside(name: str, whole: Mapping[str, int]) -> int:
    """What the nearest layers inside a layer count: its own is without them."""
    prefix = f"{name}." if name else ""
    inner = [other for other in whole if other != name and other.startswith(prefix)]
    return sum(whole[o] for o in inner if not any(o.startswith(f"{p}.") for p in inner if p != o))


def _counting(moved: dict[str, int], name: str) -> Callable[..., None]:
    def hook(module: nn.Module, inputs: tuple, output: object) -> None:
        tensors = [t for t in (*inputs, output) if isinstance(t, Tensor)]
        moved[name] = moved.get(name, 0) + sum(t.numel() for t in tensors)

    return hook
