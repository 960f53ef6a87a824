"""The page about a run."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from figures.report import main, page

PROVENANCE = {
    "command": "python -m experiments.sweep experiment=demo",
    "config": {"snr_db": [0, 10], "note": "<b>not bold</b>"},
    "seeds": [0, 1],
    "versions": {"python": "3.11.7", "torch": "2.6.0"},
    "commit": None,
    "machine": {"cores": 2, "threads": 1},
    "started": "2026-01-01T00:00:00Z",
    "seconds": 12.5,
    "failures": [{"stage": "cell noise, 0 dB", "error": "BudgetError: too small", "details": "Traceback"}],
}


class Page(HTMLParser):
    """What is on a page: links to elsewhere, pictures, and tables as rows of texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elsewhere, self.pictures, self.tables, self.open = [], [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        for name in ("src", "href", "action", "srcset", "data"):
            if values.get(name) is not None and not values[name].startswith("data:"):
                self.elsewhere.append(values[name])
        if tag == "img":
            self.pictures.append(values["src"])
        if tag == "table":
            self.rows = self.tables.setdefault(values["id"], [])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.open.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass


@pytest.fixture
def run(tmp_path, results, deliveries):
    """A run folder with everything in it."""
    table = results(snr_db=(0.0, 10.0), experiment="demo")
    table.to_parquet(tmp_path / "results.parquet")
    deliveries(table).to_parquet(tmp_path / "deliveries.parquet")
    (tmp_path / "plan.csv").write_text("segment,parameters\nfeatures.0.weight,144\nclassifier.weight,640\n")
    (tmp_path / "provenance.json").write_text(json.dumps(PROVENANCE))
    return tmp_path


def test_page_needs_nothing_else(run):
    text = page(run)
    assert Page(text).elsewhere == []
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org)", text)


def test_pictures_are_whole(run):
    pictures = re.findall(r"<svg .*?</svg>", page(run), flags=re.DOTALL)
    assert len(pictures) == 1
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert root.attrib["aria-label"].startswith("Delivered accuracy")
        assert len(list(root.iter())) > 50


def test_every_point_says_what_it_is_and_how_it_is_made_again(run, results):
    table = results(snr_db=(0.0, 10.0))
    told = re.findall(r"<title>([^<]*% interval[^<]*)</title>", page(run))
    assert len(told) == len(table.drop_duplicates(["scheme", "snr_db"]))
    for scheme in set(table["scheme"]):
        assert (
            sum(f"experiment=demo &#x27;scheme=[{scheme}]&#x27; snr_db=[10] channel_uses=[" in text for text in told)
            == 1
        )


@pytest.mark.parametrize("name", ["winner", "ablation", "pareto", "expansion"])
def test_bars_squares_and_marks_say_what_they_are(name, results):
    """A point for each of them, within the axes that it belongs to."""
    from figures.gallery import drawing
    from figures.hover import points_of

    table = results(("airnet", "digital_adaptive", "digital_fixed"), snr_db=(0.0, 10.0), channel_uses=(8_000, 16_000))
    sides = {"airnet": "analog"}
    table = table.assign(side=[sides.get(scheme, "digital") for scheme in table["scheme"]], floor=0.1, macs=5e5,
                         inference_joules=1e-6, title=table["scheme"], preparation="", limit=False)  # fmt: skip
    figure = drawing(name).draw(table)
    points = points_of(figure)
    assert {"winner": 4, "ablation": 8, "pareto": 24, "expansion": 24}[name] == len(points)
    for axes, point in points:
        assert re.search(r"95 % interval \S+ to \S+$", point.says)
        assert point.row["scheme"] in set(table["scheme"])
        across, up = sorted(axes.get_xlim()), sorted(axes.get_ylim())
        assert across[0] <= point.x <= across[1]
        assert up[0] <= point.y <= up[1]


def test_every_cell_of_the_sweep_is_a_row(run, results):
    tables = Page(page(run)).tables
    assert set(tables) == {"results", "plan"}
    head, *rows = tables["results"]
    table = results(snr_db=(0.0, 10.0))
    assert [row[head.index("scheme")] for row in rows] == table["scheme"].tolist()
    for row, accuracy in zip(rows, table["accuracy"]):
        assert float(row[head.index("accuracy")]) == pytest.approx(accuracy, rel=1e-3)
    assert "dataset" not in head
    assert tables["plan"] == [["segment", "parameters"], ["features.0.weight", "144"], ["classifier.weight", "640"]]


def test_provenance_and_failures_are_on_the_page(run):
    text = page(run)
    for expected in ("python 3.11.7, torch 2.6.0", "experiment=demo", "cell noise, 0 dB", "BudgetError: too small"):
        assert expected in text
    assert "<b>not bold</b>" not in text
    assert text.index("BudgetError: too small") > text.index("<tbody>")


def test_a_run_without_provenance_says_so(run):
    (run / "provenance.json").unlink()
    assert "is not known" in page(run)


def test_long_tables_are_cut_and_the_page_says_so(run, results):
    results(seeds=tuple(range(60))).to_parquet(run / "results.parquet")
    text = page(run)
    assert "The first 500 rows; 220 more are in results.parquet" in text
    assert len(Page(text).tables["results"]) == 501


def test_command_writes_the_page_twice_alike(run, capsys):
    main([str(run)])
    first = (run / "report.html").read_bytes()
    main([str(run)])
    assert capsys.readouterr().out.split() == [str(run / "report.html")] * 2
    assert (run / "report.html").read_bytes() == first
    assert not (run / ".report.html.partial").exists()


def test_one_line_for_what_cannot_be_written(run):
    for spoil, message in (
        (lambda: (run / "provenance.json").write_text("{"), "no JSON object"),
        (lambda: (run / "results.parquet").unlink(), "there is no table"),
    ):
        spoil()
        with pytest.raises(SystemExit, match=message) as ended:
            main([str(run)])
        assert "\n" not in str(ended.value.code)


def browser(*arguments: str) -> str:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "this test looks at the page in a real browser: install the system's package chromium"
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


LOOK = """<script>
addEventListener("load", () => {
  const head = [...document.querySelectorAll("#results th")].find(th => th.textContent === "accuracy");
  const rows = () => [...document.querySelectorAll("#results tbody tr")];
  const column = () => rows().map(row => row.cells[head.cellIndex].textContent);
  head.click(); const ascending = column(); head.click(); const descending = column();
  const pictures = [...document.querySelectorAll("figure svg")].map(i => i.getBoundingClientRect().width > 100);
  const point = document.querySelectorAll(".point")[1], tip = document.getElementById("tip"), hidden = tip.hidden;
  point.dispatchEvent(new Event("pointerenter"));
  const says = hidden && !tip.hidden ? tip.textContent : "";
  const fetched = performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("data:"));
  document.title = JSON.stringify({ascending, descending, pictures, fetched, says});
});
</script>"""


@pytest.mark.slow
def test_in_a_real_browser(run):
    """Pictures show, nothing is fetched, a click on a heading sorts, and the page is not blank."""
    main([str(run)])
    (run / "looked_at.html").write_text((run / "report.html").read_text() + LOOK)
    dom = browser("--dump-dom", f"file://{run}/looked_at.html")
    seen = json.loads(re.search(r"<title>(.*?)</title>", dom, flags=re.DOTALL)[1].replace("&quot;", '"'))
    accuracies = [float(text) for text in seen["ascending"]]
    assert accuracies == sorted(accuracies)
    assert seen["descending"] == seen["ascending"][::-1]
    assert seen["pictures"] == [True]
    assert seen["fetched"] == []
    assert "95 % interval" in seen["says"]
    assert "python -m experiments.sweep experiment=demo" in seen["says"]
    browser(f"--screenshot={run}/page.png", "--window-size=1280,1600", f"file://{run}/report.html")
    with Image.open(run / "page.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    inked = (pixels.min(1) < 200).mean()
    assert image.size == (1280, 1600)
    assert 0.005 < inked < 0.5
    blue = (np.abs(pixels.astype(int) - np.array([0x00, 0x72, 0xB2])).max(1) < 30).sum()
    assert blue > 100, "the first line of the figure is not on the page"
