"""Methods: how a training goes about it. One a file; they compose, and none knows the others."""

from airdeliver.training.methods.any_rate import AtAnyRate
from airdeliver.training.methods.base import Batch, Method, Run, Wrapped, WrappedRun
from airdeliver.training.methods.distilled import Distillation, Distilled
from airdeliver.training.methods.dynamic import ChosenResolution, EveryResolution
from airdeliver.training.methods.earlier import Earlier
from airdeliver.training.methods.folded import FoldedNorms
from airdeliver.training.methods.in_turn import InTurn
from airdeliver.training.methods.joint import Joint
from airdeliver.training.methods.layered import Layered
from airdeliver.training.methods.masked import KeptZeros, Masked
from airdeliver.training.methods.plain import Continued, Plain
from airdeliver.training.methods.pruned import Pruned
from airdeliver.training.methods.quantised import Quantised
from airdeliver.training.methods.reconfigurable import OneParameterSet
from airdeliver.training.methods.refined import Refined
from airdeliver.training.methods.rigl import RigL
from airdeliver.training.methods.served import Imitating, Served
from airdeliver.training.methods.slimming import Slimming
from airdeliver.training.methods.sparse import Sparse
from airdeliver.training.methods.teaching import Teaching
from airdeliver.training.methods.terms import Boundary, Term
from airdeliver.training.methods.through_link import ThroughLink
from airdeliver.training.methods.updating import Updating

__all__ = [
    "AtAnyRate",
    "Batch",
    "Boundary",
    "ChosenResolution",
    "Continued",
    "Distillation",
    "Distilled",
    "Earlier",
    "EveryResolution",
    "FoldedNorms",
    "Imitating",
    "InTurn",
    "Joint",
    "KeptZeros",
    "Layered",
    "Masked",
    "Method",
    "OneParameterSet",
    "Plain",
    "Pruned",
    "Quantised",
    "Refined",
    "RigL",
    "Run",
    "Served",
    "Slimming",
    "Sparse",
    "Teaching",
    "Term",
    "ThroughLink",
    "Updating",
    "Wrapped",
    "WrappedRun",
]
