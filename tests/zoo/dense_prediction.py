"""Small versions of networks whose output is an image, a mask or boxes, and of those for other signals."""

import math

import torch
from torch import Tensor, nn

from tests.zoo.convolutional import unit


class UNet(nn.Module):
    """O. Ronneberger et al., U-Net, MICCAI 2015: down, up, and what was seen on the way down beside it."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.bottom = unit(3, 8), unit(8, 12), unit(12, 16)
        self.up2, self.merge2 = nn.ConvTranspose2d(16, 12, 2, 2), unit(24, 12)
        self.up1, self.merge1 = nn.ConvTranspose2d(12, 8, 2, 2), unit(16, 8)
        self.out = nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.down1(x)
        b = self.down2(nn.functional.max_pool2d(a, 2))
        c = self.bottom(nn.functional.max_pool2d(b, 2))
        b = self.merge2(torch.cat([self.up2(c), b], 1))
        return self.out(self.merge1(torch.cat([self.up1(b), a], 1)))


class Pyramid(nn.Module):
    """T. Lin et al., Feature Pyramid Networks, CVPR 2017: two outputs at two scales."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = unit(3, 8, stride=2), unit(8, 16, stride=2)
        self.lateral1, self.lateral2 = nn.Conv2d(8, 8, 1), nn.Conv2d(16, 8, 1)
        self.out1, self.out2 = nn.Conv2d(8, 6, 3, padding=1), nn.Conv2d(8, 6, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        c1 = self.c1(x)
        p2 = self.lateral2(self.c2(c1))
        p1 = self.lateral1(c1) + nn.functional.interpolate(p2, scale_factor=2.0)
        return self.out1(p1), self.out2(p2)


class DeepLab(nn.Module):
    """L. Chen et al., DeepLabv3, 2017: dilated convolutions side by side, and the mean of the image."""

    def __init__(self):
        super().__init__()
        self.stem = unit(3, 12, stride=2)
        self.dilated = nn.ModuleList(nn.Conv2d(12, 6, 3, padding=d, dilation=d) for d in (1, 2, 4))
        self.pooled, self.project, self.out = nn.Conv2d(12, 6, 1), unit(24, 8, 1), nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y = self.stem(x)
        pooled = self.pooled(y.mean((2, 3), keepdim=True)).expand(-1, -1, *y.shape[2:])
        y = self.out(self.project(torch.cat([*(layer(y) for layer in self.dilated), pooled], 1)))
        return {"out": nn.functional.interpolate(y, size=x.shape[2:], mode="bilinear")}


class DCGAN(nn.Module):
    """A. Radford et al., DCGAN, 2015: the generator, transposed convolutions from noise to an image."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.ConvTranspose2d(8, 16, 4, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
            *(nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh()),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z[:, :, None, None])


class VAE(nn.Module):
    """D. Kingma and M. Welling, 2013; in evaluation mode the mean of the code is decoded. Three outputs."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(768, 16), nn.ReLU())
        self.mean, self.logvar = nn.Linear(16, 4), nn.Linear(16, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 768))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y = self.encoder(x)
        mean, logvar = self.mean(y), self.logvar(y)
        code = mean + torch.randn_like(mean) * (0.5 * logvar).exp() if self.training else mean
        return self.decoder(code).view_as(x), mean, logvar


class DiffusionBlock(nn.Module):
    """J. Ho et al., DDPM, 2020: residual blocks that are told the time, group norm, attention over pixels."""

    def __init__(self, channels: int = 8):
        super().__init__()
        self.register_buffer("betas", torch.linspace(1e-4, 0.02, 50))
        self.time = nn.Sequential(nn.Linear(8, 16), nn.SiLU(), nn.Linear(16, channels))
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        self.norm1, self.conv1 = nn.GroupNorm(2, channels), nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(2, channels), nn.Conv2d(channels, channels, 3, padding=1)
        self.norm3, self.qkv, self.proj = nn.GroupNorm(2, channels), nn.Conv2d(channels, 3 * channels, 1), None
        self.proj = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        angles = t[:, None] * torch.exp(-math.log(1e4) * torch.arange(4) / 4)
        time = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        x = self.stem(x)
        y = self.conv1(nn.functional.silu(self.norm1(x))) + time[:, :, None, None]
        x = x + self.conv2(nn.functional.silu(self.norm2(y)))
        q, k, v = self.qkv(self.norm3(x)).flatten(2).chunk(3, 1)
        weights = (q.transpose(1, 2) @ k / q.shape[1] ** 0.5).softmax(-1)
        x = x + self.proj((v @ weights.transpose(1, 2)).view_as(x))
        return self.out(x)


class WaveNet(nn.Module):
    """A. van den Oord et al., WaveNet, 2016: dilated causal convolutions with gates and skips."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv1d(1, 8, 1)
        self.dilated = nn.ModuleList(nn.Conv1d(8, 16, 2, dilation=d) for d in (1, 2, 4))
        self.residual = nn.ModuleList(nn.Conv1d(8, 8, 1) for _ in range(3))
        self.skip = nn.ModuleList(nn.Conv1d(8, 12, 1) for _ in range(3))
        self.out = nn.Conv1d(12, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.stem(x), 0
        for dilated, residual, skip in zip(self.dilated, self.residual, self.skip):
            a, b = dilated(nn.functional.pad(x, (dilated.dilation[0], 0))).chunk(2, 1)
            gated = a.tanh() * b.sigmoid()
            skips, x = skips + skip(gated), x + residual(gated)
        return self.out(nn.functional.relu(skips))


def video() -> nn.Module:
    """D. Tran et al., C3D, ICCV 2015: convolutions over space and time."""
    return nn.Sequential(
        *(nn.Conv3d(3, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.MaxPool3d(2)),
        *(nn.Conv3d(8, 12, 3, padding=1), nn.BatchNorm3d(12), nn.ReLU()),
        *(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(12, 10)),
    )


class ConvLSTM(nn.Module):
    """X. Shi et al., ConvLSTM, 2015: gates are convolutions of the frame and of the state."""

    def __init__(self, inputs: int = 1, hidden: int = 6):
        super().__init__()
        self.gates, self.out = nn.Conv2d(inputs + hidden, 4 * hidden, 3, padding=1), nn.Conv2d(hidden, 1, 1)
        self.hidden = hidden

    def forward(self, frames: Tensor) -> Tensor:
        h = c = frames.new_zeros(len(frames), self.hidden, *frames.shape[3:])
        for frame in frames.unbind(1):
            i, f, o, g = self.gates(torch.cat([frame, h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return self.out(h)


class InstanceStyle(nn.Module):
    """J. Johnson et al., Perceptual Losses, ECCV 2016: instance norm with running statistics, reflected borders."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
        self.conv2, self.prelu = nn.Conv2d(8, 3, 3), nn.PReLU(8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.prelu(self.norm1(self.conv1(nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"))))
        return self.conv2(nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"))


def super_resolution() -> nn.Module:
    """W. Shi et al., ESPCN, CVPR 2016: pixels out of channels."""
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.Tanh(), nn.Conv2d(12, 12, 3, padding=1), nn.PixelShuffle(2))
