"""The OFDM waveform: a grid of resource elements as time samples with cyclic prefixes, and back."""

import math

import torch
from jaxtyping import Complex
from torch import Tensor


def modulate(
    grid: Complex[Tensor, "k ofdm_symbols subcarriers"], prefix: int, oversampling: int = 1
) -> Complex[Tensor, "k samples"]:
    """Time samples of a grid; the power of a sample is on average that of a resource element.

    Args:
        grid: resource elements, all subcarriers in use.
        prefix: samples of the cyclic prefix at the rate of the band.
        oversampling: samples per sample of the band.

    >>> modulate(torch.ones(1, 2, 8, dtype=torch.complex64), prefix=2, oversampling=4).shape
    torch.Size([1, 80])
    """
    if grid.numel() == 0:  # the transform refuses it
        return grid.new_zeros(len(grid), 0)
    # The transform wants the band's upper half first; the rest of the widened spectrum stays empty.
    half = (grid.shape[-1] + 1) // 2
    empty = grid.new_zeros(*grid.shape[:-1], (oversampling - 1) * grid.shape[-1])
    spectrum = torch.cat([grid[..., :half], empty, grid[..., half:]], dim=-1)
    samples = torch.fft.ifft(spectrum, norm="ortho") * math.sqrt(oversampling)
    return torch.cat([samples[..., samples.shape[-1] - oversampling * prefix :], samples], dim=-1).flatten(1)


def demodulate(
    samples: Complex[Tensor, "k samples"], ofdm_symbols: int, subcarriers: int, prefix: int, oversampling: int = 1
) -> Complex[Tensor, "k ofdm_symbols subcarriers"]:
    """The grid of time samples, prefixes dropped and whatever lies outside the band filtered out."""
    if samples.numel() == 0:
        return samples.new_zeros(len(samples), ofdm_symbols, subcarriers)
    bodies = samples.reshape(len(samples), ofdm_symbols, oversampling * (subcarriers + prefix))
    spectrum = torch.fft.fft(bodies[..., oversampling * prefix :], norm="ortho") / math.sqrt(oversampling)
    half = (subcarriers + 1) // 2
    return torch.cat([spectrum[..., :half], spectrum[..., spectrum.shape[-1] - (subcarriers - half) :]], dim=-1)
