"""Data: sets of images, rows or texts with fixed splits, decoded once, and augmentation as tensor operations."""

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.dataset import DataError, Dataset, Split
from airdeliver.data.images import Images
from airdeliver.data.inputs import Inputs, Rows, Texts
from airdeliver.data.loading import load_dataset
from airdeliver.data.targets import Classes, Masks, Numbers, Several, Targets

__all__ = [
    "Augmentation",
    "Classes",
    "DataError",
    "Dataset",
    "Images",
    "Inputs",
    "Masks",
    "Numbers",
    "Rows",
    "Several",
    "Split",
    "Targets",
    "Texts",
    "load_dataset",
]
