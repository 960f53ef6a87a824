"""The forward passes of an evaluation, close to the machine's limit."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from airdeliver.asked import PieceError
from airdeliver.delivery import Delivery, Group
from airdeliver.models.bottleneck import Device
from airdeliver.models.dynamic import Dynamic
from airdeliver.normalisation import batch_norms, estimate_statistics
from airdeliver.payload import Flattened, is_keras, load
from airdeliver.payload.folding import Folded
from airdeliver.payload.inputs import ForwardError, Inputs, called, count, taken
from airdeliver.payload.memory_format import channels_last
from airdeliver.randomness import stream
from airdeliver.task.answers import answers, finite_rows
from airdeliver.task.base import Score
from airdeliver.task.judged import judged, tallied

BATCH = 128
"""Examples of one forward pass: about what a processor's cache holds of a small network's activations."""

CALIBRATIONS = 4
"""Sets of calibrating inputs that a payload which arrives often is evaluated with: they tell how much these matter."""


@dataclass(frozen=True)
class Scores:
    """What deliveries are worth.

    Args:
        scores: of each delivery on each example; the floor where nothing usable arrived or outputs are not finite; not
            a number for examples that a delivery was not scored on.
        finite: whether every output of a delivery's network is; true of deliveries of which nothing usable arrived.
        tallies: of each usable delivery, in order: see `airdeliver.task.Score.tally`.
        evaluations: of each delivery, the number of the one whose evaluation it has: its own, or an earlier one's that
            brought the same values.
        payloads: equal numbers for deliveries that brought the same values.
        paths: of each usable delivery, in order, the share of the examples that took each path of a dynamic network, by
            its name; empty for other networks.
        floor: the score of a delivery of which nothing usable arrived.
    """

    scores: Float[Tensor, "realizations n"]
    finite: Bool[Tensor, "realizations"]
    tallies: Float[Tensor, "usable counts"]
    evaluations: Int64[Tensor, "realizations"]
    payloads: Int64[Tensor, "realizations"]
    paths: tuple[Mapping[str, float], ...]
    floor: float


@torch.inference_mode()
def scored(
    delivery: Delivery,
    inputs: Inputs,
    targets: Tensor,
    calibration: Int64[Tensor, "realizations rows"],
    score: Score,
    floor: float | None = None,
    precision: Literal["float32", "bfloat16"] = "float32",
    shares: Int64[Tensor, "realizations each"] | None = None,
) -> Scores:
    """The score of every delivered network on every example.

    Batch norm is folded into the convolutions after reception, which is exact. Equal payloads are evaluated once; where
    the receiver calibrates, once for each of `CALIBRATIONS` sets of calibrating inputs.

    Args:
        delivery: what arrived.
        inputs: prepared: a tensor, a tuple or a mapping of tensors. Floating point goes into the network in the
            network's own precision, integers as they are, but bytes as floating point.
        targets: of each.
        calibration: the inputs that each receiver re-estimates batch norm from, if its statistics were not sent.
        score: says how good outputs are.
        floor: the score of a delivery of which nothing usable arrived; None for the least that the score knows, before
            and after it has seen the answers.
        precision: of the forward passes; `float32` stands for the network's own.
        shares: the examples that each delivery is scored on; None for all. A payload that arrives often is scored on
            all where that takes no longer.
    """
    scores = torch.full((delivery.realizations, len(targets)), torch.nan, device=targets.device)
    finite = torch.ones(delivery.realizations, dtype=torch.bool)
    evaluations, payloads = torch.arange(delivery.realizations), torch.arange(delivery.realizations)
    # Without shares nobody asks how often a payload arrives, and each is read once.
    found = _found(delivery) if shares is None else list(_found(delivery))
    arrivals = Counter() if shares is None else Counter(payload for _, _, payload in found)
    known: dict[bytes, list[int]] = {}
    tallies: dict[int, Tensor] = {}
    paths: dict[int, Mapping[str, float]] = {}
    least = score.floor if floor is None else floor
    receivers = _Receivers(delivery, inputs, calibration, precision)
    for group, row, payload in found:
        number, earlier = int(group.realizations[row]), known.setdefault(payload, [])
        alone = shares is not None and arrivals[payload] * shares.shape[1] < len(targets)
        enough = arrivals[payload] if alone else receivers.calibrations(group)
        if len(earlier) < enough or group.serving is not None:
            rows = shares[number] if shares is not None and alone else slice(None)
            receiver = receivers.of(group)
            network = receiver.rebuild(group.decoded.values[row], calibration[number], number)
            batches = receiver.batches(inputs, rows if isinstance(rows, Tensor) else None)
            judged = _judged(network, batches, targets[rows], score)
            scores[number, rows], finite[number], tallies[number], paths[number], worst = judged
            least = min(least, worst) if floor is None else floor
            earlier.append(number)
        else:
            like = earlier[number % enough]
            scores[number], finite[number], tallies[number] = scores[like], finite[like], tallies[like]
            paths[number] = paths[like]
            evaluations[number] = like
        payloads[number] = earlier[0]
    together = torch.stack([tallies[number] for number in sorted(tallies)]) if tallies else torch.zeros(0, 0)
    taken_paths = tuple(paths[number] for number in sorted(paths))
    lost = ~delivery.usable_realizations.to(scores.device)[:, None]
    scored_on = lost if shares is None else torch.zeros_like(scores, dtype=torch.bool).scatter(1, shares, True) & lost
    scores = torch.where(scored_on, least, scores)
    return Scores(scores, finite, together.cpu(), evaluations, payloads, taken_paths, least)


def _found(delivery: Delivery) -> Iterator[tuple[Group, int, bytes]]:
    """Of each delivery that is usable, the group, the row in it, and a digest of all that arrived."""
    for group in delivery.groups:
        told = f"{id(group.architecture)}/{group.statistics}".encode() + group.description
        for row in torch.nonzero(group.decoded.usable).flatten().tolist():
            values = group.decoded.values[row].contiguous().cpu().numpy()
            held = values.data if values.size else b""
            yield group, row, hashlib.blake2b(held, key=hashlib.blake2b(told).digest()).digest()


class _Receivers:
    """The receiver of each group; groups of the same network one after the other share it."""

    def __init__(
        self, delivery: Delivery, inputs: Inputs, calibration: Tensor, precision: Literal["float32", "bfloat16"]
    ) -> None:
        self.inputs = inputs
        self.precision: Literal["float32", "bfloat16"] = precision
        self.sends_statistics, self.seed = delivery.normalisation.sends_statistics, delivery.seed
        self.differ = 0 < calibration.shape[1] < count(inputs)
        self.last: tuple[tuple[int, bytes, int], Any] | None = None

    def of(self, group: Group) -> Any:
        service = None if group.serving is None else group.serving.service
        what = id(group.architecture), group.description, id(service)
        if self.last is None or self.last[0] != what:
            self.last = None  # before the next is built: each holds the inputs in its own layout
            self.last = what, _receiver(group, not self.sends_statistics, self.precision, self.inputs, self.seed)
        return self.last[1]

    def calibrations(self, group: Group) -> int:
        """Networks that the receiver may make of the same values, as far as they are evaluated."""
        return CALIBRATIONS if self.differ and self.of(group).calibrates else 1


def _judged(
    model: Any, batches: list[Inputs], targets: Tensor, score: Score
) -> tuple[Tensor, bool, Tensor, Mapping[str, float], float]:
    """Scores of one network, whether all its outputs are finite, its tallies' sum, shares of its paths, its floor."""
    scores, finite, tally, chosen, start, floor = [], [], [], [], 0, score.floor
    for batch in batches:
        outputs = answers(called(model, batch))
        told = targets[start : start + count(batch)]
        start += count(batch)
        each, floor = judged(score, outputs, told)
        scores.append(each)
        finite.append(finite_rows(outputs).all())
        tally.append(tallied(score, outputs, told))
        if isinstance(model, Dynamic):
            chosen.append(torch.bincount(model.taken, minlength=len(model.paths)))
    paths: Mapping[str, float] = {}
    if isinstance(model, Dynamic):
        shares = torch.stack(chosen).sum(0).double() / start
        paths = dict(zip(model.paths, shares.tolist(), strict=True))
    if len({counts.shape for counts in tally}) > 1:
        raise PieceError(
            f"tally of {type(score).__name__} must be as long whatever the number of examples: it is a sum"
        )
    return torch.cat(scores), bool(torch.stack(finite).all()), torch.stack(tally).sum(0), paths, floor


def _receiver(
    group: Group, calibrates: bool, precision: Literal["float32", "bfloat16"], inputs: Inputs, seed: int
) -> Any:
    model = group.network()
    calibrates = calibrates and bool(batch_norms(model))
    if group.serving is not None:
        return _ServedReceiver(model, group, calibrates, inputs, seed)
    if not is_keras(model):
        return _Receiver(model, group, calibrates, precision, inputs)
    from airdeliver.keras_receiver import KerasReceiver

    return _KerasReceiver(KerasReceiver(model, group.layout), calibrates, inputs)


class _Receiver:
    """One architecture that is filled with one received payload after the other."""

    def __init__(
        self,
        model: nn.Module,
        group: Group,
        calibrates: bool,
        precision: Literal["float32", "bfloat16"],
        inputs: Inputs,
    ) -> None:
        self.calibrates, self.inputs = calibrates, inputs
        self.model = model.to(group.decoded.values.device).eval()
        own = {p.dtype for p in self.model.parameters() if p.is_floating_point() and p.itemsize > 1}
        own_dtype = self.own_dtype = own.pop() if len(own) == 1 else torch.float32
        example = taken(inputs, slice(0, 2))
        self.channels_last = self._bears_channels_last(example, own_dtype)
        self.flattened = Flattened(self.model, group.layout)
        self.folded = Folded(self.model)
        self.folded.verify(self._laid_out(example, own_dtype))
        self.dtype = torch.bfloat16 if precision == "bfloat16" else own_dtype
        self.twin = self.folded.module if self.dtype == own_dtype else Folded(self.model).module.to(self.dtype)
        self.whole: list[Inputs] | None = None

    def rebuild(self, values: Float[Tensor, "n"], calibration: Int64[Tensor, "rows"], number: int) -> nn.Module:
        """The network that these values make, folded, in evaluation mode; calibrated on these rows of the inputs."""
        self.flattened.write(values)
        if self.calibrates:
            estimate_statistics(self.model, self._laid_out(taken(self.inputs, calibration), self.own_dtype))
        self.folded.refresh()
        if self.twin is not self.folded.module:
            self.twin.load_state_dict(self.folded.module.state_dict())
        return self.twin

    def batches(self, inputs: Inputs, rows: Int64[Tensor, "each"] | None = None) -> list[Inputs]:
        """Inputs in batches, laid out for the forward passes; all of them, once, where no rows are given."""
        if rows is not None:
            return [self._laid_out(_taken(inputs, part), self.dtype) for part in rows.split(BATCH)]
        if self.whole is None:
            n = count(inputs)
            parts = (taken(inputs, slice(start, start + BATCH)) for start in range(0, n, BATCH))
            self.whole = [self._laid_out(part, self.dtype) for part in parts]
        return self.whole

    def _laid_out(self, inputs: Inputs, dtype: torch.dtype) -> Inputs:
        """Cast and in the memory format that is fastest and that the network bears."""
        return _each(inputs, lambda tensor: _formatted(_cast(tensor, dtype), self.channels_last))

    @torch.no_grad()
    def _bears_channels_last(self, example: Inputs, dtype: torch.dtype) -> bool:
        """Bring the network into channels-last memory, and back where it does not compute in it (`x.view`)."""
        if not any(tensor.ndim == 4 for tensor in _tensors(example)):
            return False
        convolves = any(p.ndim == 4 for p in self.model.parameters())
        if convolves:
            self.model = channels_last(self.model)
        try:
            called(self.model, _each(example, lambda tensor: _formatted(_cast(tensor, dtype), True)))
        except ForwardError:
            for tensor in (*self.model.parameters(), *self.model.buffers()):
                tensor.data = _contiguous(tensor.data)
            return False
        return True


class _ServedReceiver:
    """A device that holds the first layers, and the server that it asks; each delivery has draws of its own."""

    def __init__(self, model: nn.Module, group: Group, calibrates: bool, inputs: Inputs, seed: int) -> None:
        assert group.serving is not None
        self.calibrates, self.inputs, self.serving, self.seed = calibrates, inputs, group.serving, seed
        assert isinstance(model, Device)
        self.model = model.to(group.decoded.values.device).eval()
        self.layout, self.device = group.layout, group.decoded.values.device

    def rebuild(
        self, values: Float[Tensor, "n"], calibration: Int64[Tensor, "rows"], number: int
    ) -> Callable[[Tensor], Tensor]:
        """What device and server say of a batch, by the delivery's own draws of the channel."""
        load(self.model, self.layout, values).eval()
        if self.calibrates:
            estimate_statistics(self.model, taken(self.inputs, calibration))
        generator = stream(self.seed, "features", number, self.device)
        return lambda batch: self.serving.answer(self.model, batch, generator).outputs

    def batches(self, inputs: Inputs, rows: Int64[Tensor, "each"] | None = None) -> list[Inputs]:
        """Inputs in batches; all of them where no rows are given."""
        order = torch.arange(count(inputs)) if rows is None else rows
        return [taken(inputs, part) for part in order.split(BATCH)]


class _KerasReceiver:
    """A Keras model, which has its own memory format and precision."""

    def __init__(self, receiver: Any, calibrates: bool, inputs: Inputs) -> None:
        self.receiver, self.calibrates, self.inputs = receiver, calibrates, inputs

    def rebuild(self, values: Float[Tensor, "n"], calibration: Int64[Tensor, "rows"], number: int) -> Any:
        """The network that these values make, calibrated on these rows of the inputs."""
        return self.receiver.rebuild(values, taken(self.inputs, calibration) if self.calibrates else None)

    def batches(self, inputs: Inputs, rows: Int64[Tensor, "each"] | None = None) -> list[Inputs]:
        """Inputs in batches; all of them where no rows are given."""
        order = torch.arange(count(inputs)) if rows is None else rows
        return [taken(inputs, part) for part in order.split(BATCH)]


def _taken(inputs: Inputs, rows: Int64[Tensor, "each"]) -> Inputs:
    """Copies of some inputs: pixel by pixel from images in channels-last memory, which is faster."""
    if not isinstance(inputs, Tensor) or inputs.ndim != 4:
        return taken(inputs, rows)
    return inputs.permute(0, 2, 3, 1).index_select(0, rows).permute(0, 3, 1, 2)


def _tensors(inputs: Inputs) -> list[Tensor]:
    if isinstance(inputs, Tensor):
        return [inputs]
    return list(inputs.values() if isinstance(inputs, dict) else inputs)


def _each(inputs: Inputs, change: Any) -> Inputs:
    """Inputs of the same kind, every tensor of them changed; None stays None."""
    if inputs is None or isinstance(inputs, Tensor):
        return None if inputs is None else change(inputs)
    if isinstance(inputs, dict):
        return {name: change(tensor) for name, tensor in inputs.items()}
    return tuple(change(tensor) for tensor in inputs)


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Floating point, and bytes, which no embedding takes; tokens stay integers."""
    return tensor.to(dtype) if tensor.is_floating_point() or tensor.dtype == torch.uint8 else tensor


def _formatted(tensor: Tensor, channels_last: bool) -> Tensor:
    if tensor.ndim != 4:
        return tensor
    return tensor.contiguous(memory_format=torch.channels_last) if channels_last else _contiguous(tensor)


def _contiguous(tensor: Tensor) -> Tensor:
    """A copy with the usual strides: of one channel, `contiguous` keeps those of channels-last memory."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device=tensor.device).copy_(tensor)
