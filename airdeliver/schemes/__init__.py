"""Schemes: whole recipes of how to train, prune, protect and send."""

from airdeliver.schemes.a_set_for_each import ASetForEach
from airdeliver.schemes.about import About
from airdeliver.schemes.airnet import AirNet
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.best import Best
from airdeliver.schemes.clean import Clean
from airdeliver.schemes.compact import Compact
from airdeliver.schemes.digital import Digital
from airdeliver.schemes.drnet import DRNet
from airdeliver.schemes.elastic import ElasticNetwork
from airdeliver.schemes.gated_exits import GatedExits
from airdeliver.schemes.in_session import InSession
from airdeliver.schemes.layered import Layered
from airdeliver.schemes.made_elsewhere import packed
from airdeliver.schemes.mixed import Mixed
from airdeliver.schemes.mutualnet import MutualNet
from airdeliver.schemes.noise import Noise
from airdeliver.schemes.of_model import OfModel
from airdeliver.schemes.paradis import ParaDiS
from airdeliver.schemes.planes import Planes
from airdeliver.schemes.quantised import OneQuantiser
from airdeliver.schemes.reconfigurable import OneSetOfSigns
from airdeliver.schemes.spectrum import AirNetSpectrum, SeparateNetworks
from airdeliver.schemes.split import Split
from airdeliver.schemes.spnet import SPNet
from airdeliver.schemes.updated import UpdateChoice, Updated

__all__ = [
    "ASetForEach",
    "About",
    "AirNet",
    "AirNetSpectrum",
    "Best",
    "Clean",
    "Compact",
    "DRNet",
    "Digital",
    "ElasticNetwork",
    "GatedExits",
    "InSession",
    "Layered",
    "Mixed",
    "MutualNet",
    "Noise",
    "OfModel",
    "OneQuantiser",
    "OneSetOfSigns",
    "ParaDiS",
    "Planes",
    "SPNet",
    "Scheme",
    "SeparateNetworks",
    "Split",
    "UpdateChoice",
    "Updated",
    "packed",
]
