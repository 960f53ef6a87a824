"""The one error that whoever counts channel uses raises."""


class BudgetError(ValueError):
    """The payload does not fit into the channel uses that were given."""
