"""Scripts that are also notebooks (jupytext's percent format); `python -m examples` runs them."""
