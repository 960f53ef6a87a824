"""Which test files share a worker, and which come first: so that what takes seconds to make is made once."""

from typing import Any

from xdist.scheduler import LoadFileScheduling

TOGETHER = {
    "Sionna": (
        "tests/channels/",
        "tests/airdeliver/links/digital/",
        "tests/airdeliver/session/test_interleaved_rounds.py",
    ),
    "TensorFlow": ("tests/airdeliver/payload/test_keras.py", "tests/airdeliver/test_keras_delivery.py"),
    "a trained spectrum": ("tests/airdeliver/elastic/", "tests/airdeliver/spectrum/"),
    "a finished sweep": tuple(
        f"tests/experiments/test_{name}.py"
        for name in ("comparisons", "conforming", "deliveries", "finished", "machine", "plans", "survival", "sweep")
    ),
}
"""Beginnings of files that share what they import or train."""

FIRST = (
    "tests/airdeliver/compression/test_budget.py",
    "tests/airdeliver/schemes/test_several_tasks.py",
    "tests/airdeliver/schemes/test_spectrum.py",
    "tests/airdeliver/test_curvature.py",
    "tests/airdeliver/test_sensitivity.py",
    "tests/docs/test_own_channel.py",
    "tests/docs/test_spectrum_page.py",
    "tests/experiments/test_fresh_receiver.py",
)
"""Few tests that take long: files go by their number of tests, and one worker would wait for the other's last one."""


class Shared(LoadFileScheduling):
    """Files by their number of tests, each to the next worker that is free; some together, some before all others."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((name for name, beginnings in TOGETHER.items() if file.startswith(beginnings)), file)

    def _assign_work_unit(self, node: Any) -> None:
        for file in FIRST:
            if file in self.workqueue:
                self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)
