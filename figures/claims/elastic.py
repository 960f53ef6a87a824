"""Claims of elastic networks: one set of parameters, many networks; and of networks that are split or end early.

Bars are those that the project set itself, estimated for CIFAR-10; on other data they are the same numbers. The paper's
claim is about networks, so it is judged where the link does least; `over the link` is beside it where a table has it.
Without a published table of its own on CIFAR-10, no claim is judged there.
"""

from figures.claims.bars import Bars
from figures.claims.claim import Claim
from figures.claims.difference import Cost, Difference

_SEEDS = ("seeds=[0,1,2]", "realizations=8")

_32_PIXELS = {"cifar10": "resolutions_32"}
"""Experiment `resolutions` has those of the digits."""

_MEMBERS = range(4)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "usnets",
        "One set of parameters runs at any width, as accurately as a slimmable network and about as a network trained "
        "for each width.",
        "Universally slimmable networks, arXiv 1903.05134, after the authors' code",
        "elastic",
        Bars(
            [
                Difference(
                    "mean of four widths against networks trained by themselves",
                    [(f"usnets_{i}", f"separate_{i}") for i in _MEMBERS],
                    -2.0,
                ),
                Difference("width 1 against one trained by itself", [("usnets_3", "separate_3")], -1.5),
                Difference("width 0.25 against one trained by itself", [("usnets_0", "separate_0")], -1.0),
                Difference(
                    "widths 0.25 and 1 against a slimmable network",
                    [("usnets_0", "slimmable_0"), ("usnets_3", "slimmable_3")],
                ),
            ]
        ),
        (
            "scheme=["
            + ",".join(f"{name}_{i}" for name in ("usnets", "slimmable", "separate") for i in _MEMBERS)
            + "]",
            *_SEEDS,
        ),
    ),
    Claim(
        "fjord",
        "Ordered dropout gives networks of any width about as accurate as those trained for each; distillation from "
        "the widest helps the narrow ones.",
        "FjORD, arXiv 2102.13451, after the authors' code",
        "ordered",
        Bars(
            [
                Difference(
                    "mean of five widths against networks trained by themselves",
                    [(f"fjord_{i}", f"separate_{i}") for i in range(5)],
                    -3.0,
                ),
                Difference(
                    "widths 0.2 and 0.4, distilled against labels alone",
                    [(f"fjord_{i}", f"labels_{i}") for i in (0, 1)],
                ),
            ]
        ),
        _SEEDS,
    ),
    Claim(
        "mutualnet",
        "Within a bound of operations, choosing width and resolution together is better than choosing the width alone.",
        "MutualNet, arXiv 1909.12978, after the authors' code",
        "resolutions",
        Bars(
            [
                Difference(
                    "width and resolution chosen, against US-Nets of half the width",
                    [("mutualnet", "usnets")],
                    0.5,
                    cost=Cost("macs", 1.02, "operations"),
                ),
                Difference("the same, no worse than", [("mutualnet", "usnets")], -1.0),
            ]
        ),
        ("scheme=[mutualnet,usnets]", *_SEEDS),
        elsewhere=_32_PIXELS,
    ),
    Claim(
        "spnet",
        "Widths of layers that pruning found are better members than a uniform width.",
        "SP-Net (slimmable pruned neural networks), after the authors' code",
        "elastic",
        Bars(
            [
                Difference(
                    "three members against a slimmable network at equal operations",
                    [("spnet_0", "slimmable_0"), ("spnet_1", "slimmable_1"), ("spnet_2", "slimmable_3")],
                    0.5,
                    cost=Cost("macs", 1.02, "operations"),
                ),
                Difference(
                    "two members against a slimmable network at equal values",
                    [("spnet_values_0", "slimmable_0"), ("spnet_values_1", "slimmable_1")],
                    0.0,
                    cost=Cost("parameters", 1.02, "values"),
                ),
            ]
        ),
        (
            "scheme=[spnet_0,spnet_1,spnet_2,spnet_values_0,spnet_values_1,slimmable_0,slimmable_1,slimmable_3]",
            *_SEEDS,
        ),
    ),
    Claim(
        "paradis",
        "One network serves in parts on several devices, whose answers are added, as well as parts trained alone and "
        "better than a narrower network on one device.",
        "ParaDiS (parallelly distributable slimmable networks), known by its abstract",
        "elastic",
        Bars(
            [
                Difference("two halves against the same parts alone", [("paradis_2", "paradis_alone")], -1.0),
                Difference("two halves against US-Nets of half the width", [("paradis_2", "usnets_1")], 2.0),
            ]
        ),
        ("scheme=[paradis_0,paradis_1,paradis_2,paradis_3,paradis_alone,usnets_0,usnets_1,usnets_3]", *_SEEDS),
    ),
    Claim(
        "exits",
        "Exits cost the last answer little, and inputs that leave early save operations at the same accuracy.",
        "BranchyNet, MSDNet, known by their abstracts",
        "elastic",
        Bars(
            [
                Difference("last exit against a network without exits", [("exits_1", "separate_3")], -1.0),
                Difference(
                    "gated against the last exit",
                    [("exits_gated", "exits_1")],
                    -0.5,
                    cost=Cost("macs", 0.85, "operations"),
                ),
                Difference(
                    "gated against the last exit, as received",
                    [("exits_gated", "exits_1")],
                    -0.5,
                    at="all",
                    cost=Cost("macs", 0.85, "operations"),
                ),
            ]
        ),
        ("scheme=[exits_0,exits_1,exits_gated,exits_gated_sent,separate_3]", *_SEEDS),
        elsewhere={"cifar10": "exits_32"},
    ),
    Claim(
        "split",
        "A device needs the first layers alone: features squeezed to a few channels keep the network's accuracy, and "
        "learning to imitate the whole network first helps.",
        "BottleFit, known by its abstract and the authors' code; the bars are its 12 and 3 channels, here 8 and 4",
        "split",
        Bars(
            [
                Difference("8 channels against the whole network", [("split_8", "airnet")], -1.5),
                Difference("4 channels against the whole network", [("split_4", "airnet")], -6.0),
                Difference("two stages against one", [("split_4", "split_one_stage")]),
            ]
        ),
        ("channel=[awgn]", "channel_uses=[1x]"),
    ),
    Claim(
        "drnet",
        "A predictor that chooses the resolution of each image saves operations and hardly any accuracy, and knows "
        "which image needs which.",
        "Dynamic Resolution Network, arXiv 2106.02898, after paper and code",
        "resolutions",
        Bars(
            [
                Difference(
                    "against full resolution",
                    [("drnet", "fixed")],
                    -1.0,
                    cost=Cost("macs", 0.7, "operations"),
                ),
                Difference("against the same shares drawn at random", [("drnet", "drnet_random")], 0.7),
            ]
        ),
        ("scheme=[fixed,drnet,drnet_random]", *_SEEDS),
        elsewhere=_32_PIXELS,
    ),
    Claim(
        "slimseg",
        "A segmenter of several widths is as good as one for each; teaching each width by the next wider and the "
        "boundaries twice helps.",
        "SlimSeg, arXiv 2207.06242, known by its abstract",
        "segmentation",
        Bars(
            [
                Difference(
                    "mean IoU of three widths against segmenters trained by themselves",
                    [(f"slimseg_{i}", f"separate_{i}") for i in range(3)],
                    column="mean_iou",
                ),
                Difference(
                    "mean IoU at width 0.25, with the boundary term against without",
                    [("slimseg_0", "plain_0")],
                    0.5,
                    column="mean_iou",
                ),
                Difference(
                    "mean IoU of three widths, taught by the next wider against by the widest",
                    [(f"slimseg_{i}", f"largest_{i}") for i in range(3)],
                    -0.2,
                    column="mean_iou",
                ),
            ]
        ),
        _SEEDS,
        data={"digits": "digit_scenes"},
    ),
)
"""One a system, in the order of the project's plan."""
