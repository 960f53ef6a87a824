"""Sessions: deliveries that follow one another in time, until the receiver is content."""

from airdeliver.session.assured import AssuredChoice, Promise
from airdeliver.session.base import Air, Course, Feedback, Session
from airdeliver.session.converse import converse
from airdeliver.session.harq import HARQ
from airdeliver.session.in_layers import InLayers
from airdeliver.session.repetition import Repetition
from airdeliver.session.timeline import TIMES, Timeline, timeline

__all__ = [
    "HARQ",
    "TIMES",
    "Air",
    "AssuredChoice",
    "Course",
    "Feedback",
    "InLayers",
    "Promise",
    "Repetition",
    "Session",
    "Timeline",
    "converse",
    "timeline",
]
