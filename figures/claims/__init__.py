"""What papers claim, and whether it holds here: a verdict from a table of results, with its interval."""

from figures.claims.airnet import CLAIMS
from figures.claims.claim import Claim, Comparison, Steepness, Verdict

__all__ = ["CLAIMS", "Claim", "Comparison", "Steepness", "Verdict"]
