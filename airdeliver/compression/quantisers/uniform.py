"""Uniform levels over the range that values have: for the few values that cost little and matter much."""

import numpy as np
from jaxtyping import Float32, Int64

from airdeliver.compression.codec.reconstruction import MidTread, bfloat16


def uniform(values: Float32[np.ndarray, "n"], bits: int) -> tuple[Int64[np.ndarray, "n"], MidTread]:
    """Levels -(2^(b-1) - 1) to 2^(b-1) - 1 of a step that reaches the largest value.

    Args:
        values: of one band.
        bits: b of a level.

    >>> uniform(np.array([0.0, -2.0, 3.0], dtype=np.float32), 2)
    (array([ 0, -1,  1]), MidTread(step=3.0))
    """
    most = 2 ** (bits - 1) - 1
    largest = float(np.abs(values).max(initial=0.0))
    step = bfloat16(largest / most) or 1.0
    # In binary64: the same on every platform, and a step that was rounded down does not lift a value over the end.
    numbers = np.rint(values.astype(np.float64) / step).clip(-most, most).astype(np.int64)
    return numbers, MidTread(step)
