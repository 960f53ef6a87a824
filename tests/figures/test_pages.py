"""Tables of pages are what published tables say, and what cannot be said is refused."""

import pytest

from figures.pages import PUBLISHED, main, pages, rendered
from figures.table import TableError, over_seeds, read

MARK = """Text.

<!-- published: digits_elastic
columns: {at 40 dB: {snr_db: 40}, uses: {snr_db: 5, cell: channel_uses_spent, digits: 0}}
rows: {narrow and wide: [usnets_0, usnets_3]}
-->

| what | stood |
| --- | --- |

More text.
"""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_marked_tables_are_what_the_published_ones_say(page):
    text = page.read_text(encoding="utf-8")
    assert rendered(text) == text, f"{page.name} is behind its tables: python -m figures.pages"


def test_cells_are_means_with_their_interval_and_whatever_column_is_asked_for():
    known = over_seeds(read(PUBLISHED / "digits_elastic.csv"), also=["channel_uses_spent"]).set_index(
        ["scheme", "snr_db"]
    )
    narrow, wide = known.loc[("usnets_0", 40)], known.loc[("usnets_3", 40)]
    half = [50 * (row["accuracy_high"] - row["accuracy_low"]) for row in (narrow, wide)]
    said = [f"{100 * row['accuracy']:.1f} ± {h:.1f}" for row, h in zip((narrow, wide), half)]
    uses = [f"{known.loc[(scheme, 5)]['channel_uses_spent']:,.0f}" for scheme in ("usnets_0", "usnets_3")]
    lines = rendered(MARK).splitlines()
    assert lines[7] == "| | at 40 dB | uses |"
    assert lines[9] == f"| narrow and wide | {said[0]}, {said[1]} | {uses[0]}, {uses[1]} |"
    assert (lines[0], lines[-1]) == ("Text.", "More text.")
    assert "stood" not in rendered(MARK)


def test_a_row_may_say_more_than_its_scheme():
    plain = MARK.replace("[usnets_0, usnets_3]", "usnets_3").replace("snr_db: 40", "cell: mean, snr_db: 40")
    said = plain.replace("cell: mean, snr_db: 40", "cell: mean").replace(
        "narrow and wide: usnets_3", "narrow and wide: {scheme: usnets_3, snr_db: 40}"
    )
    assert rendered(said).splitlines()[9] == rendered(plain).splitlines()[9]


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("snr_db: 40", "model: cnn", "3 rows of usnets_0"),
        ("snr_db: 40", "colour: 1", "no column colour"),
        ("channel_uses_spent", "colour", "no column colour"),
        ("[usnets_0, usnets_3]", "usnets_9", "no scheme usnets_9"),
    ],
)
def test_what_cannot_be_said_is_refused(wrong, right, says):
    with pytest.raises(TableError, match=says):
        rendered(MARK.replace(wrong, right))


def test_the_command_writes_a_page_and_says_what_is_wrong(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(MARK, encoding="utf-8")
    main([str(page)])
    assert page.read_text(encoding="utf-8") == rendered(MARK)
    assert "page.md" in capsys.readouterr().out
    page.write_text(MARK.replace("usnets_0", "usnet_0").replace("usnets_3", "usnet_3"), encoding="utf-8")
    with pytest.raises(SystemExit, match="no scheme"):
        main([str(page)])
