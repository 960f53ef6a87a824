"""What integer hardware can compute with: profiles of the scales that runtimes support."""

from dataclasses import dataclass

from airdeliver.compression.quantisers.lsq_plus import LSQPlus, Scale


@dataclass(frozen=True)
class Profile:
    """What a runtime asks of the scales of weights.

    Args:
        scale: any (`float`), or powers of two.
        per_channel: whether each output channel has its own.
        symmetric: whether their zero is 0.
        folds: whether batch norm is folded into the weights before they are quantised: see `docs/quantisers.md`.
    """

    scale: Scale
    per_channel: bool
    symmetric: bool
    folds: bool = True


PROFILES = {
    "academic": Profile("float", per_channel=False, symmetric=True, folds=False),
    "tensorrt": Profile("float", per_channel=True, symmetric=True),
    "acl": Profile("float", per_channel=True, symmetric=False),
    "fbgemm": Profile("float", per_channel=True, symmetric=False),
    "tvm": Profile("power_of_two", per_channel=False, symmetric=True),
    "snpe": Profile("float", per_channel=False, symmetric=False),
}
"""By the name of the runtime.

Source: Y. Li et al., MQBench, arXiv 2111.03759, table 1; ModelTC/MQBench.
"""


def hardware(name: str, bits: int = 4, small_bits: int = 8) -> LSQPlus:
    """Learned steps as a runtime can compute with them.

    Args:
        name: one of `PROFILES`.
        bits: of a level of the large bands.
        small_bits: of the small bands, and of the first and last weights.

    Raises:
        ValueError: there is no such profile, or bits out of range.

    >>> hardware("tvm", bits=2).scale
    'power_of_two'
    """
    if name not in PROFILES:
        raise ValueError(f"hardware must be one of {', '.join(PROFILES)}, got {name!r}")
    profile = PROFILES[name]
    return LSQPlus(bits, small_bits, profile.per_channel, profile.symmetric, profile.scale)
