"""Numbers in sentences of the README and of pages follow from published tables.

They are computed here, put into the words of the page, and looked for in it. Whole tables of pages are computed where
they stand (`python -m figures.pages`) or in `test_readme_numbers.py`.
"""

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from airdeliver import AnalogLink, DigitalLink, deliver
from airdeliver.models import CNN
from channels import AWGN
from figures import city, split, winner
from figures.claims import CLAIMS
from figures.claims.pairing import over_pairs, prepared, side_by_side
from figures.claims.tables import published
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


def test_what_training_through_the_link_changes_among_elastic_networks():
    clean, linked = means("digits_elastic"), means("digits_elastic_link")
    gain = {snr: (linked - clean).xs(snr, level="snr_db") for snr in (5, 40)}
    text = page("docs/elastic")
    assert f"at 5 dB, {gain[5].min():.0f} to {gain[5].max():.0f} points" in text
    assert gain[40].max() < 0
    assert f"loses up to {-gain[40].min():.1f} at 40 dB" in text

    def ahead(table: pd.Series, kind: str) -> float:
        return sum(table[f"{kind}_{i}", 5] - table[f"separate_{i}", 5] for i in range(4)) / 4

    assert f"widths {ahead(clean, 'usnets'):.1f} points ahead" in text
    assert f"are {-ahead(linked, 'usnets'):.1f} behind" in text
    assert f"slimmable networks are as good ({ahead(linked, 'slimmable'):+.1f})" in text
    exits = [table["exits_1", 5] - table["separate_3", 5] for table in (clean, linked)]
    assert f"had been {-exits[0]:.1f} behind a network of full width, is as good ({exits[1]:+.1f})" in text


def test_digital_networks_of_several_sizes():
    over = over_seeds(read(PUBLISHED / "cifar10_digital_sizes.csv"), also=["parameters_sent"]).set_index(
        ["scheme", "snr_db"]
    )
    real, limit = (over.loc[(f"digital_qat_{name}*", -5)] for name in ("adaptive", "capacity"))
    said = [f"{100 * r['accuracy']:.1f} ± {50 * (r['accuracy_high'] - r['accuracy_low']):.1f} %" for r in (real, limit)]
    text, analog = page("README"), means("cifar10_spectrum")
    assert f"the real code delivers {said[0]} at -5 dB, with a network of {real['parameters_sent']:,.0f} values" in text
    assert f"the rate at capacity {said[1]}:" in text
    rivals = [f"{analog[name, -5]:.1f} %" for name in ("spectrum_separate", "spectrum")]
    assert f"ahead of separate analog networks, {rivals[0]}, and of the spectrum, {rivals[1]}." in text
    assert real["accuracy_low"] > analog["spectrum_separate", -5] / 100


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


@pytest.mark.parametrize(("name", "number"), [("README", "62.6, 67.4"), ("README", "80.5"), ("docs/tasks", "10.6 %")])
def test_numbers_that_no_table_gave_are_gone(name: str, number: str):
    assert number not in page(name)


def test_best_against_what_it_holds_and_the_schemes_of_the_map():
    table = prepared(read(PUBLISHED / "digits_best.csv"))
    behind, ahead, squares = 0, 0, 0
    single = ("airnet", "airnet_low", "airnet_range", "digital_qat_adaptive")
    of_singles, of_all = 0, 0
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
            of_singles += all(leads[name][1] > 0 for name in single)
            of_all += all(leads[name][1] > 0 for name in (*single, "layered"))
    text = page("docs/best")
    assert behind == 0
    assert "behind no scheme by more than the interval in any of the 24 squares" in text
    assert f"In {ahead} of the {squares} squares where the SNR is not known" in text
    assert of_all == 0
    assert f"four single networks of the table at once in {of_singles} of them, and with the layers that it" in text
    known = table[(table["channel"] == "awgn") & (table["channel_uses"] == 8637) & (table["snr_db"] == -5)]
    mean = 100 * known.groupby("scheme")["accuracy"].mean()
    said = [f"{mean[name]:.1f} %" for name in ("best", "layered", "digital_qat_adaptive")]
    assert (
        f"has {said[0]} within 8,637 uses, layers {said[1]} and the trained digital network by itself {said[2]}" in text
    )


def test_bits_that_kept_bits_take():
    table = read(PUBLISHED / "digits_quantisers.csv")
    table = table[table["snr_db"] == 10]
    each = (table["container_bits"] / table["parameters_sent"]).groupby(table["scheme"]).mean()
    of_four = each[[name for name in each.index if name.endswith("_4") and not name.startswith("folding")]]
    text = page("docs/quantisers")
    assert f"of 4 bits that are kept {of_four.min():.1f} to {of_four.max():.1f} have to be sent" in text
    assert each.idxmin() == "digital_qat_adaptive"
    assert f"signs {100 * (each['binary'] / each['digital_qat_adaptive'] - 1):.0f} % more" in text
    folded = 100 * table[table["scheme"] == "folding_3"].set_index("seed")["accuracy"]
    assert f"{folded[0]:.1f}, {folded[1]:.1f} and {folded[2]:.1f} %" in text
    others = 100 * table[~table["scheme"].isin(["folding_3"])].groupby("scheme")["accuracy"].mean()
    assert f"All others are between {others.min():.1f} and {others.max():.1f} %" in text


def test_which_compact_network_arrives():
    table = read(PUBLISHED / "digits_compact.csv")
    m = 100 * table.groupby(["channel_uses", "snr_db", "scheme"])["accuracy"].mean()
    text, ample, short = page("docs/compact"), m[30_047, 10], m[30_047, 0]
    others = ample.drop("mgic")
    assert f"between {others.min():.1f} and {others.max():.1f} %" in text
    assert others.idxmax() == "digital_qat_adaptive"
    assert f"width 0.5 has {short['student']:.1f} %, the smallest dense network {short['dense_tiny']:.1f}" in text
    assert f"the yardstick {short['dense']:.1f}" in text
    where = (table["scheme"] == "rigl_90") & (table["channel_uses"] == 60_093) & (table["snr_db"] == 0)
    seeds = (100 * table[where].set_index("seed")["accuracy"]).tolist()
    assert f"({seeds[0]:.0f} % at 60,093 uses and 0 dB, the others {seeds[1]:.1f} and {seeds[2]:.1f})" in text


def test_what_sessions_gain():
    table = read(PUBLISHED / "digits_session.csv")
    m: Any = table.groupby(["scheme", "channel_uses"])[["accuracy", "uses_to_end"]].mean()
    said = {place: (f"{100 * row['accuracy']:.1f}", f"{row['uses_to_end']:,.0f}") for place, row in m.iterrows()}
    one, chase, tight = ("one_shot", 17274), ("chase", 34548), 8637
    gain = m.loc[chase, "accuracy"] - m.loc[one, "accuracy"]
    text = page("docs/sessions")
    assert (
        f"worth {100 * gain:.0f} points to the real code with Chase combining ({said[chase][1]} against "
        f"{said[one][1]} uses)" in text
    )
    lost = [said[name, tight][0] for name in ("chase", "redundancy", "one_shot")]
    assert f"({lost[0]} and {lost[1]} against {lost[2]} %)" in text
    layers, turned = said["layers_one_shot", tight], said["layers_in_turn", tight]
    assert f"in one shot {layers[0]} % at 8,637 uses, where HARQ has {lost[1]} %" in text
    assert (
        f"shot {lost[2]} %; in turn, half of the budget kept for lost ones, {turned[0]} % with {turned[1]} uses" in text
    )
    assert (table["channel_uses_spent"] <= table["channel_uses"]).all()


def test_what_updates_gain():
    scores: Any = read(PUBLISHED / "digits_update.csv").set_index(["scheme", "channel_uses", "seed"])["accuracy"]
    mean: Any = 100 * scores.groupby(level=[0, 1]).mean()

    def behind(form: str, change: str) -> str:
        gains = (100 * (scores[f"{change}_{form}_digital", 864] - scores[f"{change}_whole_digital", 8637])).tolist()
        found = over_pairs(gains, gains, gains)
        return "{:.1f} [{:.1f}, {:.1f}]".format(*found)

    text = page("docs/updates")
    assert f"clearer images {behind('low_rank', 'clearer')} by adapters of rank 2" in text
    assert f"new classes {behind('low_rank', 'classes')} by the same and {behind('last_layers', 'classes')} by" in text
    assert f"turned images {behind('low_rank', 'turned')} by rank 2" in text
    assert f"rank 2 is right for {mean['clearer_low_rank_digital', 260]:.1f} %" in text
    assert f"right for {mean['task_last_layers_digital', 864]:.1f} % at a tenth" in text
    assert f"what changed most for {mean['task_most_changed_digital', 2160]:.1f} % at a quarter" in text
    lost = {
        (change, uses): max(
            mean[f"{change}_{form}_digital", uses] for form in ("low_rank", "last_layers", "difference")
        )
        - mean[f"{change}_best", uses]
        for change in ("classes", "turned", "clearer", "task")
        for uses in (260, 432, 864, 2160)
    }
    worst = lost.pop(("classes", 260))
    assert f"by {worst:.1f} points at 260 uses for new classes" in text
    assert max(value for (_, uses), value in lost.items() if uses > 260) < 1


def test_what_a_split_network_saves():
    table = read(PUBLISHED / "digits_split.csv")
    drawn = split.data(table)
    own: Any = drawn[(drawn["channel"] == "awgn") & (drawn["channel_uses"] == 8637)].sort_values("snr_db")
    text = page("docs/split")
    assert f"cheaper up to {listed([f'{value:.0f}' for value in own['uses']])} inferences" in text
    assert f"by energy up to {own['joules'].iloc[0]:.0f} at 0 and 5 dB" in text
    assert [math.isinf(value) for value in own["joules"]] == [False, False, True, True]
    found: Any = drawn[drawn["split"] != ""]
    apart = (found["uses_served"] / found["uses"] - 1).abs().max()
    assert apart < 0.05
    assert f"differ by {100 * apart:.1f} % at most in the {len(found)} of {len(drawn)} squares" in text
    exits: Any = table[table["scheme"] == "split_exit"].groupby(["channel", "snr_db"])
    mean = exits[["uses_per_inference", "uses_per_inference_served", "accuracy"]].mean()
    low = 100 * (mean["uses_per_inference_served"] / mean["uses_per_inference"] - 1)
    assert f"up to {low['awgn'].max():.1f} % too low over AWGN and up to {low['rayleigh'].max():.1f} % over" in text
    took, told = (mean.loc[("awgn", 10), name] for name in ("uses_per_inference_served", "uses_per_inference"))
    plain: Any = 100 * table[table["scheme"] == "split_4"].groupby(["channel", "snr_db"])["accuracy"].mean()
    cost = plain["awgn", 10] - 100 * mean.loc[("awgn", 10), "accuracy"]
    assert f"takes {took:.1f} of 32 channel uses at 10 dB, for {cost:.1f} points less. Expected were {told:.1f}" in text


def test_what_estimates_of_the_channel_cost():
    claim = CLAIMS["estimation"]
    verdict = str(claim.judgement.verdict(published(claim, "digits"))).replace("+", "")
    losses = re.findall(r"AirNet loses (\S+), Digital QAT (\S+) points, (\S+) \[(\S+), (\S+)\] more", verdict)
    (slow, _, _, few), text = losses, page("docs/concepts/knowledge")
    assert verdict.startswith("undecided")
    assert text.count("Undecided: ") == 1
    assert f"AirNet loses {slow[0]} points to an error of the estimate and digital delivery {slow[1]}" in text
    assert f"seeds: {slow[2]} [{slow[3]}, {slow[4]}] more)" in text
    more, low, high = (-float(few[i]) for i in (2, 4, 3))
    assert f"AirNet {more:.1f} [{low:.1f}, {high:.1f}] points more" in text


def test_a_base_station_and_its_receivers():
    table, text = read(PUBLISHED / "digits_city.csv"), page("docs/sweeps")
    drawn = city.data(table).set_index(["scheme", "knowledge", "channel_uses"])
    mean = {place: f"{100 * row['mean']:.1f} %" for place, row in drawn.iterrows()}
    to_all = [mean[name, "none", 8637] for name in ("layered", "spectrum", "noise", "digital")]
    assert "gives {} in layers, {} with the spectrum, {} with one network and {} over".format(*to_all) in text
    each = [mean[name, "instantaneous", 8637] for name in ("digital", "spectrum")]
    assert "A transmission for each gives {} over the digital link and {} with the spectrum".format(*each) in text
    later, once = (drawn.loc[("spectrum", kind, 8637), "milliseconds"] for kind in ("instantaneous", "none"))
    assert f"serves 1,000 receivers in {later:.0f} ms where one for all takes {once:.1f} ms" in text
    deaf = table[(table["channel_uses"] == 8637) & table["milliseconds_to_first"].isna()]
    (share,) = {round(float(own), 9) for own in deaf[deaf["scheme"] == "layered"].groupby("knowledge")["share"].sum()}
    assert f"{100 * share:.0f} % of the receivers get nothing either way" in text


def test_what_side_information_takes_of_the_digits_network():
    model, text = CNN()(1, 10).eval(), page("docs/concepts/budget")
    for title, link in (("analog, as it is", AnalogLink()), ("digital, at capacity", DigitalLink("capacity"))):
        shares = []
        for pace, snr_db in (("fixed", 10.0), ("known", 0.0), ("known", 5.0), ("known", 10.0), ("known", 20.0)):
            sent = deliver(model, link, AWGN(), snr_db=snr_db, channel_uses=9400, side_information=pace, seed=0)
            shares.append(f"{sent.groups[0].plan.side_information_symbols / 94:.1f} %")
        assert f"| {title} | {' | '.join(shares)} |" in text


def test_what_a_random_width_a_step_is_worth_on_cifar10():
    table = read(PUBLISHED / "cifar10_elastic.csv")
    ahead, behind = lead(table, "fjord_4", "usnets_3", 40), lead(table, "separate_3", "fjord_4", 40)
    assert f"at 40 dB {ahead} points ahead of US-Nets' and {behind} behind a network trained by itself" in page(
        "docs/elastic"
    )


def test_what_resolutions_save_on_cifar_10():
    table = read(PUBLISHED / "cifar10_resolutions_32.csv")
    at = table[table["snr_db"] == 40].groupby("scheme")[["macs", "share_24px"]].mean()
    assert (table[table["scheme"] == "drnet"]["share_24px"] == 1).all()
    text = page("docs/elastic")
    behind, share = lead(table, "fixed", "drnet", 40), at["macs"]["drnet"] / at["macs"]["fixed"]
    assert f"DRNet loses {behind} points at 40 dB for {100 * share:.0f} % of the operations" in text
    m = means("cifar10_resolutions_32")
    assert all(m["fixed", 5] - m[name, 5] > 6 for name in ("drnet", "drnet_16", "drnet_24", "drnet_32"))
    assert abs(m["fixed", 40] - m["drnet_32", 40]) < 0.1
    assert 0.74 < at["macs"]["mutualnet"] / at["macs"]["usnets"] < 0.78
    assert f"is {lead(table, 'usnets', 'mutualnet', 40)} points behind half the width at full resolution" in text


def test_whom_layers_serve_on_cifar_10():
    m = means("cifar10_layers")
    over = m.groupby("scheme").mean()
    text = page("docs/elastic")
    assert f"layers reach {over['layered']:.1f} % (analog) and {over['layered_digital']:.1f} % (digital)" in text
    assert f"the spectrum's member for -5 dB {over['spectrum_low']:.1f}, the digital rates" in text
    assert f"{over['digital_low']:.1f} and {over['digital_middle']:.1f}: layers beat each of these" in text
    assert f"through the link for all of these SNRs, {over['noise']:.1f}." in text
    ahead = [m[name, -5] - m["noise", -5] for name in ("layered", "layered_digital")]
    assert "At -5 dB they are {:.1f} and {:.1f} points ahead of it".format(*ahead) in text
    behind = {name: [m["noise", snr] - m[name, snr] for snr in (5, 10, 15)] for name in ("layered", "layered_digital")}
    assert all(round(points) == 3 for points in behind["layered"])
    assert (round(min(behind["layered_digital"])), round(max(behind["layered_digital"]))) == (9, 11)
    each = read(PUBLISHED / "cifar10_layers.csv").groupby(["seed", "scheme"])["accuracy"].mean().unstack()
    assert len(each) == 2
    assert (each["noise"] > each["layered"]).all()
