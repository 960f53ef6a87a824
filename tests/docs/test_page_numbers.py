"""Numbers in sentences of the README and of pages follow from published tables.

They are computed here, put into the words of the page, and looked for in it. Whole tables of pages are computed where
they stand (`python -m figures.pages`) or in `test_readme_numbers.py`.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from figures import winner
from figures.claims.pairing import over_pairs, prepared, side_by_side
from figures.table import over_seeds, read

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "figures" / "published"


def page(name: str) -> str:
    """A page on one line."""
    return " ".join((ROOT / f"{name}.md").read_text(encoding="utf-8").split())


def means(name: str, column: str = "accuracy") -> Any:
    """Means over seeds by scheme and SNR, in % where it is the accuracy."""
    found = read(PUBLISHED / f"{name}.csv").groupby(["scheme", "snr_db"])[column].mean()
    return 100 * found if column == "accuracy" else found


def lead(table: pd.DataFrame, one: str, other: str, snr_db: float) -> str:
    """By how many points one is ahead at an SNR, with the interval of the published table."""
    met: Any = side_by_side(prepared(table), one, other)
    rows = met[met["snr_db"] == snr_db]
    found = over_pairs(*(rows[name].tolist() for name in ("gain", "gain_low", "gain_high")))
    return "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * each for each in found))


def listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def test_what_airnet_s_parts_are_worth():
    m = means("cifar10_ablation")
    gain = {
        name: {snr: m["airnet", snr] - m[name, snr] for snr in (0, 5, 20)} for name, _ in m.index if name != "airnet"
    }
    noise, whole, equal = (gain[name] for name in ("airnet_no_noise", "airnet_plain", "airnet_equal"))
    text = page("README")
    assert f"training through the link {noise[0]:.0f} points at 0 dB and {noise[5]:.0f} at 5 dB" in text
    assert f"(it costs {-noise[20]:.0f} at 20 dB), prune-and-expand {whole[0]:.0f} and {whole[5]:.0f}" in text
    assert f"unequal protection {equal[0]:.0f} and {equal[5]:.0f}, distillation nothing" in text
    spiral = means("cifar10_expansion")
    apart = {snr: spiral["airnet_spiral", snr] - spiral["airnet_twice", snr] for snr in (0, 5, 10, 15, 20)}
    assert 0 < max(apart[snr] for snr in (5, 10, 15, 20)) < 1 < -apart[0]
    assert f"gains up to a point from 5 dB on and loses {-apart[0]:.0f} at 0 dB" in text


def test_what_one_parameter_set_holds_and_delivers():
    table = read(PUBLISHED / "cifar10_spectrum.csv").groupby("scheme")
    m, held = 100 * table["accuracy"].mean(), table["parameters_stored"].mean()
    text = page("README")
    assert f"holds {100 * held['spectrum'] / held['spectrum_separate']:.0f} % of what four networks hold" in text
    assert f"delivers {m['spectrum']:.1f} % on average over -5 to 20 dB" in text
    assert f"deliver {m['spectrum_separate']:.1f} % and one network made for 5 dB {m['spectrum_middle']:.1f} %" in text


def test_digital_networks_of_several_sizes():
    over = over_seeds(read(PUBLISHED / "cifar10_digital_sizes.csv"), also=["parameters_sent"]).set_index(
        ["scheme", "snr_db"]
    )
    real, limit = (over.loc[(f"digital_qat_{name}", -5)] for name in ("adaptive", "capacity"))
    said = [f"{100 * r['accuracy']:.1f} ± {50 * (r['accuracy_high'] - r['accuracy_low']):.1f} %" for r in (real, limit)]
    text = page("README")
    assert f"the real code delivers {said[0]} at -5 dB, with a network of {real['parameters_sent']:,.0f} values" in text
    assert f"the rate at capacity {said[1]}:" in text


def test_bits_for_each_parameter():
    table = read(PUBLISHED / "cifar10_bits_per_parameter.csv").sort_values("channel_uses", ascending=False)
    # At capacity over AWGN of 0 dB a channel use carries one bit.
    bits = [f"{row.channel_uses / row.parameters_sent:.1f}" for row in table.itertuples()]
    shares = [f"{100 * value:.1f}" for value in table["accuracy"]]
    said = f"deliver {shares[0]} % at {bits[0]} bits a parameter, {shares[1]} % at {bits[1]} and {shares[2]} % at"
    assert f"{said} {bits[2]}" in page("README")


def test_who_wins_how_many_squares():
    squares: Any = winner.data(read(PUBLISHED / "cifar10_winner.csv"))
    squares = squares[squares["prepared"] == "network trained for the link"]
    known = squares[(squares["channel"] == "awgn") & (squares["lead_low"] > 0) & ~squares["nobody"]]["side"]
    text = page("README")
    surely = f"surely in {sum(known == 'digital')} and trained analog in {sum(known == 'analog')} of 15 squares"
    assert f"trained digital wins {surely}" in text
    analog = [sum(squares[squares["channel"] == name]["side"] == "analog") for name in ("rayleigh", "multicast")]
    assert f"analog is ahead in {analog[0]} and {analog[1]} of 15" in text


def test_planes_against_the_fixed_rate_and_layers():
    tight, roomy = (read(PUBLISHED / f"digits_planes{ending}.csv") for ending in ("", "_4x"))
    roomy = roomy[roomy["channel_uses"] == roomy["channel_uses"].max()]
    fixed, text = "digital_qat_fixed*", page("docs/planes")
    pairs = [(tight, "widths", fixed), (tight, "widths", "planes"), (tight, fixed, "planes"), (roomy, "planes", fixed)]
    for table, one, other in pairs:
        assert listed([lead(table, one, other, snr_db) for snr_db in (0, 5, 10)]) in text
    m = {name: means(f"digits_planes{name}") for name in ("", "_4x")}
    for scheme in ("widths", fixed, "planes", "planes_dead_zone"):
        assert ", ".join(f"{m[''][scheme, snr]:.1f}" for snr in (0, 5, 10)) in text
    for table in (tight, roomy):
        for uses in set(table["channel_uses_spent"]):
            assert f"{uses:,.0f}" in text


def test_tasks_in_one_set_of_signs():
    text = page("docs/tasks")
    m, uses = means("digits_tasks_tasks"), means("digits_tasks_tasks", "channel_uses_spent")
    bits = means("digits_tasks_tasks", "container_bits")
    for tasks in (1, 2, 4):
        signs, each = f"signs_{tasks}", f"each_{tasks}"
        row = f"| {tasks} | {m[signs, 10]:.1f} | {m[each, 10]:.1f} | {m[each, 10] - m[signs, 10]:.1f} |"
        kbit = f" {bits[signs, 10] / 1000:.0f} kbit | {uses[signs, 10]:,.0f} |"
        further = f" {uses[f'further_{tasks}', 10]:,.0f} |" if tasks > 1 else " |"
        assert row + kbit + further in text
    analog = (
        over_seeds(read(PUBLISHED / "digits_tasks_tasks.csv")).set_index(["scheme", "snr_db"]).loc[("analog_2", 10)]
    )
    ends = "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * analog[f"accuracy{end}"] for end in ("", "_low", "_high")))
    assert f"{uses['analog_2', 10]:,.0f} uses for two tasks, arrive as {ends} at 10 dB" in text
    assert f"worth nothing at 0 dB ({m['analog_2', 0]:.1f})" in text
    assert f"coded ones take {uses['signs_2', 0]:,.0f} uses" in text
    heard = [m[f"overheard_{tasks}", 10] for tasks in (1, 2, 4)]
    assert f"have {min(heard):.1f} to {max(heard):.1f} %" in text


def test_the_exit_of_a_split_network():
    table: Any = read(PUBLISHED / "digits_split.csv").set_index(["scheme", "snr_db"])
    own, text = table.loc["split_exit"], page("docs/split")
    asked, served = own["uses_per_inference"], own["uses_per_inference_served"]
    most = table.loc[("split_4", 10)]
    less = 100 * (most["accuracy"] - own["accuracy"][10])
    share = 100 * (1 - served[10] / most["uses_per_inference"])
    assert f"answers for about {round(share, -1):.0f} % of the inputs at 10 dB and takes {served[10]:.1f} of" in text
    assert f"of {most['uses_per_inference']:.0f} channel uses, for {less:.1f} points less" in text
    apart = 100 * (asked / served - 1).abs()
    assert f"Expected were {asked[10]:.1f}: expected and counted differ by {apart[0]:.1f} % at 0 dB" in text
    assert f"by {apart[[5, 10, 20]].min():.1f} to {apart[[5, 10, 20]].max():.1f} % above" in text


@pytest.mark.parametrize(("name", "number"), [("README", "62.6, 67.4"), ("README", "80.5"), ("docs/tasks", "10.6 %")])
def test_numbers_that_no_table_gave_are_gone(name: str, number: str):
    assert number not in page(name)


def test_best_against_what_it_holds_and_the_schemes_of_the_map():
    table = prepared(read(PUBLISHED / "digits_best.csv"))
    behind, ahead, squares = 0, 0, 0
    for (channel, _, _), rows in table.groupby(["channel", "channel_uses", "snr_db"]):
        leads = {}
        for other in set(rows["scheme"]) - {"best"}:
            met: Any = side_by_side(rows, "best", other)
            leads[other] = over_pairs(*(met[name].tolist() for name in ("gain", "gain_low", "gain_high")))
        behind += any(high < 0 for _, _, high in leads.values())
        if channel != "awgn":
            squares += 1
            better = min(("airnet", "digital_qat_adaptive"), key=lambda name: leads[name][0])
            ahead += leads[better][1] > 0
    text = page("docs/best")
    assert behind == 0
    assert "behind no scheme by more than the interval in any of the 24 squares" in text
    assert f"In {ahead} of the {squares} squares where the SNR is not known" in text
    known = table[(table["channel"] == "awgn") & (table["channel_uses"] == 8637) & (table["snr_db"] == -5)]
    mean = known.groupby("scheme")[["accuracy", "usable"]].mean()
    assert f"was {100 * (mean['accuracy']['layered'] - mean['accuracy']['best']):.0f} points behind layers" in text
    assert f"were lost in {100 * (1 - mean['usable']['digital_qat_adaptive']):.0f} % of the deliveries" in text


def test_bits_that_kept_bits_take():
    table = read(PUBLISHED / "digits_quantisers.csv").drop_duplicates("scheme").set_index("scheme")
    each = table["container_bits"] / table["parameters_sent"]
    of_four = each[[name for name in each.index if name.endswith("_4") and not name.startswith("folding")]]
    text = page("docs/quantisers")
    assert f"of 4 bits that are kept {of_four.min():.1f} to {of_four.max():.1f} have to be sent" in text
    assert each.idxmin() == "digital_qat_adaptive"
    assert each["binary"] / each["digital_qat_adaptive"] == pytest.approx(1.1, abs=0.05)
