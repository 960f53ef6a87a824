"""Claims of compact, sparse and quantised networks: which network to send, and in how many bits.

Bars are those that the project set itself, estimated for CIFAR-10. Each network is judged where the link does least
(most budget, highest SNR), and against the incumbent, digital delivery trained for its rates, over all conditions.
"""

from figures.claims.bars import Bars
from figures.claims.chance import NearChance
from figures.claims.claim import Claim
from figures.claims.difference import Cost, Difference
from figures.claims.share import Shares
from figures.claims.spread import Spread

_INCUMBENT = "digital_qat_adaptive"
_SEEDS = ("seeds=[0,1,2]",)


def _chosen(*schemes: str) -> tuple[str, ...]:
    return (f"scheme=[{','.join(schemes)}]", *_SEEDS)


_FOUR_BITS = ("lsq_4", "lsq_plus_4", "dsq_4", "dorefa_4", "qil_4", "apot_4", "per_channel_4", "asymmetric_4")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "rigl",
        "A sparse network that moves its zeros while it is trained is better than one whose zeros stay, and than a "
        "small dense one.",
        "RigL, arXiv 1911.11134, after the authors' code",
        "compact",
        Bars(
            [
                Difference("90 % zeros against a random choice that stays", [("rigl_90", "static_90")], 1.0),
                Difference("90 % zeros against a dense network of as many values", [("rigl_90", "dense_tiny")]),
                Difference("90 % zeros against the incumbent", [("rigl_90", _INCUMBENT)], at="all"),
            ]
        ),
        _chosen(_INCUMBENT, "dense", "rigl_80", "rigl_90", "static_90", "gradual_90", "dense_tiny"),
    ),
    Claim(
        "ghost",
        "Channels made cheaply from others lose less than a narrower network of as many parameters.",
        "GhostNet, arXiv 1911.11907, after the authors' code",
        "compact",
        Bars(
            [
                Difference("against a dense network of as many values", [("ghost", "dense_small")], 0.5),
                Difference("against the incumbent", [("ghost", _INCUMBENT)], at="all"),
            ]
        ),
        _chosen(_INCUMBENT, "dense", "dense_small", "ghost", "ghost_wide"),
    ),
    Claim(
        "takd",
        "Distillation helps, and a teacher assistant between a large teacher and a small student helps more.",
        "Teacher assistants (TAKD), arXiv 1902.03393, after the authors' code",
        "compact",
        Bars(
            [
                Difference("teacher, assistant, student against teacher, student", [("student_takd", "student_kd")]),
                Difference("the same against assistant, student", [("student_takd", "student_assistant")]),
                Difference("a teacher against none", [("student_kd", "student")]),
            ]
        ),
        _chosen("student", "student_kd", "student_assistant", "student_takd"),
    ),
    Claim(
        "mgic",
        "Convolutions as cycles over fewer and fewer channels, whose parameters grow linearly with the width, are as "
        "accurate as full ones of as many parameters.",
        "MGIC (multigrid in channels), arXiv 2011.09128; how its parameters grow is a test",
        "compact",
        Bars(
            [
                Difference("against a dense network of as many values", [("mgic", "dense")], -1.0),
                Difference("against the incumbent", [("mgic", _INCUMBENT)], at="all"),
            ]
        ),
        _chosen(_INCUMBENT, "dense", "mgic"),
    ),
    Claim(
        "cost",
        "Zeros shared out by the Erdős-Rényi kernel save less of the operations than of the values.",
        "cost surveys, arXiv 2208.10498, 2001.03048, 2112.15131, as applied to RigL's kernel",
        "compact",
        Bars(
            [
                Shares(
                    "operations against values",
                    ["rigl_80", "rigl_90", "static_90"],
                    ("effective_macs", "macs"),
                    ("nonzeros", "parameters"),
                )
            ]
        ),
        _chosen("rigl_80", "rigl_90", "static_90"),
    ),
    Claim(
        "planes",
        "One network whose leading bits are networks too is about as good at each precision as one made for it, and "
        "serves receivers of unlike SNR better than one rate for all.",
        "Vertical-layered weights, arXiv 2212.05326; Any-Precision, arXiv 1911.07346",
        "planes",
        Bars(
            [
                Difference(
                    "in multicast against the fixed rate",
                    [("planes", "digital_qat_fixed*")],
                    at="tight",
                    cost=Cost("channel_uses_spent", 1.0, "channel uses"),
                ),
                Difference(
                    "in multicast with four times the budget, which the fixed rate leaves unused",
                    [("planes", "digital_qat_fixed*")],
                ),
                Difference("all planes against a network of 8 bits", [("planes", "eight_bits")], -1.0),
            ]
        ),
        (
            "channel=[multicast]",
            "snr_db=[0,5,10]",
            "channel_uses=[1x,4x]",
            "realizations=8",
            "scheme=[planes,planes_equal,planes_dead_zone,digital_qat_fixed]",
            "scheme.digital_qat_fixed.train_bits=[2.0,1.1]",
            "scheme.digital_qat_fixed.keep=[1.0,1.0]",
        ),
        ("planes_4x",),
    ),
    Claim(
        "quantisers",
        "Learned quantisers are within a narrow band of each other once trained alike; what hardware asks for, powers "
        "of two for a whole layer, costs visibly at 2 bits.",
        "MQBench, after its code",
        "quantisers",
        Bars(
            [
                Spread("eight quantisers at 4 bits", _FOUR_BITS, 1.5),
                Difference("LSQ against powers of two, at 2 bits", [("lsq_2", "power_of_two_2")]),
                Difference(
                    "LSQ at 2 bits against the incumbent",
                    [("lsq_2", _INCUMBENT)],
                    at="all",
                    cost=Cost("container_bits", 1.0, "bits"),
                ),
            ]
        ),
        _chosen(_INCUMBENT, *_FOUR_BITS, "power_of_two_4", "lsq_2", "power_of_two_2"),
    ),
    Claim(
        "tasks",
        "One binary parameter set serves several tasks by permutations of it, hardly worse than one task, and is of no "
        "use without the key.",
        "RBNN (reconfigurable binary networks), arXiv 2105.03822, known by its abstract",
        "tasks",
        Bars(
            [
                Difference("two tasks against one", [("signs_2", "signs_1")], -2.0),
                Difference("seven tasks against one", [("signs_7", "signs_1")], -1.0),
                Difference("two tasks against a network for each in as many bits", [("signs_2", "each_2")]),
                NearChance("with a wrong key", ["overheard_1", "overheard_2", "overheard_4"], 1.0),
            ]
        ),
        (
            "scheme=[signs_1,signs_2,signs_4,each_1,each_2,each_4,further_2,further_4,overheard_1,overheard_2,"
            "overheard_4,analog_1,analog_2,analog_4]",
        ),
        ("tasks",),
        data={"digits": "digits_tasks", "cifar10": "cifar10_tasks"},
    ),
)
"""One a system, in the order of the project's plan."""
