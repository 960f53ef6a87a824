"""The rate at capacity is never below a real code with the same networks, in any published cell."""

from pathlib import Path

import pandas as pd
import pytest

from figures.publish import PUBLISHED

CELL = ["dataset", "model", "channel", "knowledge", "snr_db", "channel_uses", "seed"]


def compared(file: Path) -> pd.DataFrame:
    """Cells of a limit beside those of real codes with equally prepared networks; empty where there is none."""
    table = pd.read_csv(file, comment="#")
    if not {"limit", "side", "preparation", *CELL} <= set(table.columns):
        return pd.DataFrame()
    # Rounds meet further fades: the limit of one delivery is none of a session.
    table["session"] = table["rounds"] > 1 if "rounds" in table else False
    digital = table[table["side"] == "digital"]
    limits, real = digital[digital["limit"]], digital[~digital["limit"].astype(bool)]
    # Layers are members of a network that is trained for it: another one, which holds more.
    networks = ["preparation", *({"parameters_stored"} & set(table.columns))]
    return limits.merge(real, on=[*CELL, *networks, "session"], suffixes=("", "_real"))


@pytest.mark.parametrize("file", sorted(PUBLISHED.glob("*.csv")), ids=lambda file: file.stem)
def test_capacity_is_never_below_the_real_link(file: Path):
    """By more than the 95 % interval of the difference of two independent means."""
    both = compared(file)
    if both.empty:
        return
    halves = [(both[f"accuracy_high{end}"] - both[f"accuracy_low{end}"]) / 2 for end in ("", "_real")]
    below = both["accuracy_real"] - both["accuracy"] - (halves[0] ** 2 + halves[1] ** 2) ** 0.5
    worst = both.loc[below.idxmax()]
    assert below.max() <= 0, worst[[*CELL, "scheme", "scheme_real", "accuracy", "accuracy_real"]].to_dict()
