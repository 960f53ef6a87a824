"""Finished work is there whole or not at all."""

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest
import torch

from experiments.store import Entry, Store, StoredCheckpoint, StoreError, WriteError, write_bytes
from experiments.store.atomic import write_whole
from experiments.store.explain import differences, nearest

KEY = "ab" * 32
TENSORS = {"weight": torch.arange(6.0).view(2, 3), "steps": torch.tensor(3), "half": torch.ones(2).bfloat16()}


def entry(**record: float) -> Entry:
    return Entry("training", KEY, "a network", {"code": {}, "epochs": 3}, record, TENSORS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_round_trip(store: Store):
    store.write(entry(accuracy=0.5))
    found = store.read("training", KEY)
    assert found is not None
    assert (found.label, found.description, found.record) == ("a network", {"code": {}, "epochs": 3}, {"accuracy": 0.5})
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in TENSORS.items())
    assert store.read("cell", KEY) is None


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "removed"])
def test_a_damaged_entry_is_noticed_and_forgotten(store: Store, capsys, suffix: str, damage: str):
    store.write(entry(accuracy=0.5))
    path = store.path("training", KEY).with_suffix(suffix)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    harmed = {"cut": content[:-7], "flipped": content, "emptied": b""}
    path.unlink() if damage == "removed" else path.write_bytes(harmed[damage])
    assert store.read("training", KEY) is None
    assert not store.has("training", KEY)
    said = capsys.readouterr().out
    if (suffix, damage) != (".json", "removed"):
        assert said.count("\n") == 1
        assert "is damaged" in said


def test_every_flipped_byte_is_noticed(store: Store):
    """Any single byte of either file, every seventh tried."""
    store.write(entry(accuracy=0.5))
    for suffix in (".json", ".safetensors"):
        path = store.path("training", KEY).with_suffix(suffix)
        content = path.read_bytes()
        for position in range(0, len(content), 7):
            path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
            assert store.read("training", KEY) is None, (suffix, position)
            store.write(entry(accuracy=0.5))


def test_checkpoint_keeps_the_last_epoch(store: Store):
    checkpoint = StoredCheckpoint(store, KEY, epochs=9)
    assert checkpoint.load() is None
    checkpoint.save(TENSORS, {"epochs": [2.0], "train_seconds": 1.0})
    checkpoint.save(TENSORS, {"epochs": [2.0, 1.0], "train_seconds": 2.0})
    tensors, record = StoredCheckpoint(store, KEY).load() or ({}, {})
    assert record == {"epochs": [2.0, 1.0], "train_seconds": 2.0}
    assert torch.equal(tensors["weight"], TENSORS["weight"])
    content = bytearray(checkpoint.path.read_bytes())
    content[-1] ^= 1
    checkpoint.path.write_bytes(content)
    assert checkpoint.load() is None
    checkpoint.remove()
    checkpoint.remove()


def test_half_a_write_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "results"
    write_bytes(path, b"good")

    def full(temporary: Path) -> None:
        temporary.write_bytes(b"ba")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(WriteError, match="No space left on device"):
        write_whole(path, full)
    assert path.read_bytes() == b"good"
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_a_store_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="store=FOLDER"):
        Store(tmp_path / "file" / "store")


def hold(folder: Path, seconds: float, ready: "multiprocessing.synchronize.Event") -> None:
    with Store(folder).lock(KEY):
        ready.set()
        time.sleep(seconds)


def test_a_second_process_waits_and_a_killed_one_holds_nothing(store: Store):
    context = multiprocessing.get_context("fork")
    for seconds, kill in ((0.4, False), (60.0, True)):
        ready = context.Event()
        process = context.Process(target=hold, args=(store.folder, seconds, ready))
        process.start()
        ready.wait(30)
        started = time.monotonic()
        if kill:
            process.kill()
        with store.lock(KEY):
            waited = time.monotonic() - started
        process.join()
        assert waited < 20
        assert kill or waited > 0.2
    assert not list((store.folder / "locks").iterdir())


def count_up(folder: Path, times: int) -> None:
    store, file = Store(folder), folder / "count"
    for _ in range(times):
        with store.lock(KEY):
            file.write_text(str(int(file.read_text()) + 1))


def test_a_lock_is_held_by_one_although_its_file_comes_and_goes(store: Store):
    """Three processes that each add 1, 40 times, while every release removes the file, come to 120."""
    (store.folder / "count").write_text("0")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=count_up, args=(store.folder, 40)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (store.folder / "count").read_text() == "120"


def test_a_lock_that_cannot_be_made_is_refused(store: Store):
    (store.folder / "locks" / KEY).mkdir()
    with pytest.raises(StoreError, match=r"cannot lock .* choose another store with store=FOLDER"), store.lock(KEY):
        pass


def test_journal_leaves_out_a_line_cut_short(store: Store):
    store.journal.write("started", stage="cell", key=KEY)
    with store.journal.path.open("ab") as file:
        file.write(b'{"event": "fini')
    assert [event["event"] for event in store.journal.read()] == ["started"]


def test_explains_what_differs_from_the_nearest(store: Store):
    store.write(entry())
    assert nearest(store, "training", {"code": {"a": "1"}, "epochs": 5}) == (
        KEY, ["code of a is now imported", "epochs: 3 -> 5"],
    )  # fmt: skip
    assert nearest(store, "cell", {}) is None
    assert list(differences([1, 2], [1])) == [": [1, 2] -> [1]"]
