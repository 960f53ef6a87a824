"""A trained network as something that can be sent."""

from dataclasses import replace
from functools import partial

from airdeliver.links import Link
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice
from airdeliver.payload import Payload, values_of
from airdeliver.task import Task
from airdeliver.training import Trained, Training
from airdeliver.training.training import restored


def choice_of(task: Task, training: Training, trained: Trained, link: Link, normalisation: Normalisation) -> Choice:
    """What a training made: whole, or pruned and with the description of what was kept.

    Args:
        task: gives images' shape and classes.
        training: that made the network.
        trained: its weights, and its channels if it is pruned.
        link: that it is sent over.
        normalisation: where batch-norm statistics come from.
    """
    model, kept = restored(task, training, trained), trained.kept
    choice = Choice.of(model, link, normalisation)
    if kept is None:
        return choice
    architecture = training.architecture(task)
    layout = architecture.layout(kept.counts, normalisation.sends_statistics)
    payload = Payload(values_of(model, layout), layout)
    return replace(choice, builder=partial(architecture.receive, layout.description), payload=payload)
