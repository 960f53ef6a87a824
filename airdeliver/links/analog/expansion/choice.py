"""Which of several expansions suits an SNR."""

import math
from collections.abc import Sequence

from airdeliver.links.analog.expansion.base import Expansion

WORTH_DB = 1.0
"""A later expansion is preferred only if it gains more than this."""


def least_error(expansions: Sequence[Expansion], snr_db: float) -> Expansion:
    """The expansion of least expected error at an SNR; of those within 1 dB, the first.

    Args:
        expansions: of equally many channel inputs, the plainest first.
        snr_db: of the channel inputs.

    Raises:
        ValueError: none to choose from, or some with more channel inputs than others.

    >>> from airdeliver.links.analog.expansion.repetition import Repetition
    >>> from airdeliver.links.analog.expansion.spiral import Spiral
    >>> [type(least_error([Repetition(2), Spiral(snr_db)], snr_db)).__name__ for snr_db in (5.0, 10.0)]
    ['Repetition', 'Spiral']
    """
    if len({expansion.inputs for expansion in expansions}) != 1:
        raise ValueError(f"expansions must have equally many channel inputs, got {list(expansions)}")
    snr = 10 ** (snr_db / 10)
    best = expansions[0]
    for expansion in expansions[1:]:
        if 10 * math.log10(best.error(snr) / expansion.error(snr)) > WORTH_DB:
            best = expansion
    return best
