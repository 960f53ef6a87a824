"""From configuration to objects: what a sweep is about, checked."""

import dataclasses
import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from omegaconf import DictConfig, OmegaConf

from airdeliver.fades import Fades
from airdeliver.links import KnowledgeKind
from airdeliver.models import ModelBuilder
from airdeliver.randomness import BLOCK
from airdeliver.recipe import Recipe
from airdeliver.schemes import About, Scheme
from airdeliver.schemes.answers import about_of
from channels import Channel
from channels.checks import MOST_DB
from experiments.building import build, in_one_line
from experiments.command_line import Command, ConfigurationError, suggestion
from experiments.composition import LARGEST
from experiments.engine import Engine
from experiments.monte_carlo import Realizations

KNOWLEDGE = ("none", "average", "instantaneous")
Kind = TypeVar("Kind")

MARK = "*"
"""Behind the name of a scheme, channel or model that the command line has changed."""

SAID = ("title", "family")
"""What a configuration says of a scheme beside its arguments."""

MATCHED = re.compile(r"(\d+(?:\.\d*)?|\.\d+)x")


@dataclass(frozen=True)
class Sweep:
    """Everything that a sweep is about.

    Args:
        experiment: its name.
        schemes: by name.
        titles: for people, by the name of the scheme; a scheme without one has that of its `about()`.
        families: of schemes that a figure joins by a line, by the name of the scheme.
        channels: by name.
        dataset: name for `load_dataset`.
        dataset_path: a local folder, or None.
        model_name: what the model is called in tables.
        model: the unpruned architecture.
        training: recipe from scratch.
        fine_tuning: recipe of further training.
        knowledge: axis.
        snr_db: axis, dB.
        channel_uses: axis; an integer, or a factor of matched bandwidth such as `1x`.
        seeds: axis.
        realizations: independent deliveries of each cell.
        matched_normalisation: what `1x` sends.
        test_images: how many; None for all.
        precision: of evaluation.
        side_information: how fast it is sent: at each link's rate, or as what the sender knows allows.
        conformance: whether pieces of one's own are examined before any work.
        threads: of each task.
        device: where tensors live.
        store: folder of finished work.
        folder: of the run's results.
        engine: who does the work.
        resolved: the whole configuration as plain containers, for provenance.
        overrides: what the command line changed, by `scheme.NAME`, `channel.NAME` or `model`.
    """

    experiment: str
    schemes: dict[str, Scheme]
    titles: dict[str, str]
    families: dict[str, str]
    channels: dict[str, Channel]
    dataset: str
    dataset_path: str | None
    model_name: str
    model: ModelBuilder
    training: Recipe
    fine_tuning: Recipe
    knowledge: tuple[KnowledgeKind, ...]
    snr_db: tuple[float, ...]
    channel_uses: tuple[int | str, ...]
    seeds: tuple[int, ...]
    realizations: Realizations
    matched_normalisation: str
    test_images: int | None
    precision: Literal["float32", "bfloat16"]
    side_information: str
    conformance: bool
    threads: int
    device: str
    store: Path
    folder: Path
    engine: Engine
    resolved: dict[str, Any]
    overrides: dict[str, str]

    def about(self, name: str) -> About:
        """What is said of a scheme, under the title that the configuration gives it; with a star if it is changed.

        Schemes of one title would be one line of a figure: behind it stands the name of each.
        """
        family = self.families.get(name, self._abouts[name].family)
        alike = [title for title in self._shown.values() if title == self._shown[name]]
        title = self._shown[name] if len(alike) == 1 else f"{self._shown[name]} ({name})"
        return dataclasses.replace(self._abouts[name], title=title, family=family)

    @cached_property
    def _abouts(self) -> dict[str, About]:
        """What each scheme says of itself."""
        return {name: about_of(scheme) for name, scheme in self.schemes.items()}

    @cached_property
    def _shown(self) -> dict[str, str]:
        """Title of each scheme, and a star if it is changed."""
        return {
            name: self.titles.get(name, about.title) + self.mark(f"scheme.{name}")
            for name, about in self._abouts.items()
        }

    def mark(self, key: str) -> str:
        """What stands behind the name of a scheme, channel or model in tables: a star if it was changed.

        Args:
            key: `scheme.NAME`, `channel.NAME` or `model`.
        """
        return MARK if key in self.overrides else ""

    def overrides_of(self, scheme: str, channel: str) -> str:
        """What was changed of a scheme, its channel and the model, as it was given; empty where nothing was."""
        keys = (f"scheme.{scheme}", f"channel.{channel}", "model")
        return " ".join(self.overrides[key] for key in keys if key in self.overrides)


def configure(command: Command) -> Sweep:
    """The objects that a configuration describes.

    Raises:
        ConfigurationError: a value that cannot be meant; one line says which, what was expected and what to do.
    """
    config = command.config
    nodes = {_name(name, node): (name, node) for name, node in _some(config.get("scheme"), "scheme").items()}
    # What is said of a scheme is no argument of it: it must not identify results.
    titles, families = (
        {name: str(node[word]) for name, (_, node) in nodes.items() if node.get(word) is not None} for word in SAID
    )
    schemes = {
        name: _a(Scheme, build(node, f"scheme.{key}", besides=SAID), f"scheme.{key}")
        for name, (key, node) in nodes.items()
    }
    schemes = {name: _override_snr(scheme, name, config.train_snr_db) for name, scheme in schemes.items()}
    channels = {
        _name(name, node): _a(Channel, build(node, f"channel.{name}"), f"channel.{name}")
        for name, node in _some(config.get("channel"), "channel").items()
    }
    return Sweep(
        experiment=command.experiment,
        schemes=schemes,
        titles=titles,
        families=families,
        channels=channels,
        dataset=str(config.dataset.name),
        dataset_path=None if config.dataset.path is None else str(config.dataset.path),
        model_name=_model_name(command),
        model=_a(ModelBuilder, build(config.model, "model"), "model"),
        training=_recipe(config.training, "training"),
        fine_tuning=_recipe(config.fine_tuning, "fine_tuning"),
        knowledge=tuple(_one_of(item, "knowledge", KNOWLEDGE) for item in _axis(config, "knowledge")),
        snr_db=tuple(_decibel(item, "snr_db") for item in _axis(config, "snr_db")),
        channel_uses=tuple(_budget(item) for item in _axis(config, "channel_uses")),
        seeds=tuple(_integer(item, "seeds", 0) for item in _axis(config, "seeds")),
        realizations=_realizations(config.realizations),
        matched_normalisation=_one_of(config.matched_normalisation, "matched_normalisation", ("receiver", "frozen")),
        test_images=None if config.test_images is None else _integer(config.test_images, "test_images", 2),
        precision=_one_of(config.precision, "precision", ("float32", "bfloat16")),
        side_information=_one_of(config.side_information, "side_information", ("fixed", "known")),
        conformance=_switch(config.conformance, "conformance"),
        threads=_integer(config.threads, "threads", 1),
        device=_device(str(config.device)),
        store=Path(str(config.store)),
        folder=command.folder,
        engine=_a(Engine, build(config.engine, "engine"), "engine"),
        resolved=_plain(config),
        overrides=_changed(command),
    )


def _changed(command: Command) -> dict[str, str]:
    """What was changed of a scheme, channel or the model, by `scheme.NAME`, `channel.NAME` or `model`.

    The arguments of a class of one's own are no change, nor is a title or a family; a variant that has a name of its
    own says by it that it is another.
    """
    changed: dict[str, list[str]] = {}
    named = {override.key.partition("@")[2] for override in command.overrides}
    for override in command.overrides:
        group, *inner = override.key.split(".")
        key = ".".join([group, *inner[:1]]) if group in ("scheme", "channel") else group
        own = command.choices.get("model") == "own" if group == "model" else inner[:1] == ["own"]
        rest = inner[1:] if group != "model" else inner
        argument = rest and rest not in ([word] for word in SAID)
        if group in ("scheme", "channel", "model") and argument and not own and key not in named:
            changed.setdefault(key, []).append(f"{key}.{'.'.join(rest)}={override.value}")
    return {key: " ".join(told) for key, told in changed.items()}


def _a(kind: type[Kind], built: Any, key: str) -> Kind:
    """What was built, if it is of the kind that stands there.

    Raises:
        ConfigurationError: it is of another.
    """
    if not isinstance(built, kind):
        raise ConfigurationError(
            f"{key} must be of class {kind.__name__}, got {type(built).__name__}: give {key}._target_=module.Class of "
            f"a class that extends {kind.__name__}"
        )
    return built


def _recipe(node: Any, key: str) -> Recipe:
    """A recipe that trains: a scheme of which a network is sent as it is leaves out the training, not its epochs."""
    recipe = _a(Recipe, build(node, key), key)
    if recipe.epochs < 1:
        raise ConfigurationError(f"{key}.epochs must be at least 1, got {recipe.epochs}: nothing would be trained")
    return recipe


def _plain(config: DictConfig) -> dict[str, Any]:
    container = OmegaConf.to_container(config, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def _override_snr(scheme: Scheme, name: str, train_snr_db: Any) -> Any:
    """The scheme at the SNR of training that the sweep asks for.

    Raises:
        ConfigurationError: it is trained through a link, but not at one SNR or range that could be given.
    """
    if train_snr_db is None:
        return scheme
    if OmegaConf.is_list(train_snr_db):
        value: Any = tuple(_decibel(item, "train_snr_db") for item in train_snr_db)
        if len(value) != 2 or value[0] > value[1]:
            raise ConfigurationError(f"train_snr_db must be one SNR or a range [low,high], got {list(train_snr_db)}")
    else:
        value = _decibel(train_snr_db, "train_snr_db")
    fields: Any = scheme
    if dataclasses.is_dataclass(scheme) and "train_snr_db" in {field.name for field in dataclasses.fields(fields)}:
        with in_one_line(f"scheme.{name}"):
            return dataclasses.replace(fields, train_snr_db=value)
    low, high = scheme.about().train_range_db
    if math.isnan(low):
        return scheme
    raise ConfigurationError(
        f"train_snr_db does not reach scheme {name}, which is trained for several SNRs from {low:g} to {high:g} dB: "
        f"leave {name} out, or give scheme.NAME.train_snr_db to each of the others"
    )


def _name(name: str, node: Any) -> str:
    """What a choice is called in tables; a class of one's own by its name."""
    return str(node._target_).rpartition(".")[2] if name == "own" and "_target_" in node else name


def _model_name(command: Command) -> str:
    if command.choices["model"] == "own":
        return str(command.config.model._target_).rpartition(".")[2]
    return command.choices["model"]


def _some(nodes: Any, key: str) -> dict[str, Any]:
    if not nodes:
        raise ConfigurationError(f"{key} must name at least one choice, got none: give {key}=[NAME, ...]")
    return {str(name): nodes[name] for name in nodes}


def _axis(config: DictConfig, key: str) -> list[Any]:
    value = config[key]
    items = list(value) if OmegaConf.is_list(value) else [value]
    if not items or value is None:
        raise ConfigurationError(f"{key} must have at least one value, got none: give {key}=[VALUE, ...]")
    seen: list[Any] = []
    for item in items:
        if item in seen:
            raise ConfigurationError(f"{key} has {item} twice: give every value once")
        seen.append(item)
    return items


def _decibel(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value == -math.inf:
        raise ConfigurationError(f"{key} must be numbers in dB, got {value!r}: for example {key}=[0,5,10]")
    if abs(value) > MOST_DB and value != math.inf:
        raise ConfigurationError(f"{key} must be at most {MOST_DB:g} dB in magnitude (inf: no noise), got {value!r}")
    return float(value)


def _integer(value: Any, key: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{key} must be an integer of at least {least}, got {value!r}")
    return value


def _realizations(value: Any) -> Realizations:
    """A number, `{until: HALF_WIDTH, at_least: N, at_most: N, images: N}`, or `{fades: N, sent: N, exact: N}`."""
    if not isinstance(value, DictConfig):
        count = _integer(value, "realizations", 1)
        return Realizations(count, count)
    if "fades" in value:
        return _fades(dict(value))
    given = {"until": 0.005, "at_least": BLOCK, "at_most": 16 * BLOCK, **value}
    for key in given:
        _one_of(key, "a key of realizations", ("until", "at_least", "at_most", "images"))
    try:
        return Realizations(**given)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error)) from error


def _fades(given: dict[Any, Any]) -> Realizations:
    """Many fades, of which a few are sent for all."""
    for key in given:
        _one_of(key, "a key of realizations with fades", ("fades", "sent", "exact", "images"))
    images = given.pop("images", None)
    usual = Fades()
    drawn, sent, exact = (
        _integer(given.get(name, number), f"realizations.{name}", 3)
        for name, number in (("fades", usual.drawn), ("sent", usual.sent), ("exact", usual.exact))
    )
    try:
        fades = Fades(drawn, sent, exact)
        return Realizations(fades.sent, fades.sent, images=images, fades=fades)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error)) from error


def _one_of(value: Any, key: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise ConfigurationError(f"{key} must be one of {', '.join(known)}, got {value!r}{suggestion(value, known)}")
    return value


def _switch(value: Any, key: str) -> bool:
    """`on` or `off`, which YAML reads as true and false where they stand without quotes."""
    if value in (True, "on"):
        return True
    if value in (False, "off"):
        return False
    raise ConfigurationError(f"{key} must be on or off, got {value!r}")


def _device(value: str) -> str:
    try:
        device = torch.device(value)
    except RuntimeError as error:
        raise ConfigurationError(f"device must be cpu or cuda, got {value!r}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError("device=cuda needs a GPU that PyTorch can use, and there is none: give device=cpu")
    return value


def _budget(value: Any) -> int | str:
    near = ""
    if isinstance(value, str):
        match = MATCHED.fullmatch(value.strip().lower())
        if match and float(match.group(1)) > 0:
            return match.group(0)
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LARGEST:
        if value == int(value):
            return int(value)  # 1e5, say
        near = f", did you mean {value:g}x?"
    raise ConfigurationError(
        "channel_uses must be positive integers or multiples of matched bandwidth such as 1x or 0.5x, "
        f"got {value!r}{near}"
    )
