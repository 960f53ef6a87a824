"""Whether the package `channels` that Python finds is the one that came along: another project's has the same name."""

import channels


def check_channels() -> None:
    """Refuse to go on with another project's package of that name (Django Channels, say).

    Raises:
        ImportError: the package is not ours; says where it lies, of which distributions it is, and what to do.
    """
    if hasattr(channels, "ergodic_capacity"):
        return
    from importlib.metadata import packages_distributions

    where = getattr(channels, "__file__", None) or next(iter(getattr(channels, "__path__", ["nowhere"])))
    owners = sorted(set(packages_distributions().get("channels", [])) - {"airdeliver"})
    whose = f", of {' and '.join(owners)}" if owners else ""
    raise ImportError(
        f"airdeliver comes with a package channels of its own, but Python finds another at {where}{whose}: install "
        "airdeliver into a virtual environment without it, or rename a file or folder of yours that is called channels"
    )
