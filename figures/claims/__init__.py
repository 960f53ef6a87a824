"""What papers claim, and whether it holds here: a verdict from a table of results, with its interval."""

from figures.claims import airnet, compact, elastic
from figures.claims.bars import Bar, Bars, Measured
from figures.claims.claim import Claim, Judgement, Verdict
from figures.claims.comparison import Comparison
from figures.claims.difference import Cost, Difference
from figures.claims.steepness import Steepness

GROUPS: dict[str, tuple[Claim, ...]] = {
    "AirNet": airnet.CLAIMS,
    "Elastic and split networks": elastic.CLAIMS,
    "Compact and quantised networks": compact.CLAIMS,
}
"""By whom the page of claims lists them."""

CLAIMS: dict[str, Claim] = {claim.name: claim for group in GROUPS.values() for claim in group}
"""By name."""

__all__ = [
    "CLAIMS", "GROUPS", "Bar", "Bars", "Claim", "Comparison", "Cost", "Difference", "Judgement", "Measured",
    "Steepness", "Verdict",
]  # fmt: skip
