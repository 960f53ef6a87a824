"""The rate of a payload as a differentiable function of its values: the term that makes a network cheap."""

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec.entropy_coding import REACH, LevelModel
from airdeliver.compression.codec.reconstruction import OnGrid, step_size
from airdeliver.compression.quantisers.allocation import Allocated


def rate(values: Float[Tensor, "n"], quantised: Allocated) -> Float[Tensor, ""]:
    """Bits per value under the models of an earlier quantisation.

    The cost of a level is interpolated linearly between levels, so that its slope is what a step towards the centre
    saves: descent gathers values at the centre and lets a few grow, which leaves less error at the same bits. Steps
    follow the root mean square of their band, as they do when a network is quantised anew: shrinking all values of a
    band saves nothing, and has no gradient.

    Args:
        values: the payload's.
        quantised: steps and models; these of one level after the other.

    Source: penalised entropy, D. Oktay et al., Scalable Model Compression by Entropy Penalized Reparameterization,
    ICLR 2020, equation 5; the interpolated cost in place of a learned density.
    """
    bands = bands_of(quantised.layout)
    ordered = values[torch.from_numpy(bands.order).to(values.device)]
    total = values.new_zeros(())
    indices = (r.index for r in quantised.reconstructions if isinstance(r, OnGrid))
    for part, step, model in zip(ordered.split(bands.sizes), indices, quantised.models, strict=True):
        if not bool(part.detach().any()):
            continue  # biases begin at 0, where they cost nothing and no step is small enough
        assert isinstance(model, LevelModel)
        size = part.square().mean().sqrt()
        relative = size.detach() / (step_size(step) * size)
        fine = 1 << model.shift
        position = ((part * relative - model.centre) / fine + REACH).clamp(0, 2 * REACH)
        below = position.detach().floor().clamp(max=2 * REACH - 1)
        costs = torch.from_numpy(model.bits()).to(values)
        index = below.long()
        total = total + torch.lerp(costs[index], costs[index + 1], position - below).sum()
    return total / max(1, values.numel())
