"""Shapes are checked while tests run, and only a missing GPU or LLVM may skip a test."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

collect_ignore = ["airdeliver/payload/own_keras.py", "zoo/keras_examination.py", "zoo/keras_networks.py"]
"""They import TensorFlow, which takes seconds, and hold no tests."""

gc.set_threshold(50_000, 10, 10)
"""Few make garbage in circles, and each look at a million objects of torch and pytest takes a third of a second."""

_skips: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Whoever only hands tests to workers imports nothing."""
    if config.getoption("dist", "no") == "no" or hasattr(config, "workerinput"):
        from tests import shapes

        shapes.install(["airdeliver", "channels"])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """See `tests/schedule.py`; other ways to share tests are as xdist has them."""
    from tests.schedule import Shared

    return Shared(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Shapes and types unchecked: what our own errors say of a bad argument, as outside of tests."""
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def pytest_collection_finish() -> None:
    """What is there now stays: nobody need look at it again."""
    gc.freeze()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not any(word in str(report.longrepr) for word in ("GPU", "LLVM")):
        _skips.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skips and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for nodeid in _skips:
        terminalreporter.write_line(f"skipped for another reason than a missing GPU or LLVM: {nodeid}", red=True)
