"""What is refused before any channel is asked: SNRs and counts that are none, and symbols above power 1."""

import math
from numbers import Integral, Real

import torch
from jaxtyping import Complex, Float
from torch import Tensor

MOST_DB = 300.0  # variances of noise and their squares are then within single precision
_STRETCH = 8192  # reals summed at a time
_MOST_SYMBOLS = 2**22  # looked at closely at a time, which bounds the memory


def check_arguments(realizations: int, snr_db: float | int | Tensor) -> None:
    """Refuse what no channel can be drawn at; `Channel` sees to it before `realize` is asked.

    Raises:
        ValueError: a negative count; an SNR that is neither a number nor a tensor of one for each realization, that is
            NaN, minus infinity, or beyond 300 dB to either side, where single precision ends; infinity is none.

    >>> check_arguments(2, float("nan"))
    Traceback (most recent call last):
    ...
    ValueError: snr_db must be a number of dB between -300 and 300 (inf for no noise), got nan
    """
    if not isinstance(realizations, Integral) or realizations < 0:
        raise ValueError(f"realizations must be a whole number of 0 or more, got {realizations!r}")
    if not isinstance(snr_db, Tensor):
        if not isinstance(snr_db, Real) or isinstance(snr_db, bool):
            raise ValueError(f"snr_db must be a number of dB, or a tensor of one a realization, got {snr_db!r}")
        snr_db = torch.tensor(float(snr_db), dtype=torch.float64)
    elif snr_db.is_complex() or snr_db.ndim > 1 or (snr_db.ndim == 1 and len(snr_db) != realizations):
        raise ValueError(
            f"snr_db must be one number of dB or one for each of {realizations} realizations, got a tensor of "
            f"{snr_db.dtype} and shape {tuple(snr_db.shape)}"
        )
    wrong = ~((snr_db.abs() <= MOST_DB) | (snr_db == math.inf))
    if bool(wrong.any()):
        raise ValueError(
            f"snr_db must be a number of dB between -{MOST_DB:g} and {MOST_DB:g} (inf for no noise), got "
            f"{float(snr_db[wrong].flatten()[0]):g}"
        )


def check_power(symbols: Complex[Tensor, "realizations n"]) -> None:
    """Refuse any delivery whose mean power is above 1, beyond what sampling of unit-power symbols explains.

    The bound is 1 + 1e-5 + 5 std(|x|^2) / sqrt(n), for each delivery alone.

    Raises:
        ValueError: naming the power of the worst delivery, or symbols that are not finite.
    """
    if symbols.numel() == 0:
        return
    mean = mean_power(symbols)
    suspects = ~(mean <= 1 + 1e-5)
    if not bool(suspects.any()):
        return
    if not bool(mean.isfinite().all()):
        raise ValueError("symbols must be finite, got NaN or infinite ones: check the values that were encoded")
    n = symbols.shape[-1]
    for rows in suspects.nonzero().flatten().split(max(1, _MOST_SYMBOLS // n)):
        x = symbols.detach()[rows]
        spread = x.real.square().addcmul_(x.imag, x.imag).std(dim=-1, correction=0)
        excess = mean[rows] - (1 + 1e-5 + 5 * spread / math.sqrt(n))
        if bool((excess > 0).any()):
            raise ValueError(
                f"mean power of a delivery must be at most 1, got {float(mean[rows][excess.argmax()]):.4g}: "
                "scale the symbols down before they are sent"
            )


def mean_power(symbols: Complex[Tensor, "realizations n"]) -> Float[Tensor, "realizations"]:
    """Mean of |x|^2 over each row, float64, without gradient; 0 for a row without symbols.

    >>> mean_power(torch.tensor([[3 + 4j, 0j]]))
    tensor([12.5000], dtype=torch.float64)
    """
    rows, n = symbols.shape
    reals = torch.view_as_real(symbols.detach().resolve_conj()).reshape(rows, 2 * n)
    # Norms of short stretches: fast in float32, and their errors do not grow with n.
    whole = 2 * n // _STRETCH * _STRETCH
    stretches = reals[:, :whole].unflatten(-1, (whole // _STRETCH, _STRETCH))
    energy = torch.linalg.vector_norm(stretches, dim=-1).double().square().sum(-1)
    rest = torch.linalg.vector_norm(reals[:, whole:], dim=-1).double().square()
    return (energy + rest) / max(n, 1)
