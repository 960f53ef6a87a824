"""Cost: what a network takes to hold, to run and to send."""

from airdeliver.cost.break_even import Price, break_even
from airdeliver.cost.carrier import Carrier
from airdeliver.cost.energy import Energy
from airdeliver.cost.latency import latency
from airdeliver.cost.memory import peak_activation_bytes
from airdeliver.cost.network import Layer, NetworkCost, multiply_accumulates, network_cost

__all__ = [
    "Carrier",
    "Energy",
    "Layer",
    "NetworkCost",
    "Price",
    "break_even",
    "latency",
    "multiply_accumulates",
    "network_cost",
    "peak_activation_bytes",
]
