"""Deliveries: a package sent over a channel, and what arrived of it."""

from airdeliver.delivery.arrived import Conditions, Delivery, Group
from airdeliver.delivery.sending import alike_in_plan, deliver, known_of, realized, send

__all__ = ["Conditions", "Delivery", "Group", "alike_in_plan", "deliver", "known_of", "realized", "send"]
