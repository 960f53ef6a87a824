"""Every command of every page: what it sweeps composes, what it draws is drawn from that experiment, its options exist.

Commands that use a class of the reader's own are run by the tests of their pages, which follow these wholly.
"""

import importlib
import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from figures.gallery import NAMES, drawing

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs").glob("concepts/*.md"))]
BUILT = {"claims.md", "gallery.md"}
"""Pages that `make docs` writes, of which the tests of claims and of the site tell."""

FENCE = re.compile(r"^ *```(?:bash|console)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`((?:python -m|make) [^`]+)`")
OWN = re.compile(r"my_\w+\.|signs\.|dataset\.path=brightness|--config-dir")
"""What only the folder of somebody who follows the page has."""

WITH_COMMANDS = ("experiments.store", "airdeliver.container")
"""Whose first word says what is to be done, each with options of its own."""

FOLLOWED = {
    "index.md": "test_pages.py",
    "own_channel.md": "test_own_channel.py",
    "own_data_set.md": "test_pages.py",
    "own_link_piece.md": "test_site.py",
    "own_method.md": "test_own_method.py",
    "own_model.md": "test_pages.py",
    "own_scheme.md": "test_pages.py",
    "elastic.md": "test_elastic_page.py",
}
"""Pages whose own classes are run, and by which test."""

RUN = {
    "index": "test_site.py", "own_link_piece": "test_site.py", "sessions": "test_site.py", "updates": "test_site.py",
    "what_there_is": "test_site.py", "pieces": "test_site.py", "zoo": "test_site.py", "concepts/budget": "test_site.py",
    "concepts/chain": "test_site.py", "concepts/members": "test_site.py", "own_channel": "test_own_channel.py",
    "own_data_set": "test_pages.py", "own_method": "test_own_method.py", "own_model": "test_pages.py",
    "own_scheme": "test_pages.py", "elastic": "test_elastic_page.py", "spectrum": "test_spectrum_page.py",
    "figures": "test_figures_page.py", "container": "test_container_page.py", "best": "test_commands.py",
    "cost": "test_commands.py", "split": "test_commands.py", "sweeps": "test_commands.py",
    "payload": "test_commands.py",
}  # fmt: skip
"""Pages with scripts, and the test that runs them."""


def commands() -> list[tuple[str, str]]:
    """Page and command, in fences and between back ticks in sentences; lines that go on are one."""
    found: dict[tuple[str, str], None] = {}
    for page in PAGES:
        if page.name in BUILT:
            continue
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [line for block in FENCE.findall(text) for line in block.splitlines()]
        inline = [" ".join(each.split()) for each in INLINE.findall(FENCE.sub("", text))]
        for line in (*lines, *inline):
            command = re.sub(r"\s+#.*", "", line).strip().removeprefix("PYTHONPATH=. ")
            if command and not command.startswith("#"):
                found[str(page.relative_to(ROOT)), command] = None
    return list(found)


COMMANDS = commands()


def of(module: str) -> list[tuple[str, str]]:
    return [(page, command) for page, command in COMMANDS if command.split()[:3] == ["python", "-m", module]]


@cache
def composed(command: str) -> None:
    from experiments import command_line

    arguments = shlex.split(command)[3:]
    if not {"--help", "-h"} & set(arguments):
        command_line.read([argument.replace("FOLDER", str(ROOT)) for argument in arguments])


@pytest.mark.parametrize(("page", "command"), of("experiments.sweep"))
def test_sweeps_compose(page: str, command: str):
    """What is not there, misspelt or of the wrong kind is refused while the configuration is read."""
    if OWN.search(command):
        test = FOLLOWED[Path(page).name]
        assert Path(page).stem in (Path(__file__).parent / test).read_text(encoding="utf-8")
        return
    composed(command)


@pytest.mark.parametrize(("page", "command"), of("figures"))
def test_figures_are_drawn_from_the_experiment_that_they_name(page: str, command: str):
    arguments = shlex.split(command)[3:]
    names = [argument for argument in arguments if argument in NAMES]
    assert names or {"--results", "--help"} & set(arguments)
    if "--results" not in arguments:
        return
    path = Path(arguments[arguments.index("--results") + 1])
    if path.suffix == ".csv":
        assert (ROOT / path).is_file()
        return
    experiment = path.parts[1]
    assert (ROOT / "experiments" / "conf" / "experiment" / f"{experiment}.yaml").is_file()
    # Any table over SNR can be drawn as such.
    assert all(experiment in drawing(name).EXPERIMENTS or name in ("snr", "fading") for name in names)


OTHERS = [
    (page, command)
    for page, command in COMMANDS
    if command.startswith("python -m ") and command.split()[2] not in ("experiments.sweep", "figures")
]


@pytest.mark.parametrize(("page", "command"), OTHERS)
def test_what_is_run_is_there_with_the_options_that_are_named(page: str, command: str, capsys):
    module, *arguments = shlex.split(command)[2:]
    if module == "pip":
        return
    assert importlib.util.find_spec(module) is not None
    options = [argument.partition("=")[0] for argument in arguments if re.match(r"--?[a-z]", argument)]
    if options:
        inside = f"{module}.__main__" if hasattr(importlib.import_module(module), "__path__") else module
        within = arguments[:1] if module in WITH_COMMANDS else []
        with pytest.raises(SystemExit) as ended:
            importlib.import_module(inside).main([*within, "--help"])
        assert not ended.value.code
        said = capsys.readouterr().out
        assert all(option in said for option in options), (page, command)


def test_what_is_made_has_a_target():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page, command in COMMANDS:
        if command.startswith("make "):
            assert command.split()[1] in targets, (page, command)


def test_there_is_no_command_of_another_kind():
    known = re.compile(r"(?:python -m|make|pip install|python|git clone|cd|export) ")
    strange = [(page, command) for page, command in COMMANDS if not known.match(f"{command} ")]
    assert not strange


def test_every_script_of_a_page_is_run_by_a_test():
    for page in PAGES:
        name = str(page.relative_to(ROOT / "docs").with_suffix("")) if page.name != "README.md" else "README"
        if name == "README" or page.name in BUILT or "```python" not in page.read_text(encoding="utf-8"):
            continue
        named = "concepts/" if name.startswith("concepts/") else page.stem
        assert named in (Path(__file__).parent / RUN[name]).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["best", "cost", "split", "sweeps", "payload"])
def test_scripts_run(page: str, capsys: pytest.CaptureFixture[str]):
    """And where a line of them says what it prints, it does."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    known: dict[str, object] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(compile(block, f"{page}.md", "exec"), known)
        printed = capsys.readouterr().out.splitlines()
        promised = re.findall(r"^print\(.*?\)  # (.*)$", block, flags=re.MULTILINE)
        promised = promised or re.findall(r"^# (.*)$", block, flags=re.MULTILINE)
        for promise, line in zip(promised, printed):
            assert promise.startswith(line), (page, line)
