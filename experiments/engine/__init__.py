"""Engines: who does the work, and how much of it at once. Results are the same with every one."""

from experiments.engine.base import Engine, Outcome, run_graph
from experiments.engine.dask import Dask
from experiments.engine.local import Local
from experiments.engine.serial import Serial

__all__ = ["Dask", "Engine", "Local", "Outcome", "Serial", "run_graph"]
