"""Published tables: they say what made them, and they are drawn like a run's own."""

import json
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from figures import publish
from figures.__main__ import main as draw
from figures.gallery import NAMES
from figures.table import ABOUT, SCORE, read

PUBLISHED = sorted(publish.PUBLISHED.glob("*.csv"))
PROVENANCE = {
    "command": "python -m experiments.sweep experiment=snr dataset=cifar10 dataset.path=/here store=/there seeds=[0]",
    "seeds": [0],
    "versions": {"python": "3.11.7", "torch": "2.6.0"},
    "commit": "0123456789abcdef",
    "finished": "2026-01-02T03:04:05Z",
    "machine": {"processor": "a processor", "cores": 2, "threads": 1, "device": "cpu"},
}


def a_run(folder: Path, table: pd.DataFrame) -> Path:
    table.to_parquet(folder / "results.parquet")
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
    return folder


def test_a_published_table_says_what_made_it_and_nothing_of_the_machine_s_folders(tmp_path, results):
    path = publish.write(a_run(tmp_path, results()), tmp_path / "published")
    assert path.name == "digits_snr.csv"
    assert publish.write(tmp_path, tmp_path / "published", "winner").name == "digits_winner.csv"
    lines = path.read_text().splitlines()
    assert lines[0] == "# command: python -m experiments.sweep experiment=snr dataset=cifar10 seeds=[0]"
    assert [line.split(":")[0] for line in lines[1:6]] == ["# seeds", "# versions", "# commit", "# date", "# machine"]
    published = read(path)
    pd.testing.assert_frame_equal(published, results(), rtol=1e-4, check_dtype=False)


def test_single_deliveries_are_published_where_the_figure_draws_them(tmp_path, results, deliveries):
    table = results(experiment="fading")
    deliveries(table).to_parquet(tmp_path / "deliveries.parquet")
    path = publish.write(a_run(tmp_path, table), tmp_path / "published")
    assert "realization" in read(path)


def test_a_table_of_unknown_origin_is_not_published(tmp_path, results):
    (a_run(tmp_path, results()) / "provenance.json").unlink()
    with pytest.raises(SystemExit, match="published with what made it"):
        publish.main([str(tmp_path), "--out", str(tmp_path / "published")])


def laid_out(figure: Figure, path: Path, **_: object) -> None:
    """All is laid out once; that figures are written in both formats is tested in `test_main.py`."""
    if path.suffix == ".png":
        figure.draw_without_rendering()
        path.touch()


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_every_published_table_is_small_says_what_made_it_and_is_drawn(path, tmp_path, monkeypatch):
    assert path.stat().st_size < 320_000
    text = path.read_text(encoding="utf-8")
    for word in ("# command: python -m experiments.sweep ", "# seeds: ", "# versions: ", "# date: "):
        assert word in text
    monkeypatch.setattr(Figure, "savefig", laid_out)
    draw(["--results", str(path), "--out", str(tmp_path)])
    drawn = {file.stem for file in tmp_path.glob("*.png")}
    assert drawn
    assert drawn <= set(NAMES)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_tables_say_what_their_schemes_are(path):
    table = read(path)
    wanted = [*ABOUT, *SCORE] if "realization" not in table else ["title", *SCORE]
    assert set(wanted) <= set(table)
    assert not table["title"].str.contains("_").any()
    assert table.groupby("scheme")["title"].nunique().max() == 1
    assert table["title"].nunique() == table["scheme"].nunique()
