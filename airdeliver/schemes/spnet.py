"""SP-Net: members of unlike widths from layer to layer, learned by pruning networks of several widths."""

from dataclasses import dataclass, field, replace

from airdeliver.elastic import ElasticBuilder, PrunedBasesBuilder, SlimmableBuilder, Statistics
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import About
from airdeliver.schemes.elastic import ElasticNetwork
from airdeliver.training import Training
from airdeliver.training.methods import Distillation, Joint, Slimming, Teaching


@dataclass(frozen=True, kw_only=True)
class SPNet(ElasticNetwork):
    """A slimmable pruned network: each base is trained and pruned for its numbers of channels alone, then all members.

    It takes a training for each base beside that of the members, which learn together from fresh weights: the whole
    network from the labels, the others mostly from it.

    Args:
        penalty: on the scales of the bases: see `airdeliver.training.methods.Slimming`.
        base_training: recipe of the bases; None for the task's.

    Raises:
        ValueError: a builder of another kind.

    Source: SP-Net, slimmable pruned neural networks: bases, threshold and teaching; the search for a cost is ours.
    """

    builder: ElasticBuilder = field(default_factory=PrunedBasesBuilder)
    teaching: Teaching = field(default_factory=lambda: Teaching("largest", Distillation(1.0, 0.9), share=1.0))
    penalty: float = 1e-4
    base_training: Recipe | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.builder, PrunedBasesBuilder):
            raise ValueError(f"builder must be a PrunedBasesBuilder, got {type(self.builder).__name__}")

    def about(self) -> About:  # noqa: D102
        return replace(super().about(), title="SP-Net")

    def bases(self, problem: Problem, fresh: Training) -> tuple[Training, ...]:
        """A network for each base, trained with a penalty on its scales."""
        assert isinstance(self.builder, PrunedBasesBuilder)
        alone = Teaching("none", share=1.0)
        methods = (
            Joint(fresh, (None,), SlimmableBuilder((width,), statistics=Statistics("own")), self.sampler, alone)
            for width in self.builder.bases
        )
        recipe = self.base_training or problem.training
        return tuple(Training.of(problem, Slimming(method, self.penalty), recipe) for method in methods)
