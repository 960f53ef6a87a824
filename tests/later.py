"""Modules that take seconds to import: for the tests that use them, not for all who collect tests."""

from importlib import import_module
from typing import Any

import torch


class Later:
    """A module that is imported when something of it is asked for.

    Args:
        name: of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith(("_", "pytest")):  # whoever collects tests asks all for some of these
            raise AttributeError(attribute)
        with torch.random.fork_rng():  # Sionna's import reseeds torch's generators
            return getattr(import_module(self._name), attribute)
