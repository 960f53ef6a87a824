"""Every example runs, says something and draws a picture."""

import json

import pytest

from examples.__main__ import FOLDER, SLOW, cells, main, names, notebook, page, run


def test_there_are_twelve_and_one():
    assert len(names()) == 13


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in names()])
def test_examples_run(name: str):
    ran, pictures = run(name)
    assert any(each.printed for each in ran)
    assert pictures
    assert all(figure.axes for figure in pictures)
    assert page(ran, ["picture.png"], name).startswith("# ")


@pytest.mark.parametrize("name", names())
def test_examples_begin_with_a_title_and_are_notebooks(name: str):
    text = (FOLDER / f"{name}.py").read_text()
    first, second, *_ = cells(text)
    assert not first.code
    assert first.text.startswith("# ")
    assert second.code
    written = json.loads(notebook(text))
    assert "".join(written["cells"][0]["source"]) == first.text
    assert [cell["cell_type"] for cell in written["cells"]] == ["code" if c.code else "markdown" for c in cells(text)]


def test_notebooks_from_the_command_line(tmp_path, capsys):
    main(["text", "--notebooks", str(tmp_path)])
    assert (tmp_path / "text.ipynb").is_file()
    with pytest.raises(SystemExit, match="there is no example 'texts'"):
        main(["texts"])
