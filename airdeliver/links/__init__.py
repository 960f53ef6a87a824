"""Links: an encoder and a decoder around a channel."""

from airdeliver.links.analog import AnalogLink
from airdeliver.links.arrivals import Arrivals
from airdeliver.links.base import Decoded, Knowledge, KnowledgeKind, Link
from airdeliver.links.capacity import CapacityLink
from airdeliver.links.digital import DigitalLink, Worth
from airdeliver.links.features import FeatureLink
from airdeliver.links.layered import LayeredLink, LayeredPlan
from airdeliver.links.mixed import MixedLink, MixedPlan
from airdeliver.links.plan import BudgetError, Plan

__all__ = [
    "AnalogLink",
    "Arrivals",
    "BudgetError",
    "CapacityLink",
    "Decoded",
    "DigitalLink",
    "FeatureLink",
    "Knowledge",
    "KnowledgeKind",
    "LayeredLink",
    "LayeredPlan",
    "Link",
    "MixedLink",
    "MixedPlan",
    "Plan",
    "Worth",
]
