"""Models: a network a file, each a frozen builder, `builder(channels, classes, generator)`."""

from airdeliver.models.base import ModelBuilder
from airdeliver.models.cnn import CNN
from airdeliver.models.resnet import ResNet20
from airdeliver.models.vgg import VGG

__all__ = ["CNN", "VGG", "ModelBuilder", "ResNet20"]
