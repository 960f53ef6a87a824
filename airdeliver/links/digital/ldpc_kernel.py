"""The LDPC decoder's inner loops, compiled for the CPU with numba.

Every loop that matters runs over contiguous int16, so that the compiler turns it into SIMD: 32 checks an instruction
with AVX-512. Numba widens integer arithmetic to 64 bits unless each step is cast back, hence the casts.
"""

from typing import no_type_check

import numpy as np
from numba import int8, int16, njit

_compile = njit(cache=True, nogil=True, error_model="numpy")


@njit(inline="always")
@no_type_check
def _magnitude(value):
    positive = value if value >= 0 else int16(-value)
    return min(positive, int16(127))


@njit(inline="always")
@no_type_check
def _box(a, b):
    difference = int16(a - b)
    difference = difference if difference >= 0 else int16(-difference)
    total = int16(a + b)
    below = max(int16(int16(5) - int16(difference >> 2)), int16(0))
    above = max(int16(int16(5) - int16(total >> 2)), int16(0))
    return int16(int16(min(a, b) - below) + above)


@_compile
@no_type_check
def _read_first(posterior, message, extrinsic, smallest, others, sign):
    for i in range(smallest.shape[0]):
        value = int16(posterior[i] - int16(message[i]))
        extrinsic[i] = value
        smallest[i] = _magnitude(value)
        others[i] = int16(127)
        sign[i] = value


@_compile
@no_type_check
def _read(posterior, message, extrinsic, smallest, others, sign):
    for i in range(smallest.shape[0]):
        value = int16(posterior[i] - int16(message[i]))
        extrinsic[i] = value
        magnitude = _magnitude(value)
        least = smallest[i]
        others[i] = _box(others[i], max(least, magnitude))
        smallest[i] = min(least, magnitude)
        sign[i] = int16(sign[i] ^ value)


@_compile
@no_type_check
def _join(smallest, others, joint):
    for i in range(smallest.shape[0]):
        joint[i] = _box(smallest[i], others[i])


@_compile
@no_type_check
def _write(extrinsic, smallest, others, joint, sign, message, posterior, again):
    for i in range(smallest.shape[0]):
        value = extrinsic[i]
        # Both are read before one is chosen: a load behind a condition would not vectorise.
        to_smallest = others[i]
        to_others = joint[i]
        magnitude = to_smallest if _magnitude(value) == smallest[i] else to_others
        negative = int16(int16(value ^ sign[i]) >> 15)
        update = int16(int16(magnitude ^ negative) - negative)
        message[i] = int8(update)
        total = int16(value + update)
        posterior[i] = total
        again[i] = total


@_compile
@no_type_check
def _load(llr, first, count, scale, largest, lifting, group, posterior):
    """Quantise `count` blocks into interleaved columns, each stored twice; the rest of the group becomes zeros."""
    width = lifting * group
    for column in range(posterior.shape[0]):
        row = posterior[column]
        row[:] = 0
        for g in range(count):
            source = llr[first + g, column * lifting : (column + 1) * lifting]
            for i in range(lifting):
                value = np.rint(source[i] * scale)
                row[i * group + g] = int16(max(min(value, largest), -largest))
        row[width:] = row[:width]


@_compile
@no_type_check
def _check(posterior, starts, columns, shifts, group, parity, failed):
    """Mark which blocks of a group break a check; stops as soon as all of them do."""
    failed[:] = 0
    width = parity.shape[0]
    for row in range(starts.shape[0] - 1):
        parity[:] = 0
        for e in range(starts[row], starts[row + 1]):
            bits = posterior[columns[e], shifts[e] : shifts[e] + width]
            for i in range(width):
                parity[i] = int16(parity[i] ^ bits[i])
        odd = int16(0)
        for i in range(width):
            odd = min(odd, parity[i])
        if odd < 0:
            for i in range(width):
                if parity[i] < 0:
                    failed[i % group] = 1
            if failed.sum() == group:
                return


@_compile
@no_type_check
def _store(posterior, rotation, lifting, group, block, bits):
    """Hard decisions of one block of a group, turned back to where its columns began; whether there is one a bit."""
    undecided = 0
    for column in range(bits.shape[0] // lifting):
        row = posterior[column, rotation[column] :]
        for i in range(lifting):
            value = row[i * group + block]
            bits[column * lifting + i] = value < 0
            undecided += value == 0
    return undecided == 0


@_compile
@no_type_check
def decode_groups(
    llr,
    start,
    stop,
    group,
    scale,
    largest,
    starts,
    columns,
    shifts,
    lifting,
    most,
    early,
    bits,
    decided,
    satisfied,
    used,
):
    """Decode groups `start` to `stop` of interleaved blocks; see `LayeredDecoder` for the algorithm.

    Args:
        llr: float32 `(blocks, columns * lifting)`.
        start: first group.
        stop: behind the last group.
        group: blocks interleaved in one group.
        scale: quantisation steps per unit of LLR.
        largest: channel LLRs are clipped to this many steps.
        starts: first entry of each row, and behind the last.
        columns: column of each entry.
        shifts: int64 `(4, entries)`, times `group`: how far to turn an entry's column from where it was left, in the
            first iteration, in later ones, to check it after an iteration, and to get back to where it began.
        lifting: lifting size.
        most: iterations.
        early: stop when all checks hold.
        bits: uint8 `(blocks, information)`, written.
        decided: bool `(blocks,)`, written: something is known of every information bit.
        satisfied: bool `(blocks,)`, written: all checks hold.
        used: int16 `(blocks,)`, written: iterations until they did.
    """
    width = lifting * group
    last = columns.max() + 1
    rotation = np.zeros(last, np.int64)
    for e in range(columns.shape[0]):
        rotation[columns[e]] = shifts[3, e]
    posterior = np.empty((last, 2 * width), np.int16)
    message = np.empty((columns.shape[0], width), np.int8)
    extrinsic = np.empty((32, width), np.int16)
    state = np.empty((4, width), np.int16)
    smallest, others, joint, sign = state[0], state[1], state[2], state[3]
    failed = np.empty(group, np.int8)
    done = np.empty(group, np.int8)
    for index in range(start, stop):
        first = index * group
        count = min(group, llr.shape[0] - first)
        _load(llr, first, count, scale, largest, lifting, group, posterior)
        message[:] = 0
        done[:] = 0
        done[count:] = 1
        for iteration in range(most):
            turn = shifts[min(iteration, 1)]
            for row in range(starts.shape[0] - 1):
                begin, end = starts[row], starts[row + 1]
                for e in range(begin, end):
                    source = posterior[columns[e], turn[e] : turn[e] + width]
                    if e == begin:
                        _read_first(source, message[e], extrinsic[0], smallest, others, sign)
                    else:
                        _read(source, message[e], extrinsic[e - begin], smallest, others, sign)
                _join(smallest, others, joint)
                for e in range(begin, end):
                    target = posterior[columns[e]]
                    _write(
                        extrinsic[e - begin], smallest, others, joint, sign, message[e], target[:width], target[width:]
                    )
            if early or iteration == most - 1:
                _check(posterior, starts, columns, shifts[2], group, smallest, failed)
                for g in range(count):
                    if done[g] == 0 and (failed[g] == 0 or iteration == most - 1):
                        decided[first + g] = _store(posterior, rotation, lifting, group, g, bits[first + g])
                        satisfied[first + g] = failed[g] == 0
                        used[first + g] = iteration + 1
                        # Whose checks hold while a bit happens to balance is one iteration from being decided.
                        done[g] = decided[first + g] or iteration == most - 1
                if done.sum() == group:
                    break
