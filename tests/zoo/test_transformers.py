"""Families of `transformers`, built from configurations: what the catalogue is put through, where it is installed."""

import pytest
import torch

from tests.zoo.catalogue import Entry, said
from tests.zoo.examination import check_delivery, check_digital, check_payload, pruned_row

pytestmark = pytest.mark.slow
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

TEXT = {"vocab_size": 32, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
LLAMA = {**TEXT, "num_attention_heads": 4, "num_key_value_heads": 2, "use_cache": False}
IMAGE = {"image_size": 16, "patch_size": 4, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
FAMILIES = {
    "Bert": ("BertForSequenceClassification", {**TEXT, "max_position_embeddings": 16}, "words"),
    "Roberta": ("RobertaForSequenceClassification", {**TEXT, "max_position_embeddings": 16}, "words"),
    "GPT2": (
        "GPT2LMHeadModel",
        {"vocab_size": 32, "n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2, "use_cache": False},
        "words",
    ),
    "Llama": ("LlamaForCausalLM", LLAMA, "words"),
    "Mixtral": ("MixtralForCausalLM", {**LLAMA, "num_local_experts": 2}, "words"),
    "T5": ("T5EncoderModel", {"vocab_size": 32, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1}, "words"),
    "Mamba": (
        "MambaForCausalLM",
        {"vocab_size": 32, "hidden_size": 8, "state_size": 4, "num_hidden_layers": 1, "use_cache": False},
        "words",
    ),
    "ViT": ("ViTForImageClassification", {**IMAGE, "intermediate_size": 32}, "images"),
    "Swin": (
        "SwinForImageClassification",
        {"image_size": 16, "patch_size": 2, "embed_dim": 12, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
        "images",
    ),
    "ConvNext": (
        "ConvNextForImageClassification",
        {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2, "patch_size": 4},
        "images",
    ),
    "ResNet": (
        "ResNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
        "images",
    ),
    "RegNet": (
        "RegNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "groups_width": 4},
        "images",
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_travels_and_is_pruned_or_refused(family: str):
    name, settings, kind = FAMILIES[family]
    config = getattr(transformers, f"{family}Config")(**settings)

    def inputs(n: int, generator: torch.Generator):
        if kind == "words":
            return torch.randint(1, 32, (n, 12), generator=generator)
        return torch.randn(n, 3, 16, 16, generator=generator)

    entry = Entry(lambda: getattr(transformers, name)(config), inputs)
    model, examples = entry.model(), entry.examples(3)
    check_payload(entry, model, examples)
    check_delivery(model, examples, said)
    check_digital(model)
    row = pruned_row(family, model, examples)
    assert row.groups or row.whole
