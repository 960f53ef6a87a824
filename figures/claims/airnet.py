"""After AirNet's claims: what its abstracts say, and which of our tables tell whether it holds here.

Source of all: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet: Neural Network Transmission over the Air,
arXiv 2105.11166, abstracts of its versions. No figure, network or number of the paper is claimed or copied.
"""

from figures.claims.bars import Bars
from figures.claims.claim import Claim
from figures.claims.comparison import Comparison
from figures.claims.robustness import Robustness
from figures.claims.steepness import Steepness

SOURCE = "AirNet, arXiv 2105.11166, abstract"

# Without a teacher on either side, and both made for the budget.
_RIVALS = (
    "scheme=[airnet,spectrum_separate,digital_qat_adaptive,digital_qat_fixed]",
    "scheme.airnet.teacher=null",
    "scheme.digital_qat_adaptive.teacher=null",
    "scheme.digital_qat_fixed.teacher=null",
    "channel_uses=[0.5x]",
)

_WORSE = (
    ("error of the estimate, slow fading", "slow_exact", ("slow_error_001", "slow_error_01")),
    ("error of the estimate, selective fading", "selective_exact", ("selective_error_001", "selective_error_01")),
    ("fewer pilots, slow fading", "slow_pilots_2_2", ("slow_pilots_6_4", "slow_pilots_150_12")),
    ("fewer pilots, selective fading", "selective_pilots_2_2", ("selective_pilots_6_4", "selective_pilots_150_12")),
)
"""What gets worse, the channel at its best, and those that are worse."""


def _robust(says: str, before: str, after: tuple[str, ...]) -> Robustness:
    return Robustness(says, "airnet", "digital_qat_adaptive", before, after)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "digital",
        "More accurate than digital delivery at equal bandwidth and power (both for one SNR, or both adapt).",
        SOURCE,
        "snr",
        Comparison([("airnet", "digital_qat_fixed"), ("spectrum_separate", "digital_qat_adaptive")]),
        _RIVALS,
        ("snr_analog_digital", "spectrum"),
    ),
    Claim(
        "graceful",
        "Accuracy degrades gracefully with the quality of the channel.",
        SOURCE,
        "snr",
        Steepness("airnet", "digital_qat_fixed"),
        _RIVALS,
        ("snr_analog_digital",),
    ),
    Claim(
        "estimation",
        "Less need of an accurate estimate of the channel than digital delivery.",
        SOURCE,
        "estimation",
        Bars([_robust(*case) for case in _WORSE]),
    ),
    Claim(
        "noise",
        "Noise injection in training helps.",
        SOURCE,
        "ablation",
        Comparison([("airnet", "airnet_no_noise")]),
    ),
    Claim(
        "distillation",
        "Distillation helps.",
        SOURCE,
        "ablation",
        Comparison([("airnet", "airnet_no_kd")]),
    ),
    Claim(
        "pruning",
        "Pruning below the bandwidth, then expanding, is better than a network that fills it.",
        SOURCE,
        "ablation",
        Comparison([("airnet", "airnet_plain"), ("airnet", "airnet_no_prune")]),
    ),
    Claim(
        "expansion",
        "Non-linear bandwidth expansion (here: a spiral) is better than repetition.",
        SOURCE,
        "expansion",
        Comparison([("airnet_spiral", "airnet_twice")]),
    ),
    Claim(
        "protection",
        "Unequal protection of important layers is better than equal protection.",
        SOURCE,
        "protection",
        Comparison([("airnet", "airnet_equal")]),
    ),
    Claim(
        "spectrum",
        "A spectrum trained together is as good (here: within a point) as a network for each channel condition.",
        SOURCE,
        "spectrum",
        Comparison([("spectrum", "spectrum_separate")], within=1.0),
    ),
)
"""In the order of the paper's abstracts."""
