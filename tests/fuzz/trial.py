"""One trial: something is tried, and what leaves it must be a result or one clear line of ours."""

import contextlib
import io
import linecache
import random
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

ROOT = Path(__file__).parents[2]
OURS = tuple(str(ROOT / name) for name in ("airdeliver", "channels", "experiments"))

SECONDS = 20.0
"""Of processor time, that one trial may take."""

LONGEST = 700
"""Letters of a message that a person still reads."""


class Fault(AssertionError):  # noqa: N818 - it is no error of the trial, but what was found
    """What a trial must not do: an exception that nobody documented, a wrong number in silence."""


class Hanging(BaseException):
    """A trial that does not end."""


@dataclass(frozen=True)
class Case:
    """What is tried.

    Args:
        words: what it is, for people.
        run: does it; raises a `Fault` where what comes out is wrong.
        documented: the exceptions that may leave it.
    """

    words: str
    run: Callable[[], Any]
    documented: tuple[type[BaseException], ...]


def fault_of(case: Case) -> str | None:
    """What is wrong with a case, in a few lines; None where nothing is.

    An exception is right if it is of a documented kind, was raised by a `raise` of this project's code (not by a
    library that was handed something odd), and says in one line what is the matter.
    """
    started = time.process_time()
    try:
        with _bounded(), warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")
            case.run()
    except Hanging:
        return f"{case.words}\n  does not end\n{_where()}"
    except Fault as error:
        return f"{case.words}\n  {error}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        wrong = misbehaviour(error, case.documented)
        if wrong is not None:
            return f"{case.words}\n  {wrong}: {type(error).__name__}: {str(error)[:300]}\n    {_trace(error)}"
    spent = time.process_time() - started
    return f"{case.words}\n  took {spent:.0f} s of processor time" if spent > SECONDS else None


def misbehaviour(error: BaseException, documented: tuple[type[BaseException], ...]) -> str | None:
    """What is wrong with an exception; None where nothing is."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = str(error)
    if not isinstance(error, documented):
        return "is not documented"
    if not frame.filename.startswith(OURS) or not _raises(frame):
        return "is not raised by us"
    if "\n" in text.strip() or not 10 <= len(text) <= LONGEST:
        return f"is no clear line ({len(text)} letters)"
    return None


def seeded(kind: str, number: int) -> random.Random:
    """A generator of one trial; torch's global one is set too, from which weights are drawn."""
    chosen = random.Random(f"{kind} {number}")
    torch.manual_seed(chosen.randrange(2**31))
    return chosen


def _raises(frame: traceback.FrameSummary) -> bool:
    """Whether the statement that an exception left says `raise`, or calls what makes exceptions."""
    lines = range(frame.lineno or 0, (frame.end_lineno or frame.lineno or 0) + 1)
    return any(linecache.getline(frame.filename, line).lstrip().startswith("raise") for line in lines)


def _trace(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)


def _where() -> str:
    return "    " + " > ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_stack()[-3:])


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """End what takes too long."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Hanging

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 3 * SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
