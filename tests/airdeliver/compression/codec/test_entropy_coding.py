"""Level models and the range coder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.compression.codec.entropy_coding import (
    LARGEST_LEVEL,
    SCALES,
    SHAPES,
    ZEROS,
    LevelModel,
    decode,
    encode,
    fit,
)

LEVELS = st.integers(-LARGEST_LEVEL, LARGEST_LEVEL)


def empirical_entropy(levels: np.ndarray) -> float:
    """In bits, of all levels together."""
    counts = np.unique(levels, return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum())


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(st.one_of(LEVELS, st.integers(-3, 3)), max_size=60), st.booleans())
def test_levels_return_whatever_they_are(levels, fitted):
    """Empty, one value, all equal, huge range; with the fitted model as with any other."""
    array = np.array(levels, dtype=np.int64)
    model = fit(array) if fitted else LevelModel(centre=5, shift=2, shape=0, scale=3, zero=100)
    (decoded,) = decode(encode([(model, array)]), [(model, len(array))])
    assert np.array_equal(decoded, array)


@pytest.mark.parametrize("spread", [0.2, 0.8, 3.0, 40.0, 3000.0])
@pytest.mark.parametrize("family", ["laplace", "normal"])
def test_size_is_within_two_percent_of_the_entropy(family, spread):
    """Empirical entropy per value of 100,000 values; the bias of that estimate, alphabet / 2 n nats, is granted."""
    levels = np.rint(getattr(np.random.default_rng(0), family)(0, spread, 100_000)).astype(np.int64)
    bias = len(np.unique(levels)) / 2 / np.log(2)
    size = 8 * len(encode([(fit(levels), levels)]))
    assert size <= 1.02 * empirical_entropy(levels) + bias + 32


def test_cost_is_what_the_coder_takes():
    levels = np.rint(np.random.default_rng(1).laplace(0, 1.3, 50_000)).astype(np.int64)
    model = fit(levels)
    assert 8 * len(encode([(model, levels)])) == pytest.approx(model.cost(levels).sum(), rel=1e-3, abs=40)


def test_tables_are_probabilities_and_the_same_everywhere():
    """Sums are exact for every model; one table is pinned, so that another platform's would be noticed."""
    for shape in range(len(SHAPES)):
        for scale in range(0, SCALES, 19):
            for zero in range(0, ZEROS, 25):
                weights = LevelModel(0, 0, shape, scale, zero).weights()
                assert weights.sum() == 1 << 24
                assert weights.min() >= 1
    assert LevelModel().weights()[124:128].tolist() == [358788, 975287, 2651105, 8387986]
    assert LevelModel(0, 0, 2, 50, 33).weights()[[0, 100, 126, 127]].tolist() == [1, 3, 1576481, 3593834]


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ValueError, match="scale of a level model must be 0 to 95"):
        LevelModel(scale=96)
    with pytest.raises(ValueError, match="centre"):
        LevelModel(centre=LARGEST_LEVEL + 1)
