"""Data: image-classification sets with fixed splits, decoded once, and augmentation as tensor operations."""

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.dataset import DataError, Dataset, Split
from airdeliver.data.loading import load_dataset

__all__ = ["Augmentation", "DataError", "Dataset", "Split", "load_dataset"]
