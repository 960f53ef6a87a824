"""Models: a network a file, each a frozen builder, `builder(inputs, outputs, generator)`."""

from airdeliver.models.base import ModelBuilder
from airdeliver.models.bottleneck import Bottlenecked
from airdeliver.models.cnn import CNN
from airdeliver.models.dynamic import Dynamic
from airdeliver.models.dynamic_resolution import DynamicResolution, ResolutionNetwork
from airdeliver.models.g_ghost import GGhostResNet20
from airdeliver.models.ghost import GhostResNet20, GhostVGG
from airdeliver.models.mgic import MGICVGG
from airdeliver.models.mlp import MLP
from airdeliver.models.quantised import QuantisedActivations
from airdeliver.models.reconfigurable import Reconfigurable
from airdeliver.models.resnet import ResNet20
from airdeliver.models.segmenter import Segmenter
from airdeliver.models.several import Served, SeveralNetworks, SideBySide
from airdeliver.models.transformer import Transformer
from airdeliver.models.vgg import VGG

__all__ = [
    "CNN",
    "MGICVGG",
    "MLP",
    "VGG",
    "Bottlenecked",
    "Dynamic",
    "DynamicResolution",
    "GGhostResNet20",
    "GhostResNet20",
    "GhostVGG",
    "ModelBuilder",
    "QuantisedActivations",
    "Reconfigurable",
    "ResNet20",
    "ResolutionNetwork",
    "Segmenter",
    "Served",
    "SeveralNetworks",
    "SideBySide",
    "Transformer",
]
