"""Trained networks of the published tables, small enough to come with the package, and test images to try them on."""

from airdeliver.zoo.card import Card, Score, card, names
from airdeliver.zoo.file import load, save
from airdeliver.zoo.sample import keep_sample, sample

__all__ = ["Card", "Score", "card", "keep_sample", "load", "names", "sample", "save"]
