"""The whole run, or a part of it: `python -m tests.fuzz [KIND [FIRST [LAST]]]`."""

import resource
import sys
import time

from tests.fuzz.kinds import KINDS, faults

MEMORY = 8 << 30
"""Bytes: what asks for more fails, instead of the machine."""


def main(arguments: list[str]) -> int:
    kinds = arguments[:1] or list(KINDS)
    total = 0
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for kind in kinds:
        numbers = range(*map(int, arguments[1:3])) if arguments[1:] else range(KINDS[kind].trials)
        started, found = time.perf_counter(), 0
        for number, fault in faults(kind, numbers):
            found += 1
            sys.stdout.write(f"{kind} {number}: {fault}\n")
            sys.stdout.flush()
        total += found
        sys.stdout.write(f"{kind}: {len(numbers)} trials, {found} faults, {time.perf_counter() - started:.0f} s\n")
        sys.stdout.flush()
    return 1 if total else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
