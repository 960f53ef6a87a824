"""Impairments: wrappers round any channel, freely stacked. A wrapper a file."""

from channels.impairments.base import Impairment
from channels.impairments.bursty_interference import BurstyInterference
from channels.impairments.erasures import Erasures
from channels.impairments.imperfect_knowledge import ImperfectKnowledge
from channels.impairments.phase_noise import PhaseNoise
from channels.impairments.power_amplifier import PowerAmplifier, papr_db
from channels.impairments.quantiser import Quantiser

__all__ = [
    "BurstyInterference",
    "Erasures",
    "Impairment",
    "ImperfectKnowledge",
    "PhaseNoise",
    "PowerAmplifier",
    "Quantiser",
    "papr_db",
]
