"""A spectrum in one file, and a member cut out into a file of its own."""

import copy
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from airdeliver.architecture import Pruned
from airdeliver.cost import multiply_accumulates
from airdeliver.elastic import Elastic, ElasticArchitecture, Member
from airdeliver.plain import from_plain, to_plain
from airdeliver.spectrum.package import SpectrumPackage, choice_of
from airdeliver.spectrum.selection import AccuracyTable

TABLE = "package/table"
SENSITIVITY = "package/sensitivity/"

SMALL = 1024
"""Values below which a tensor is not kept under its own name: a name and a shape would weigh as much as they do."""


def save(package: SpectrumPackage, path: Path | str) -> Path:
    """Write all members into one safetensors file: the shared parameters once, and what tells the members as JSON.

    Large parameters keep their names; small tensors (statistics, scales, biases) are joined, in the order of the
    spectrum's state dict.

    Args:
        package: from `AirNetSpectrum.pack`; inputs of the sender's own are not kept.
        path: replaced if it is there, whole or not at all.
    """
    tensors = {**joined(package.spectrum.state_dict()), TABLE: package.table.accuracy}
    for index, choice in enumerate(package.choices):
        if choice.payload.sensitivity is not None:
            tensors[f"{SENSITIVITY}{index}"] = choice.payload.sensitivity
    about = {
        "architecture": to_plain(package.architecture),
        "description": package.architecture.describe([member.shape for member in package.spectrum.members]).hex(),
        "normalisation": to_plain(package.normalisation),
        "table_snr_db": list(package.table.snr_db),
        "selection": to_plain(package.selection),
        "design_snr_db": package.design_snr_db,
    }
    return _write(tensors, {"spectrum": json.dumps(about, separators=(",", ":"))}, path)


def load(path: Path | str, trusted: Sequence[str] = ()) -> SpectrumPackage:
    """Read a spectrum: what a sender holds; the members' parameters are views of the largest one's.

    Args:
        path: written by `save`.
        trusted: packages, beside this project's, whose model builders, links or channels the file may name.

    Raises:
        ValueError: no such file, no spectrum, or classes of packages that are not trusted.
    """
    tensors, metadata = _read(path, "spectrum")
    about = json.loads(metadata)
    table = AccuracyTable(tuple(about["table_snr_db"]), tensors.pop(TABLE))
    made = {name: from_plain(about[name], trusted) for name in ("architecture", "normalisation", "selection")}
    architecture, normalisation = made["architecture"], made["normalisation"]
    assert isinstance(architecture, ElasticArchitecture)
    spectrum = architecture.receive(bytes.fromhex(about["description"]))
    sensitivity = [tensors.pop(f"{SENSITIVITY}{index}", None) for index in range(len(spectrum.members))]
    spectrum.load_state_dict(parted(tensors, spectrum.state_dict()))
    spectrum.eval()
    choices = tuple(choice_of(member, normalisation, sensitivity[i]) for i, member in enumerate(spectrum.members))
    return SpectrumPackage(
        choices,
        normalisation,
        design_snr_db=about["design_snr_db"],
        table=table,
        selection=made["selection"],
        spectrum=spectrum,
        architecture=architecture,
    )


def cut(spectrum: Elastic, index: int) -> nn.Module:
    """A member as a network of its own, in memory of its own, in evaluation mode.

    Raises:
        ValueError: there is no such member.
    """
    return copy.deepcopy(_member(spectrum, index).model).eval()


def save_member(package: SpectrumPackage, index: int, path: Path | str) -> Path:
    """Write a member into a plain safetensors file: its state dict, and its architecture as JSON.

    Raises:
        ValueError: there is no such member.
    """
    member = _member(package.spectrum, index)
    about = {
        "architecture": to_plain(member.architecture),
        "description": member.description.hex(),
        "snr_db": list(member.snr_db),
    }
    return _write(cut(package.spectrum, index).state_dict(), {"model": json.dumps(about)}, path)


def load_member(path: Path | str, trusted: Sequence[str] = ()) -> nn.Module:
    """Read a network that `save_member` wrote, in evaluation mode; the arguments and errors are those of `load`."""
    tensors, metadata = _read(path, "model")
    about = json.loads(metadata)
    architecture = from_plain(about["architecture"], trusted)
    assert isinstance(architecture, Pruned)
    model = architecture.receive(bytes.fromhex(about["description"]))
    model.load_state_dict(tensors)
    return model.eval()


@dataclass(frozen=True)
class MemberSummary:
    """What there is to say of a member.

    Args:
        index: from 0, the smallest.
        parameters: learned.
        multiply_accumulates: for one image.
        channel_uses: of one delivery, side information included.
        inputs: real channel inputs of every value, at least.
        expansion: how a value becomes that many.
        snr_db: lowest and highest in dB that it is trained at.
        accuracy: delivered, on the validation split, in the middle of that range.
    """

    index: int
    parameters: int
    multiply_accumulates: int
    channel_uses: int
    inputs: int
    expansion: str
    snr_db: tuple[float, float]
    accuracy: float


def summaries(package: SpectrumPackage) -> list[MemberSummary]:
    """A summary of each member, the smallest first."""
    rows = []
    for index, member in enumerate(package.spectrum.members):
        expansion = getattr(member.meant_for.link, "expansion", None)
        middle = torch.tensor([sum(member.snr_db) / 2])
        rows.append(
            MemberSummary(
                index,
                sum(p.numel() for p in member.model.parameters()),
                multiply_accumulates(member.model, package.architecture.unpruned.whole.example()),
                member.symbols(package.normalisation),
                1 if expansion is None else expansion.inputs,
                "none" if expansion is None else type(expansion).__name__,
                member.snr_db,
                float(package.table.at(middle)[index, 0]),
            )
        )
    return rows


def joined(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict whose small tensors are one for each dtype, in the order of the state dict.

    >>> {name: list(t.shape) for name, t in joined({"a": torch.zeros(2), "b": torch.zeros(2, 3)}).items()}
    {'small/float32': [8]}
    """
    small: dict[str, list[Tensor]] = {}
    for tensor in state.values():
        if tensor.numel() < SMALL:
            small.setdefault(_small(tensor), []).append(tensor.flatten())
    large = {name: tensor for name, tensor in state.items() if tensor.numel() >= SMALL}
    return {**large, **{kind: torch.cat(parts) for kind, parts in small.items()}}


def parted(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `joined`.

    Args:
        tensors: from `joined`.
        like: a state dict of the same names, shapes and dtypes.

    Raises:
        ValueError: tensors of other sizes.
    """
    small: dict[str, list[str]] = {}
    for name, tensor in like.items():
        if tensor.numel() < SMALL:
            small.setdefault(_small(tensor), []).append(name)
    state = {name: tensor for name, tensor in tensors.items() if name not in small}
    for kind, names in small.items():
        sizes = [like[name].numel() for name in names]
        if kind not in tensors or tensors[kind].numel() != sum(sizes):
            raise ValueError(f"the file holds another number of small tensors ({kind}) than its spectrum has")
        parts = tensors[kind].split(sizes)
        state |= {name: part.view(like[name].shape) for name, part in zip(names, parts, strict=True)}
    return state


def _small(tensor: Tensor) -> str:
    return f"small/{str(tensor.dtype).removeprefix('torch.')}"


def _member(spectrum: Elastic, index: int) -> Member:
    if not 0 <= index < len(spectrum.members):
        raise ValueError(f"the spectrum has members 0 to {len(spectrum.members) - 1}, not {index}")
    return spectrum.members[index]


def _write(tensors: Mapping[str, Tensor], metadata: dict[str, str], path: Path | str) -> Path:
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, partial, metadata)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _read(path: Path | str, kind: str) -> tuple[dict[str, Tensor], Any]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path}") from error
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is no safetensors file: {error}") from error
    if kind not in metadata:
        raise ValueError(f"{path} holds no {kind}: was it written by airdeliver.spectrum?")
    return tensors, metadata[kind]
