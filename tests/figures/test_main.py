"""The command `python -m figures`."""

import pandas as pd
import pytest
from PIL import Image

from figures import snr
from figures.__main__ import main
from figures.view import View


@pytest.fixture
def run(tmp_path, results, deliveries, monkeypatch):
    """A run folder, in the folder in which we are."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "demo"
    folder.mkdir(parents=True)
    table = results(experiment="demo")
    table.to_parquet(folder / "results.parquet")
    deliveries(table).to_parquet(folder / "deliveries.parquet")
    return folder


def refused(*arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--out", "out"])
    assert isinstance(ended.value.code, str)
    assert "\n" not in ended.value.code
    return ended.value.code


def test_a_figure_is_a_pdf_a_png_and_its_data(run, tmp_path, capsys):
    main(["snr", "--results", "runs/demo/results.parquet", "--out", "out"])
    assert capsys.readouterr().out.split() == ["out/snr.pdf", "out/snr.png", "out/snr.csv"]
    assert (tmp_path / "out/snr.pdf").read_bytes().startswith(b"%PDF")
    with Image.open(tmp_path / "out/snr.png") as image:
        assert image.width == 3.5 * 300
    assert len(pd.read_csv(tmp_path / "out/snr.csv")) == len(pd.read_parquet(run / "results.parquet"))


def test_pictures_are_the_same_twice(run, tmp_path):
    for out in ("one", "two"):
        main(["snr", "--out", out])
    for name in ("snr.pdf", "snr.png", "snr.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_without_names_the_experiment_of_the_table_decides(run, tmp_path, results):
    results(channel_uses=(4_000, 8_000), snr_db=(5.0,), experiment="bandwidth").to_csv(tmp_path / "mine.csv")
    main(["--results", "mine.csv", "--out", "out"])
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {"bandwidth", "winner", "latency"}


def test_without_anything_all_that_has_been_run_is_drawn(run, tmp_path):
    main(["--out", "out", "--style", "slides"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["snr.csv", "snr.pdf", "snr.png"]


def test_fading_is_drawn_from_the_deliveries_beside_the_results(run, tmp_path):
    main(["fading", "--results", "runs/demo/results.parquet", "--out", "out"])
    assert "outage" in pd.read_csv(tmp_path / "out/fading.csv")


def test_one_line_for_what_cannot_be_drawn(run, tmp_path, results):
    assert "did you mean bandwidth?" in refused("bandwith", "--results", "runs/demo/results.parquet")
    assert "there is no table" in refused("channels")
    assert "there is no table" in refused("snr", "--results", "nowhere.parquet")
    assert "carriers of" in refused("latency", "--bandwidth-mhz", "7")
    results().drop(columns="accuracy_low").to_csv("lacking.csv")
    assert "needs the columns accuracy_low" in refused("snr", "--results", "lacking.csv")
    results().head(0).to_parquet("empty.parquet")
    assert "has no rows" in refused("snr", "--results", "empty.parquet")
    results(experiment="mine").to_csv("mine.csv")
    assert "does not say which figure" in refused("--results", "mine.csv")
    (tmp_path / "out").write_text("a file where the folder should be")
    assert "--out out cannot be made a folder" in refused("snr")
    with pytest.raises(SystemExit, match=r"--out out.deeper cannot be made a folder \(Not a directory\)"):
        main(["snr", "--out", "out/deeper"])


def test_words_below_a_figure_can_be_left_to_the_caption(run, tmp_path, capsys):
    main(["snr", "--out", "with"])
    assert "caption" not in capsys.readouterr().out
    main(["snr", "--out", "without", "--no-caption"])
    assert "snr, for the caption: " in capsys.readouterr().out
    same, other = (
        [(tmp_path / f / f"snr.{kind}").read_bytes() for f in ("with", "without")] for kind in ("csv", "png")
    )
    assert same[0] == same[1]
    assert other[0] != other[1]
    with Image.open(tmp_path / "without/snr.png") as image:
        assert image.convert("L").crop((0, image.height - 3, image.width, image.height)).getextrema() == (255, 255)


@pytest.mark.parametrize(("width", "panels_beside"), [("3.5", 1), ("7", 2)])
def test_a_figure_is_as_wide_as_a_paper_wants_it(run, tmp_path, width, panels_beside):
    main(["fading", "--results", "runs/demo/results.parquet", "--out", "out", "--width", width])
    with Image.open(tmp_path / "out/fading.png") as image:
        assert image.width == float(width) * 300
        assert (image.height > image.width) == (panels_beside == 1)
    assert main(["snr", "--out", "out"]) is None
    with Image.open(tmp_path / "out/snr.png") as image:
        assert image.width == 3.5 * 300


@pytest.mark.parametrize("width", ["252", "wide", "nan"])
def test_other_widths_are_told_in_one_line(width, capsys):
    with pytest.raises(SystemExit):
        main(["snr", "--width", width])
    assert f"a width in inches between 2 and 30, got '{width}'" in capsys.readouterr().err


def test_schemes_ends_of_the_axis_and_shares_can_be_asked_for(run, tmp_path):
    main(["snr", "--schemes", "noise", "--ylim", "0.5,1", "--no-percent", "--out", "out"])
    assert set(pd.read_csv(tmp_path / "out/snr.csv")["scheme"]) == {"noise"}
    assert "did you mean noise?" in refused("snr", "--schemes", "nois")
    assert "--ylim takes two numbers" in refused("snr", "--ylim", "1,0")


def test_ends_of_the_axis_may_be_in_per_cent_and_hide_no_point_in_silence(run, tmp_path, results, capsys):
    figure = snr.draw(results())
    View("50,100").apply(figure)
    assert figure.axes[0].get_ylim() == (0.5, 1.0)
    main(["snr", "--ylim", "99,100", "--out", "out"])
    assert "points and intervals reach beyond 99,100" in capsys.readouterr().out


def test_a_view_changes_axes_of_scores_alone(results):
    figure = snr.draw(results())
    across = figure.axes[0].get_xlim()
    View("0.5,1", percent=False).apply(figure)
    assert figure.axes[0].get_ylim() == (0.5, 1.0)
    assert figure.axes[0].get_xlim() == across
    assert figure.axes[0].get_ylabel() == "delivered accuracy"
