"""A torch module seen as one vector: its learned tensors under a layout, read and written in place."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.payload.copying import copied, forget_unregistered
from airdeliver.payload.layout import SMALLEST_VARIANCE, Layout, Segment, logarithm
from airdeliver.payload.learned import STATISTICS, description, is_tracking, join, learned
from airdeliver.payload.published import is_published, mark_of
from airdeliver.payload.unsent import refuse_unsent

__all__ = ["Flattened", "architecture_of", "is_tracking", "layout_of", "load", "refuse_unsent"]


class Flattened:
    """A model's tensors under a layout, found once, so that reading and writing them is cheap at every step.

    The tensors are held by reference: after `model.to(device)` or anything else that replaces them, make a new one.

    Args:
        model: its tensors are read and written in place.
        layout: of this model, from `layout_of`.

    Raises:
        ValueError: model and layout do not match, naming the first tensor that differs.

    >>> model = nn.Linear(2, 1)
    >>> flattened = Flattened(model, layout_of(model))
    >>> flattened.write(torch.tensor([1.0, 2.0, 3.0]))
    >>> model.bias.item(), flattened.read()
    (3.0, tensor([1., 2., 3.]))
    """

    def __init__(self, model: nn.Module, layout: Layout):
        self.layout = layout
        found = {each.name: each for each in learned(model)}
        layout.matched({name: (each, each.statistic) for name, each in found.items()})
        self._learned = [found[name] for name in layout.names]
        self._plain = [i for i, each in enumerate(self._learned) if each.kind == "plain"]
        self.tensors = [self._learned[i].tensor for i in self._plain]
        self._special = [i for i, each in enumerate(self._learned) if each.kind != "plain"]
        self._logarithmic = [i for i, s in enumerate(layout.segments) if s.transform == "log"]

    @torch.no_grad()
    def read(self) -> Float[Tensor, "n"]:
        """All values as a new float32 vector on the model's device.

        Raises:
            ValueError: a model on the meta device, or a variance below 0.
        """
        if not self._learned:
            return torch.zeros(0)
        parts = [each.read() for each in self._learned]
        for i in self._logarithmic:
            parts[i] = logarithm(parts[i].float(), self.layout.names[i], self._learned[i].floor or SMALLEST_VARIANCE)
        if any(part.is_meta for part in parts):
            name = next(each.name for each, part in zip(self._learned, parts, strict=True) if part.is_meta)
            raise ValueError(f"{name} is on the meta device and has no values: load the model before it is sent")
        return torch.cat(parts).float()

    @torch.no_grad()
    def write(self, values: Float[Tensor, "n"]) -> None:
        """Set all values; a tensor keeps its dtype, device and memory format, integers are rounded."""
        parts = self.layout.split(values.detach())
        for i in self._logarithmic:
            parts[i] = parts[i].exp()
        shaped = [parts[i].view(self._learned[i].shape) for i in self._plain]
        if shaped:
            torch._foreach_copy_(self.tensors, shaped)
        for i in self._special:
            self._learned[i].write(parts[i])


def layout_of(model: nn.Module, statistics: bool | None = None) -> Layout:
    """The segments of a torch module: see `airdeliver.payload.payload_of`."""
    segments = []
    for each in learned(model):
        if each.statistic and statistics is False:
            continue
        logarithmic = statistics is not None and each.floor is not None
        segments.append(Segment(each.name, each.shape, "log" if logarithmic else "identity"))
    return Layout(tuple(segments), description(model))


@torch.no_grad()
def load(model: nn.Module, layout: Layout, values: Float[Tensor, "n"]) -> nn.Module:
    """Write received values into a torch module: see `airdeliver.payload.load`."""
    Flattened(model, layout).write(values)
    modules = list(model.named_modules())
    marks = [(prefix, mark) for prefix, module in modules if (mark := mark_of(module)) is not None]
    for prefix, module in modules:
        if is_tracking(module):
            kept = {join(prefix, name) for name in STATISTICS if is_published(join(prefix, name), marks)}
            _reset_unsent(module, prefix, kept.union(layout.names))
    return model


@torch.no_grad()
def architecture_of(model: nn.Module) -> nn.Module:
    """A copy without learned values: see `airdeliver.payload.architecture_of`."""
    refuse_unsent(model)
    for _ in learned(model):  # What cannot travel is refused by name before it is copied.
        pass
    twin = blank(copied(model))
    forget_unregistered(twin)
    return twin


@torch.no_grad()
def blank(model: nn.Module) -> nn.Module:
    """Make every learned value NaN (an integer 0), in place: tensors that share memory go on sharing it."""
    for each in learned(model):
        if each.kind == "integer":
            each.tensor.zero_()
        else:
            each.tensor.fill_(torch.nan)
    return model


def _reset_unsent(batch_norm: _BatchNorm, prefix: str, kept: set[str]) -> None:
    for name, fresh in zip(STATISTICS, (0.0, 1.0), strict=True):
        if join(prefix, name) not in kept:
            getattr(batch_norm, name).fill_(fresh)
    if batch_norm.num_batches_tracked is not None:
        batch_norm.num_batches_tracked.zero_()
