"""Command lines of a sweep, as people type them and as they mistype them; planned, not run."""

import os
import random
from pathlib import Path

from experiments.choices import choices_of
from experiments.refusal import ConfigurationError
from experiments.sweep import main
from tests.fuzz.trial import LONGEST, Case, Fault, seeded

DOCUMENTED = (ConfigurationError,)


def case(number: int, folder: Path) -> Case:
    """A few arguments, of which one or two are odd."""
    chosen = seeded("command lines", number)
    arguments = [*_usual(chosen, folder), *(_odd(chosen, folder) for _ in range(chosen.choice((0, 1, 1, 1, 2))))]
    if chosen.random() < 0.15:
        arguments = [_typed_wrong(chosen, argument) for argument in arguments]
    chosen.shuffle(arguments)

    def run() -> None:
        before = Path.cwd()
        os.chdir(folder)  # what is relative lands there
        try:
            main([*arguments, "--dry-run"])
        except SystemExit as error:
            if not isinstance(error, ConfigurationError) or len(str(error)) > LONGEST:
                raise Fault(f"ends with {error!r:.300}") from error
            raise
        finally:
            os.chdir(before)

    return Case(" ".join(arguments), run, DOCUMENTED)


def _usual(chosen: random.Random, folder: Path) -> list[str]:
    """What makes a small sweep."""
    scheme = chosen.choice(SCHEMES)
    return ["experiment=demo", f"scheme={scheme}", f"store={folder / 'store'}", f"hydra.run.dir={folder / 'run'}"]


SCHEMES = ("[clean]", "[clean]", "[noise]", "clean", "[digital_capacity]", "[clean,noise]", "[mine: clean]")

KEYS = (
    "snr_db", "channel_uses", "seeds", "realizations", "knowledge", "train_snr_db", "test_images", "threads",
    "device", "precision", "conformance", "matched_normalisation", "scheme.clean.link.receiver",
    "scheme.clean.link.expansion", "scheme.clean.link.protection", "scheme.clean.link.side_information_rate",
    "scheme.clean.normalisation", "scheme.noise.train_snr_db", "training.epochs", "training.learning_rate",
    "training.batch_size", "fine_tuning.epochs", "model", "model.width", "dataset", "dataset.path", "dataset.name",
    "channel", "channel.awgn", "engine", "engine.workers", "preset", "experiment", "scheme", "store",
    "hydra.run.dir", "hydra.verbose", "scheme.clean", "scheme.own._target_", "channel._target_", "model._target_",
    "scheme.mine.train_snr_db", "training", "realizations.until", "realizations.fades", "channel.rician.k_factor",
    "scheme.clean.title", "nothing", "snr", "Seeds", "scheme.clean.link", "x.y.z",
)  # fmt: skip

VALUES = (
    "5", "0", "-1", "[0,5]", "0,5,10", "[]", "[0, 5 ,10]", "range(0,20,5)", "nan", "[nan]", "inf", "-inf", "1e400",
    "1e5", "five", "null", "None", "''", '""', "true", "[true]", "10**23", "99999999999999999999999", "0x10",
    "1_000", "5dB", "[[0,5]]", "[0,5", "0,5]", "{a: 1}", "{a: [1,2}", "{}", "${oc.env:NOPE}", "${oc.env:HOME}",
    "${snr_db}", "${nothing}", "${", "$HOME", "~", "~/x", "a=b", "a#b", "a~b", "größe 中", "a\\b", "C:\\Users\\me",
    "(1,2)", "1x", "0.5X", "0x", "-1x", "[1x,2x]", "1e3x", "*", "%", "a b", " 5", "5 ", "5,", ",5", "'5", "it's",
    '"a', "\t", "@x", "a@b", "a:b", "a::b", "awgn", "[awgn,rayleigh]", "rician", "own", "cnn", "cifar10", "digits",
    "mlp", "local", "dask", "mmse", "none", "average", "[none,average]", "instantaneous", "frozen", "bfloat16",
    "cuda", "cpu:3", "os.system", "airdeliver.schemes.Clean", "airdeliver.schemes.AirNet", "channels.Rician",
    "channels.AWGN", "channels.nothing.X", "torch.nn.Linear", "builtins.dict", "x", "a.b.c", "{until: 0.01}",
    "{fades: 100}", "{fades: x}", "{until: -1}", "{_target_: channels.Rician, k_factor: 3}", "{_target_: os.getcwd}",
    "{receiver: mixture}", "[mine: clean + link.receiver=mmse]", "[mine: nothing]", "[a: clean + x=1, b: clean]",
    "[clean,clean]", "choice(1,2)", "glob(*)", "/dev/null", "/proc/x", "\x00", "\ud800", "x" * 5000, "[" * 50, "0.1",
    "1.5", "3.0", "-0.0", "1e-320", "2147483648", "9223372036854775807", "9223372036854775808", "[1,1]", "[1,1.0]",
    "[0,[1]]", "!x", "a;b", "`ls`", "spiral", "{_target_: airdeliver.links.analog.Spiral}", "size", "[size]", "1e-9",
    "1000000", "[20,0]", "[0,20]", "[0,10,20]",
)  # fmt: skip


OPTIONS = (
    "--seeds", "-m", "--config-dir", "--config-dir=/nowhere", "--show", "--snr-db=5", "", "=", "=5", "snr_db",
    "snr_db=", "+", "~", "~snr_db", "~scheme", "--", "-", "---", "~scheme.clean", "++", "+snr_db=5", "hydra=x",
    "--version", "-c", "--dry-run",
)  # fmt: skip


def _odd(chosen: random.Random, folder: Path) -> str:
    """One argument of any kind."""
    if chosen.random() < 0.1:
        return chosen.choice((*OPTIONS, f"--config-dir={folder}"))
    if chosen.random() < 0.1:
        group = chosen.choice(("experiment", "channel", "model", "preset", "engine", "dataset", "scheme"))
        known = [name for name in choices_of(group) if name not in ("dask", "ray_traced", "hub", "cifar10")]
        return f"{group}={chosen.choice(known)}"
    sign = chosen.choice(("",) * 8 + ("+", "++", "~"))
    return f"{sign}{chosen.choice(KEYS)}={chosen.choice(VALUES)}"


def _typed_wrong(chosen: random.Random, argument: str) -> str:
    """A letter too many, too few, or another."""
    if chosen.random() < 0.5 or not argument or argument.startswith(("store", "hydra")):
        return argument
    place = chosen.randrange(len(argument))
    letter = chosen.choice(("", argument[place] * 2, chosen.choice("abc=[]{}'\" ,.:$#~\\")))
    return argument[:place] + letter + argument[place + 1 :]
