"""The forward passes of an evaluation, close to the machine's limit."""

from typing import Any, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from airdeliver.delivery import Delivery, Group
from airdeliver.normalisation import batch_norms, estimate_statistics
from airdeliver.payload import Flattened, is_keras
from airdeliver.payload.folding import Folded

BATCH = 128
"""Images of one forward pass: about what a processor's cache holds of a small network's activations."""


@torch.inference_mode()
def correctness(
    delivery: Delivery,
    images: Float[Tensor, "n ..."],
    labels: Int64[Tensor, "n"],
    calibration: Float[Tensor, "m ..."],
    chance: float,
    precision: Literal["float32", "bfloat16"] = "float32",
    scored: Int64[Tensor, "realizations each"] | None = None,
) -> Float[Tensor, "realizations n"]:
    """1 where a delivered network is right about an image, 0 where it is wrong, `chance` where nothing usable arrived.

    Batch norm is folded into the convolutions after reception, which is exact; equal payloads are evaluated once.

    Args:
        delivery: what arrived.
        images: prepared inputs.
        labels: class of each.
        calibration: unlabelled inputs to re-estimate batch norm from, if its statistics were not sent.
        chance: the score of a delivery of which nothing usable arrived.
        precision: of the forward passes.
        scored: the images that each delivery is scored on; None for all. The others' scores are not numbers.
    """
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    whole = [_laid_out(batch.to(dtype)) for batch in images.split(BATCH)] if scored is None else []
    scores = torch.full((delivery.realizations, len(images)), chance, device=images.device)
    for group in delivery.groups:
        receiver = _receiver(group, None if delivery.normalisation.sends_statistics else _laid_out(calibration), dtype)
        known: dict[bytes, Tensor] = {}
        for row in torch.nonzero(group.decoded.usable).flatten().tolist():
            values, number = group.decoded.values[row], group.realizations[row]
            if scored is not None:
                batches = [_taken(images, rows).to(dtype) for rows in scored[number].split(BATCH)]
                right = _predicted(receiver.rebuild(values), batches) == labels[scored[number]]
                scores[number, scored[number]] = right.float()
                continue
            received = values.cpu().numpy().tobytes()
            if received not in known:
                known[received] = _predicted(receiver.rebuild(values), whole) == labels
            scores[number] = known[received].float()
    return scores if scored is None else _only(scores, scored)


def _predicted(model: Any, batches: list[Tensor]) -> Int64[Tensor, "n"]:
    return torch.cat([model(batch).argmax(-1) for batch in batches])


def _taken(images: Float[Tensor, "n ..."], rows: Int64[Tensor, "each"]) -> Float[Tensor, "each ..."]:
    """Copies of some images, laid out for the forward passes."""
    if images.ndim != 4:
        return images.index_select(0, rows)
    return images.permute(0, 2, 3, 1).index_select(0, rows).permute(0, 3, 1, 2)


def _only(scores: Float[Tensor, "realizations n"], scored: Int64[Tensor, "realizations each"]) -> Tensor:
    """Not a number where an image was not scored."""
    return torch.full_like(scores, torch.nan).scatter(1, scored, scores.gather(1, scored))


def _receiver(group: Group, calibration: Tensor | None, dtype: torch.dtype) -> Any:
    model = group.builder()
    if not is_keras(model):
        return _Receiver(model, group, calibration, dtype)
    from airdeliver.keras_receiver import KerasReceiver

    return KerasReceiver(model, group.plan.layout, calibration)


class _Receiver:
    """One architecture that is filled with one received payload after the other."""

    def __init__(self, model: nn.Module, group: Group, calibration: Tensor | None, dtype: torch.dtype) -> None:
        self.model = model.to(group.decoded.values.device).eval()
        if any(p.ndim == 4 for p in self.model.parameters()):
            self.model = self.model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.flattened = Flattened(self.model, group.plan.layout)
        self.calibration = calibration if batch_norms(self.model) else None
        self.folded = Folded(self.model)
        self.twin = self.folded.module if dtype == torch.float32 else Folded(self.model).module.to(dtype)

    def rebuild(self, values: Float[Tensor, "n"]) -> nn.Module:
        """The network that these values make, folded, in evaluation mode."""
        self.flattened.write(values)
        if self.calibration is not None:
            estimate_statistics(self.model, self.calibration)
        self.folded.refresh()
        if self.twin is not self.folded.module:
            self.twin.load_state_dict(self.folded.module.state_dict())
        return self.twin


def _laid_out(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images
