"""Ray tracing with Sionna RT in a process of its own: what its compiler cannot do ends that process, not ours."""

import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Position = tuple[float, float, float]
# -P keeps our modules' names from hiding those that Sionna RT imports.
_COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("trace_paths.py")))
_LLVM = "install LLVM 19 (Debian: apt-get install libllvm19) or point DRJIT_LIBLLVM_PATH to its libLLVM.so"


@dataclass(frozen=True, eq=False)
class Paths:
    """Propagation paths to receiver positions.

    Args:
        powers: power gain of each path, linear; 0 where a position has fewer paths than another.
        delays: in seconds, after the first path of the position.
    """

    powers: Float[Tensor, "positions paths"]
    delays: Float[Tensor, "positions paths"]


@lru_cache(maxsize=16)
def trace(
    scene: Path,
    transmitter: Position,
    positions: tuple[Position, ...],
    carrier_frequency: float,
    max_depth: int,
    rays: int,
) -> Paths:
    """Trace the paths from a transmitter to receiver positions; the same arguments always give the same paths.

    Line of sight, specular reflection and refraction, vertically polarised isotropic antennas.

    Args:
        scene: Sionna RT scene file.
        transmitter: x, y, z in metres.
        positions: of the receivers, likewise.
        carrier_frequency: in Hz.
        max_depth: most interactions of a path with the scene.
        rays: sent out by the transmitter to find the paths.

    Raises:
        ImportError: Sionna RT or LLVM is missing, or LLVM is too old.
        RuntimeError: the scene cannot be traced.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "paths.npz")
        request = {
            "scene": str(scene),
            "transmitter": transmitter,
            "positions": positions,
            "carrier_frequency": carrier_frequency,
            "max_depth": max_depth,
            "rays": rays,
            "result": str(result),
        }
        finished = subprocess.run(_COMMAND, input=json.dumps(request), text=True, capture_output=True, check=False)
        if finished.returncode != 0:
            raise _explained(finished.returncode, finished.stderr)
        with np.load(result) as found:
            return Paths(torch.from_numpy(found["powers"]), torch.from_numpy(found["delays"]))


def scene_file(name: str) -> Path:
    """The file of a scene that comes with Sionna RT, or of one's own.

    Raises:
        ImportError: Sionna RT is not installed.
        ValueError: neither a name nor a file.
    """
    folder = _sionna_rt() / "scenes"
    if (own := Path(name)).is_file():
        return own.resolve()
    if (shipped := folder / name / f"{name}.xml").is_file():
        return shipped
    names = ", ".join(sorted(path.stem for path in folder.glob("*/*.xml")))
    raise ValueError(f"scene must be a scene file or one of {names}, got {name!r}")


def _sionna_rt() -> Path:
    try:
        found = importlib.util.find_spec("sionna.rt")
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise ImportError("ray tracing needs Sionna RT: pip install 'airdeliver[raytraced]'")
    return Path(found.origin).parent


def _explained(status: int, messages: str) -> Exception:
    """What went wrong, in one line; a signal means that LLVM ended the process."""
    if status < 0 or status >= 128:
        return ImportError(f"ray tracing needs a newer LLVM than the one found, which stopped with an error: {_LLVM}")
    last = (messages.strip().splitlines() or ["no message"])[-1]
    if "LLVM" in last:
        return ImportError(f"ray tracing needs LLVM, and its shared library was not found: {_LLVM}")
    return RuntimeError(f"Sionna RT could not trace the scene: {last}")
