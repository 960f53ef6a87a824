"""Frozen layers: a training that leaves some of its parameters as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from airdeliver import Execution, Problem, Task
from airdeliver.schemes import Clean
from airdeliver.training import Recipe, Trained, Training
from airdeliver.training.methods import Continued, Method, Run, Wrapped, WrappedRun


@dataclass(frozen=True)
class Frozen(Wrapped):
    """Another method, some of whose parameters have after every step the values that they began with.

    Put it outermost: what a method around it does to the weights after a step comes later.

    Args:
        method: how the rest is trained.
        names: of the parameters that keep their values, or the modules that these are of: `0.weight`, or `0` for all
            of the module `0` (and nothing of `01`).

    Raises:
        ValueError: a name that begins no parameter's, once there is a network.
    """

    names: tuple[str, ...] = ()

    def start(self, task: Task, needs: Mapping[Training, Trained], recipe: Recipe, execution: Execution) -> Run:
        """The run of the other method, with a hand on its weights."""
        return FrozenRun(self.method.start(task, needs, recipe, execution), self.names)

    @property
    def words(self) -> str:
        """Those of the method inside, and what stays."""
        return f"{self.method.words}, {', '.join(self.names) or 'nothing'} frozen"


class FrozenRun(WrappedRun):
    """A run that puts some parameters back after every step.

    Args:
        run: inside.
        names: of parameters or modules.
    """

    def __init__(self, run: Run, names: tuple[str, ...]) -> None:
        super().__init__(run)
        parameters = dict(run.network.named_parameters())
        for name in names:
            if not any(_begins(name, parameter) for parameter in parameters):
                raise ValueError(f"{name!r} begins no parameter's name; there are {', '.join(parameters)}")
        # A resumed run begins with the same network, so it keeps the same values: `state_dict` needs nothing of them.
        self.kept = {
            parameter: tensor.detach().clone()
            for parameter, tensor in parameters.items()
            if any(_begins(name, parameter) for name in names)
        }

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Undo what the optimiser and the run inside have done: gradient, weight decay, momentum, masks."""
        super().after_step(step)
        for parameter, tensor in self.network.named_parameters():
            if parameter in self.kept:
                tensor.copy_(self.kept[parameter])


def _begins(name: str, parameter: str) -> bool:
    return f"{parameter}.".startswith(f"{name}.")


@dataclass(frozen=True)
class FirstLayerFrozen(Clean):
    """A cleanly trained network, all of which but its first layer is trained further.

    Args:
        fine_tuning: recipe of that training; None for the problem's.
    """

    fine_tuning: Recipe | None = field(default=None, kw_only=True)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:
        """One; the clean training that it goes on from is found through its `needs`."""
        first, _ = next(problem.build().named_parameters())
        method: Method = Frozen(Continued(Training.clean(problem)), (first.rpartition(".")[0],))
        return (Training.of(problem, method, self.fine_tuning or problem.fine_tuning),)
