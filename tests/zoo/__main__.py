"""Writes the published table: `python -m tests.zoo [NAME ...]` examines every network, or those that are named."""

import sys

from tests.zoo.catalogue import CATALOGUE
from tests.zoo.examination import examined
from tests.zoo.page import line, publish, published

KERAS = [f"Keras, {kind}" for kind in ("perceptron", "residual", "mobile", "recurrent", "attention")]


def main(names: list[str]) -> None:
    for name in names or [*CATALOGUE, *KERAS]:
        rows = published()
        rows[name] = line(_examined_keras(name) if name in KERAS else examined(name))
        publish([rows[each] for each in (*CATALOGUE, *KERAS) if each in rows])
        sys.stdout.write(f"{rows[name]}\n")


def _examined_keras(name: str):
    from tests.zoo.keras_examination import examined_keras  # TensorFlow takes its time.

    return examined_keras(name)


if __name__ == "__main__":
    main(sys.argv[1:])
