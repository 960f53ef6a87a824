"""Tasks: what networks are for."""

from airdeliver.task.old import Task

__all__ = ["Task"]
