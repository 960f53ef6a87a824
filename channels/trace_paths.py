"""Traces paths with Sionna RT; `channels.tracing` runs this file in a process of its own.

Reads what to trace as JSON from standard input and writes powers and delays as `.npz` to the file that it names.
"""

import json
import sys

import numpy as np


def main() -> None:
    """Trace the paths from one transmitter to all positions, single isotropic antennas with vertical polarisation."""
    request = json.load(sys.stdin)
    # Imported here: it is what fails, or ends the process, without a compiler that suits it.
    from sionna import rt

    scene = rt.load_scene(request["scene"])
    scene.frequency = request["carrier_frequency"]
    scene.tx_array = scene.rx_array = rt.PlanarArray(num_rows=1, num_cols=1, pattern="iso", polarization="V")
    scene.add(rt.Transmitter("transmitter", position=request["transmitter"]))
    for index, position in enumerate(request["positions"]):
        scene.add(rt.Receiver(f"receiver-{index}", position=position))
    solver = rt.PathSolver(deterministic=True)
    paths = solver(scene, max_depth=request["max_depth"], samples_per_src=request["rays"], seed=1)
    gains, delays = paths.cir(out_type="numpy")
    powers = np.abs(np.asarray(gains)[:, 0, 0, 0, :, 0]).astype(np.float64) ** 2
    delays = np.asarray(delays, dtype=np.float64).reshape(powers.shape)
    np.savez(request["result"], powers=powers, delays=np.where(powers > 0, delays, 0.0))


if __name__ == "__main__":
    main()
