"""The timing says what it should, on work of known length."""

import json
import time

import pytest

from benchmarks.__main__ import main, names
from benchmarks.ratio import Ratio, speed_ratio


def test_ratio_is_how_many_times_as_fast():
    ratio = speed_ratio("sleep", lambda: time.sleep(0.01), lambda: time.sleep(0.03), bar=1.0)
    assert 1.5 < ratio.value < 4
    assert ratio.low <= ratio.value <= ratio.high
    assert ratio.met


def test_bars_bind_on_their_side():
    assert Ratio("speed", 2.0, 2.0, 2.0, 2.0).met
    assert not Ratio("speed", 1.9, 1.9, 1.9, 2.0).met
    assert not Ratio("memory", 3.1, 3.1, 3.1, 3.0, "at most").met
    assert Ratio("no promise", 0.1, 0.1, 0.1).met
    assert "MISSED" in str(Ratio("speed", 1.9, 1.9, 1.9, 2.0))


def test_json_line_holds_everything():
    line = json.loads(Ratio("speed", 2.0, 1.5, 2.5, 1.0, ours_seconds=1.0, baseline_seconds=2.0).to_json())
    assert line["name"] == "speed"
    assert line["met"] is True
    assert (line["low"], line["value"], line["high"]) == (1.5, 2.0, 2.5)


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="at least 5 pairs"):
        speed_ratio("sleep", lambda: None, lambda: None, pairs=3)


def test_a_misspelt_name_gets_its_neighbour():
    assert "channels" in names()
    with pytest.raises(SystemExit, match="did you mean channels"):
        main(["chanels"])


def test_one_that_fails_loses_no_other(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def fails() -> list[Ratio]:
        raise OSError("no such machine")

    monkeypatch.setattr("benchmarks.analog.measure", fails)
    monkeypatch.setattr("benchmarks.load.measure", lambda: [Ratio("load", 4.0, 4.0, 4.0, 3.0)])
    with pytest.raises(SystemExit) as ended:
        main(["analog", "load", "--json"])
    assert ended.value.code == 1
    failed, loaded = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert failed == {"name": "analog", "error": "OSError: no such machine", "met": False}
    assert loaded["met"] is True
