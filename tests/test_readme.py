"""What the README promises runs."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_there_is_an_example():
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(example, capsys):
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    accuracy, *_ = capsys.readouterr().out.split(",")
    assert 0.5 < float(accuracy) <= 1
