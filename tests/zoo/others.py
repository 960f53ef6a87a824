"""Small versions of networks for points, graphs, tables and fields, and of unusual parametrisations."""

import torch
from torch import Tensor, nn


class PointNet(nn.Module):
    """C. Qi et al., PointNet, CVPR 2017: an aligning transform, shared layers, the maximum over points."""

    def __init__(self):
        super().__init__()
        self.align = nn.Sequential(nn.Conv1d(3, 8, 1), nn.BatchNorm1d(8), nn.ReLU())
        self.transform = nn.Linear(8, 9)
        self.conv1, self.bn1 = nn.Conv1d(3, 12, 1), nn.BatchNorm1d(12)
        self.conv2, self.bn2 = nn.Conv1d(12, 24, 1), nn.BatchNorm1d(24)
        self.head = nn.Sequential(nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 10))

    def forward(self, points: Tensor) -> Tensor:
        turn = self.transform(self.align(points).amax(-1)).view(-1, 3, 3) + torch.eye(3)
        x = nn.functional.relu(self.bn1(self.conv1(turn @ points)))
        return self.head(self.bn2(self.conv2(x)).amax(-1))


class GraphConvolution(nn.Module):
    """T. Kipf and M. Welling, ICLR 2017: nodes and a normalised adjacency matrix; two inputs."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 16, bias=False), nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, nodes: Tensor, adjacency: Tensor) -> Tensor:
        x = nn.functional.relu(adjacency @ self.first(nodes))
        return self.head(nn.functional.relu(adjacency @ self.second(x)).mean(1))


class GraphAttention(nn.Module):
    """P. Velickovic et al., GAT, ICLR 2018: neighbours weighted by learned attention."""

    def __init__(self, width: int = 8, heads: int = 2):
        super().__init__()
        self.heads, self.project = heads, nn.Linear(5, heads * width, bias=False)
        self.source, self.target = (nn.Parameter(torch.randn(heads, width)) for _ in range(2))
        self.head = nn.Linear(heads * width, 3)

    def forward(self, nodes: Tensor, adjacency: Tensor) -> Tensor:
        x = self.project(nodes).unflatten(-1, (self.heads, -1))
        scores = (x * self.source).sum(-1)[:, :, None] + (x * self.target).sum(-1)[:, None]
        scores = nn.functional.leaky_relu(scores, 0.2).masked_fill(adjacency[..., None] == 0, -1e9)
        return self.head(nn.functional.elu(torch.einsum("nijh,njhc->nihc", scores.softmax(2), x).flatten(2)).mean(1))


class MessagePassing(nn.Module):
    """J. Gilmer et al., ICML 2017: messages along a list of edges, gathered by index."""

    def __init__(self):
        super().__init__()
        self.embed, self.message, self.update = nn.Linear(5, 12), nn.Linear(24, 12), nn.Linear(24, 12)
        self.head = nn.Linear(12, 1)

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        x = self.embed(nodes)
        for _ in range(2):
            sent = nn.functional.relu(self.message(torch.cat([x[edges[0]], x[edges[1]]], -1)))
            heard = torch.zeros_like(x).index_add(0, edges[1], sent)
            x = nn.functional.relu(self.update(torch.cat([x, heard], -1)))
        return self.head(x).squeeze(-1)


class DeepSets(nn.Module):
    """M. Zaheer et al., Deep Sets, 2017: a sum over the elements."""

    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 16))
        self.rho = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, points: Tensor) -> Tensor:
        return self.rho(self.phi(points.transpose(1, 2)).sum(1))


class Recommender(nn.Module):
    """M. Naumov et al., DLRM, 2019: tables of categories, numbers, and their products; two inputs."""

    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(n, 6) for n in (11, 7))
        self.bags = nn.EmbeddingBag(13, 6, mode="sum")
        self.bottom, self.top = nn.Linear(4, 6), nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        found = [nn.functional.relu(self.bottom(numbers)), *(t(categories[:, i]) for i, t in enumerate(self.tables))]
        features = torch.stack([*found, self.bags(categories)], 1)
        products = (features @ features.transpose(1, 2))[:, *torch.triu_indices(4, 4, 1)]
        return self.top(torch.cat([found[0], products], 1))


class NeRF(nn.Module):
    """B. Mildenhall et al., NeRF, ECCV 2020: sines of the place, the input once more half way, two outputs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("freq_bands", 2.0 ** torch.arange(4))
        self.first, self.second = nn.Linear(24, 24), nn.Linear(48, 24)
        self.density, self.colour = nn.Linear(24, 1), nn.Linear(24, 3)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        angles = (points[..., None] * self.freq_bands).flatten(-2)
        encoded = torch.cat([angles.sin(), angles.cos()], -1)
        x = nn.functional.relu(self.second(torch.cat([encoded, nn.functional.relu(self.first(encoded))], -1)))
        return nn.functional.relu(self.density(x)), self.colour(x).sigmoid()


class SIREN(nn.Module):
    """V. Sitzmann et al., SIREN, 2020: sines between the layers."""

    def __init__(self):
        super().__init__()
        self.layers, self.out = nn.ModuleList([nn.Linear(2, 24), nn.Linear(24, 24)]), nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = (30 * layer(x)).sin()
        return self.out(x)


class Coupling(nn.Module):
    """L. Dinh et al., RealNVP, ICLR 2017: half of the dimensions scales and shifts the other; two outputs."""

    def __init__(self):
        super().__init__()
        self.nets = nn.ModuleList(nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 6)) for _ in range(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a, b, logdet = x[:, :3], x[:, 3:], 0
        for net in self.nets:
            scale, shift = net(a).chunk(2, -1)
            a, b = b * scale.tanh().exp() + shift, a
            logdet = logdet + scale.tanh().sum(-1)
        return torch.cat([a, b], -1), logdet


class HyperNetwork(nn.Module):
    """D. Ha et al., HyperNetworks, ICLR 2017: the weights of one layer are the output of another."""

    def __init__(self):
        super().__init__()
        self.code = nn.Parameter(torch.randn(4))
        self.generator, self.head = nn.Linear(4, 8 * 6 + 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.generator(self.code)
        return self.head(nn.functional.relu(nn.functional.linear(x, weights[:48].view(8, 6), weights[48:])))


class LoRA(nn.Module):
    """E. Hu et al., LoRA, ICLR 2022: a frozen base with a correction of low rank beside it."""

    def __init__(self):
        super().__init__()
        self.base, self.head = nn.Linear(12, 16), nn.Linear(16, 3)
        self.base.requires_grad_(False)
        self.lora_A, self.lora_B = nn.Parameter(torch.randn(2, 12)), nn.Parameter(0.1 * torch.randn(16, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(nn.functional.relu(self.base(x) + x @ self.lora_A.T @ self.lora_B.T))


class ComplexValued(nn.Module):
    """C. Trabelsi et al., Deep Complex Networks, ICLR 2018: complex weights; the output is a magnitude."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(0.3 * torch.randn(8, 6, dtype=torch.complex64))
        self.second = nn.Parameter(0.3 * torch.randn(3, 8, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        y = x.to(torch.complex64) @ self.first.T
        return (torch.complex(y.real.relu(), y.imag.relu()) @ self.second.T).abs()


class Fourier(nn.Module):
    """Z. Li et al., Fourier Neural Operator, ICLR 2021: complex weights on the low frequencies."""

    def __init__(self, width: int = 6, modes: int = 4):
        super().__init__()
        self.lift, self.local, self.project = nn.Linear(1, width), nn.Conv1d(width, width, 1), nn.Linear(width, 1)
        self.weights, self.modes = nn.Parameter(0.2 * torch.randn(width, width, modes, dtype=torch.complex64)), modes

    def forward(self, x: Tensor) -> Tensor:
        y = self.lift(x).transpose(1, 2)
        low = torch.einsum("bim,iom->bom", torch.fft.rfft(y)[..., : self.modes], self.weights)
        y = nn.functional.gelu(
            torch.fft.irfft(nn.functional.pad(low, (0, y.shape[-1] // 2 + 1 - self.modes)), y.shape[-1]) + self.local(y)
        )
        return self.project(y.transpose(1, 2))


class Codebook(nn.Module):
    """A. van den Oord et al., VQ-VAE, 2017: the nearest entry of a codebook that is a buffer, moved by averages."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(8, 4), nn.Linear(4, 8)
        self.register_buffer("codebook", torch.randn(16, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.codebook[torch.cdist(self.encoder(x), self.codebook).argmin(-1)])


def weight_normed() -> nn.Module:
    """T. Salimans and D. Kingma, Weight Normalization, 2016, as a parametrisation."""
    norm = nn.utils.parametrizations.weight_norm
    return nn.Sequential(norm(nn.Linear(12, 16)), nn.ReLU(), norm(nn.Linear(16, 3)))


def old_weight_normed() -> nn.Module:
    """The same with the hook of old code."""
    norm = nn.utils.weight_norm
    return nn.Sequential(norm(nn.Linear(12, 16)), nn.ReLU(), norm(nn.Linear(16, 3)))


def spectral_normed() -> nn.Module:
    """T. Miyato et al., Spectral Normalization, ICLR 2018: power iteration keeps two vectors in buffers."""
    norm = nn.utils.parametrizations.spectral_norm
    return nn.Sequential(norm(nn.Linear(12, 16)), nn.ReLU(), nn.Linear(16, 3))


class TwoTowers(nn.Module):
    """A. Radford et al., CLIP, 2021: two encoders, and a learned temperature; two inputs."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.ReLU(), nn.Flatten(), nn.Linear(128, 8))
        self.words, self.text = nn.Embedding(32, 8), nn.Linear(8, 8)
        self.logit_scale = nn.Parameter(torch.tensor(2.6))

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        a, b = (
            nn.functional.normalize(self.image(image), dim=-1),
            nn.functional.normalize(self.text(self.words(text).mean(1)), dim=-1),
        )
        return self.logit_scale.exp() * a @ b.T
