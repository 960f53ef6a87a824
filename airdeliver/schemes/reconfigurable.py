"""Several tasks in one binary parameter set: signs are sent once, each task adds a key and a head."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from airdeliver.architecture.keyed import SHARED, Keyed
from airdeliver.architecture.keys import KEY_BYTES, Device
from airdeliver.compression.quantisers import Signs
from airdeliver.links import DigitalLink, Link
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.payload import Payload, values_of
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import FOR_THE_LINK, About, is_limit, side_of
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, sender_inputs
from airdeliver.schemes.several_tasks import check_tasks, for_each, scored, served
from airdeliver.task import Task
from airdeliver.training import Trained, Training
from airdeliver.training.methods.in_turn import InTurn
from airdeliver.training.methods.reconfigurable import OneParameterSet

SIGNS = Signs(but=("real", "networks"))
"""Of the shared weights; norms, heads and real-valued layers have 8 bits."""


@dataclass(frozen=True)
class OneSetOfSigns(Scheme):
    """One binary parameter set that serves several tasks, each by its own order of the weights.

    Over a digital link signs take a bit each, since nothing about them is likelier than anything else; each task adds
    a key of 32 bytes (side information), its norms and its last layer. Over an analog link signs are sent as they are,
    and the receiver computes with what it makes of them, their posterior means if its `receiver` is `mixture`.

    Args:
        tasks: how many, the first of the data set's.
        further: whether the receiver has the shared weights and the other tasks already, and gets the last one alone.
        device: of the receiver.
        overheard: whether another device listens: it has all that is sent and derives other keys.
        link: that it is sent over.
        training: recipe for each task; None for the task's.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: fewer than one task.

    Source: arXiv 2105.03822.
    """

    tasks: int = 2
    further: bool = False
    device: Device = field(default_factory=Device)
    overheard: bool = False
    link: Link = field(default_factory=DigitalLink)
    training: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        check_tasks(self.tasks)

    def about(self) -> About:  # noqa: D102
        many = f"{self.tasks} tasks" if self.tasks > 1 else "1 task"
        sent = "One set of signs" if isinstance(self.link, DigitalLink) else "One set of analog signs"
        title = f"Task {self.tasks} to who has the others" if self.further else f"{sent}, {many}"
        title += ", overheard" if self.overheard else ""
        return About(title, side_of(self.link), FOR_THE_LINK, limit=is_limit(self.link), tasks=self.tasks)

    def serves(self, task: Task) -> Task:
        """The tasks that are delivered."""
        return scored(task, (self.tasks - 1,) if self.further else tuple(range(self.tasks)))

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        method = InTurn(OneParameterSet(problem.model, served(problem, self.tasks), self.device))
        return (Training.of(problem, method, for_each(self.training or problem.training, self.tasks)),)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        link = replace(self.link, quantiser=SIGNS) if isinstance(self.link, DigitalLink) else self.link
        choice = choice_of(trained[training], link, self.normalisation)
        if self.further:
            choice = self._last(choice, trained[training])
        if self.overheard:
            assert isinstance(choice.architecture, Keyed)
            other = replace(self.device, user=self.device.user + 1)
            choice = replace(choice, architecture=replace(choice.architecture, device=other))
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))

    def _last(self, choice: Choice, network: Trained) -> Choice:
        """The last task alone, for a receiver that has the shared weights as they were sent."""
        assert isinstance(network.architecture, Keyed)
        layout = choice.payload.layout
        levels = SIGNS.levels(choice.payload.values, layout, SIGNS.init(choice.payload.values, layout))
        parts = zip(layout.segments, layout.split(levels.values()), strict=True)
        arrived = {segment.name: part.view(segment.shape) for segment, part in parts}
        shared = {name: tensor for name, tensor in arrived.items() if name.partition(".")[0] in SHARED}
        architecture = network.architecture.knowing(shared, (self.tasks - 1,))
        description = network.description[-KEY_BYTES:]
        model = architecture.receive(description)
        place, tensors = len(network.architecture.served.tasks) - 1, network.tensors
        own = {
            name.replace(f"networks.{place}.", "networks.0.", 1): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"networks.{place}.")
        }
        model.load_state_dict(own, strict=False)
        told = architecture.layout(description, self.normalisation.sends_statistics)
        return replace(choice, architecture=architecture, model=model, payload=Payload(values_of(model, told), told))
