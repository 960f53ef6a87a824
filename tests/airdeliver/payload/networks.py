"""Networks that payloads must carry."""

import torch
from torch import nn

from airdeliver.models import CNN, VGG, ResNet20


class Transformer(nn.Module):
    """A small encoder over patches with tied input and output embeddings."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.output = nn.Linear(16, 11, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, tokens):
        return self.output(self.encoder(self.embedding(tokens)))


class OwnModel(nn.Module):
    """What users write: control flow on data, bare parameters, buffers of every kind, batch norm without affine."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.5))
        self.spectrum = nn.Parameter(torch.randn(3, 4, dtype=torch.complex64))
        self.brief = nn.Parameter(torch.randn(5).to(torch.bfloat16))
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8, affine=False)
        self.plain = nn.BatchNorm2d(8, track_running_stats=False)
        self.last = nn.Linear(8, 4)
        self.register_buffer("running_shift", torch.randn(2))
        self.register_buffer("steps", torch.tensor(7))
        self.register_buffer("mask", torch.tensor([True, False]))
        self.register_buffer("positions", torch.randn(6), persistent=False)
        self.register_parameter("absent", None)

    def forward(self, x):
        x = self.plain(self.norm(self.first(x)))
        if x.mean() > 0:
            x = x * self.gain
        return self.last(x.mean((2, 3)))


class PreActivation(nn.Module):
    """Batch norm before the convolution, and a convolution whose output two layers read: nothing to fold."""

    def __init__(self):
        super().__init__()
        self.norm, self.convolution = nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)
        self.branch = nn.BatchNorm2d(4)

    def forward(self, x):
        x = self.convolution(self.norm(x).relu())
        return x + self.branch(x)


class Shared(nn.Module):
    """A convolution and its norm called twice, and one whose weight is tied to another's."""

    def __init__(self):
        super().__init__()
        self.twice, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.left, self.right = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.right.weight = self.left.weight
        self.left_norm = nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.norm(self.twice(self.norm(self.twice(x)).relu()))
        return self.right(self.left_norm(self.left(x)))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 4, channels: int = 3, side: int = 16) -> torch.Tensor:
    return torch.randn(n, channels, side, side, generator=seeded(1))


NETWORKS = {
    "vgg": (lambda: VGG()(3, 10), images()),
    "vgg, group norm": (lambda: VGG(norm="group")(3, 10), images()),
    "resnet": (lambda: ResNet20(width=0.5)(3, 10), images()),
    "cnn": (lambda: CNN()(1, 10), images(channels=1, side=8)),
    "transformer": (Transformer, torch.randint(11, (2, 7), generator=seeded(1))),
    "own": (OwnModel, images()),
    "pre-activation": (PreActivation, images()),
    "shared": (Shared, images()),
}


def used(model: nn.Module) -> nn.Module:
    """The model with weights, statistics and counters that no constructor would give it."""
    generator = seeded(2)
    with torch.no_grad():
        for name, tensor in model.state_dict(keep_vars=True).items():
            if name.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.2)
            elif tensor.is_floating_point():
                tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))
            elif name.endswith("num_batches_tracked"):
                tensor.fill_(5)
    return model.eval()
