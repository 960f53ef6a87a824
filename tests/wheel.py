"""What somebody who installed the wheel does, far from the repository: `make wheel` runs it in a clean environment."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp())
"""Of this person: nothing of the repository is here."""

MODULE = '''
from dataclasses import dataclass
from channels import Rayleigh

@dataclass(frozen=True)
class Mine(Rayleigh):
    """Rayleigh fading, called mine."""
'''

OWN = """# @package _global_
defaults:
  - override /scheme: [clean]
  - override /preset: demo
  - override /dataset: digits

snr_db: [10]
channel_uses: [1x]
realizations: 2
training: { epochs: 1 }
test_images: 40
"""


def python(*arguments: str) -> str:
    """What a command of this environment prints."""
    ended = subprocess.run([sys.executable, *arguments], cwd=FOLDER, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{ended.stdout}\n{ended.stderr}")
    return ended.stdout


def notebook() -> None:
    """A delivery of a network of the zoo, as in the README."""
    import airdeliver
    from airdeliver import deliver, evaluate, zoo
    from channels import AWGN

    assert Path(airdeliver.__file__).is_relative_to(sys.prefix), airdeliver.__file__
    card = zoo.card("digits_noise")
    delivery = deliver(zoo.load(card.name), card.link, AWGN(), 20.0, card.channel_uses, realizations=2)
    report = evaluate(delivery, *zoo.sample("digits"))
    assert report.accuracy > 0.6, report
    print(report)


def sweep() -> None:
    """A sweep from a folder of one's own, with a configuration and a channel of one's own, and its figure."""
    (FOLDER / "conf" / "experiment").mkdir(parents=True)
    (FOLDER / "conf" / "experiment" / "mine.yaml").write_text(OWN)
    (FOLDER / "mine.py").write_text(MODULE)
    own = ("--config-dir", "conf", "experiment=mine", "channel._target_=mine.Mine")
    print(python("-m", "experiments.sweep", *own))
    print(python("-m", "figures", "snr", "--results", "runs/mine/results.parquet"))


def main() -> None:
    """Import, deliver, sweep; the second import, when files are in memory, must be short."""
    python("-c", "import airdeliver")
    started = time.perf_counter()
    python("-c", "import airdeliver")
    print(f"import airdeliver: {time.perf_counter() - started:.2f} s")
    notebook()
    if "--library" not in sys.argv:
        sweep()


if __name__ == "__main__":
    main()
