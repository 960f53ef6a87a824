"""Small versions of convolutional networks for images: what makes each of them what it is, at a few thousand values."""

import torch
from torch import Tensor, nn


def unit(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1, act: type = nn.ReLU):
    """Convolution, batch norm, activation."""
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        act(),
    ]
    return nn.Sequential(*layers)


def head(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class BasicBlock(nn.Module):
    """K. He et al., Deep Residual Learning, CVPR 2016: two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        kept = x if self.downsample is None else self.downsample(x)
        x = nn.functional.relu(self.bn1(self.conv1(x)))
        return nn.functional.relu(self.bn2(self.conv2(x)) + kept)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 (in groups: ResNeXt, RegNet), 1 x 1, with squeeze and excitation in RegNetY and SE-ResNet."""

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int, groups: int = 1, squeeze: int = 0):
        super().__init__()
        self.a = unit(inputs, inner, 1)
        self.b = unit(inner, inner, 3, stride, groups)
        self.se = Squeeze(inner, squeeze) if squeeze else nn.Identity()
        self.c = nn.Sequential(nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.c(self.se(self.b(self.a(x)))) + self.shortcut(x))


class Squeeze(nn.Module):
    """J. Hu et al., Squeeze-and-Excitation Networks, CVPR 2018: a gate a channel."""

    def __init__(self, channels: int, squeezed: int, gate: type = nn.Sigmoid):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(self.fc2(nn.functional.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class InvertedResidual(nn.Module):
    """M. Sandler et al., MobileNetV2, CVPR 2018: expand, depthwise, project; with a gate in V3 and EfficientNet."""

    def __init__(self, inputs, outputs, stride, expand, act=nn.ReLU6, squeeze=0, gate=nn.Sigmoid, kernel=3):
        super().__init__()
        inner = inputs * expand
        self.expand = unit(inputs, inner, 1, act=act) if expand > 1 else nn.Identity()
        self.depthwise = unit(inner, inner, kernel, stride, inner, act)
        self.se = Squeeze(inner, squeeze, gate) if squeeze else nn.Identity()
        self.project = nn.Sequential(nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.keeps = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.se(self.depthwise(self.expand(x))))
        return x + y if self.keeps else y


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class ShuffleV1(nn.Module):
    """X. Zhang et al., ShuffleNet, CVPR 2018: grouped 1 x 1 convolutions with shuffled channels."""

    def __init__(self, channels: int, groups: int):
        super().__init__()
        self.groups = groups
        self.a = unit(channels, channels // 2, 1, groups=groups)
        self.b = nn.Sequential(nn.Conv2d(channels // 2, channels // 2, 3, 1, 1, groups=channels // 2, bias=False))
        self.bn = nn.BatchNorm2d(channels // 2)
        self.c = nn.Sequential(nn.Conv2d(channels // 2, channels, 1, groups=groups, bias=False))
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.b(channel_shuffle(self.a(x), self.groups)))
        return nn.functional.relu(x + self.bn2(self.c(y)))


class ShuffleV2(nn.Module):
    """N. Ma et al., ShuffleNet V2, ECCV 2018: half of the channels pass by, then all are shuffled."""

    def __init__(self, channels: int):
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            unit(half, half, 1),
            nn.Conv2d(half, half, 3, 1, 1, groups=half, bias=False),
            nn.BatchNorm2d(half),
            unit(half, half, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        return channel_shuffle(torch.cat([left, self.branch(right)], 1), 2)


class DenseLayer(nn.Module):
    """G. Huang et al., DenseNet, CVPR 2017: norm first, and every layer sees all before it."""

    def __init__(self, inputs: int, growth: int):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(nn.functional.relu(self.norm2(self.conv1(nn.functional.relu(self.norm1(x))))))
        return torch.cat([x, y], 1)


class Ghost(nn.Module):
    """K. Han et al., GhostNet, CVPR 2020: half of the channels are cheap functions of the other half."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        half = outputs // 2
        self.primary, self.cheap = unit(inputs, half, 1), unit(half, half, 3, groups=half)

    def forward(self, x: Tensor) -> Tensor:
        y = self.primary(x)
        return torch.cat([y, self.cheap(y)], 1)


class Fire(nn.Module):
    """F. Iandola et al., SqueezeNet, 2016: squeeze, then two kernels side by side."""

    def __init__(self, inputs: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.one, self.three = nn.Conv2d(squeezed, expanded, 1), nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu(self.squeeze(x))
        return torch.cat([nn.functional.relu(self.one(x)), nn.functional.relu(self.three(x))], 1)


class Inception(nn.Module):
    """C. Szegedy et al., Going Deeper with Convolutions, CVPR 2015: four branches side by side."""

    def __init__(self, inputs: int, each: int):
        super().__init__()
        self.one = unit(inputs, each, 1)
        self.three = nn.Sequential(unit(inputs, each, 1), unit(each, each))
        self.five = nn.Sequential(unit(inputs, each, 1), unit(each, each, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), unit(inputs, each, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in (self.one, self.three, self.five, self.pool)], 1)


class ConvNeXtBlock(nn.Module):
    """Z. Liu et al., A ConvNet for the 2020s, CVPR 2022: depthwise, layer norm over channels, a layer scale."""

    def __init__(self, channels: int):
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.pwconv1, self.pwconv2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(nn.functional.gelu(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


def resnet() -> nn.Module:
    return nn.Sequential(unit(3, 8), BasicBlock(8, 8, 1), BasicBlock(8, 16, 2), BasicBlock(16, 16, 1), head(16))


def resnet_bottleneck() -> nn.Module:
    return nn.Sequential(unit(3, 8), Bottleneck(8, 4, 16, 1), Bottleneck(16, 8, 32, 2), head(32))


def resnext() -> nn.Module:
    return nn.Sequential(unit(3, 16), Bottleneck(16, 16, 32, 1, 4), Bottleneck(32, 16, 32, 2, 4), head(32))


def regnet_x() -> nn.Module:
    return nn.Sequential(unit(3, 8), Bottleneck(8, 16, 16, 2, 2), Bottleneck(16, 16, 16, 1, 2), head(16))


def regnet_y() -> nn.Module:
    return nn.Sequential(unit(3, 8), Bottleneck(8, 16, 16, 2, 2, 4), Bottleneck(16, 16, 16, 1, 2, 4), head(16))


def vgg() -> nn.Module:
    return nn.Sequential(
        unit(3, 8), unit(8, 8), nn.MaxPool2d(2), unit(8, 16), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * 16, 10)
    )


def alexnet() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(), nn.LocalResponseNorm(3), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 12, 3, padding=1, groups=2), nn.ReLU(), nn.Flatten(), nn.Dropout()),
        *(nn.Linear(12 * 16, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10)),
    )


def mobilenet_v1() -> nn.Module:
    return nn.Sequential(unit(3, 8), unit(8, 8, groups=8), unit(8, 16, 1), unit(16, 16, groups=16), head(16))


def mobilenet_v2() -> nn.Module:
    blocks = [InvertedResidual(8, 8, 1, 1), InvertedResidual(8, 12, 2, 4), InvertedResidual(12, 12, 1, 4)]
    return nn.Sequential(unit(3, 8, act=nn.ReLU6), *blocks, head(12))


def mobilenet_v3() -> nn.Module:
    swish = {"act": nn.Hardswish, "squeeze": 8, "gate": nn.Hardsigmoid}
    blocks = [InvertedResidual(8, 8, 1, 2), InvertedResidual(8, 12, 2, 4, **swish, kernel=5)]
    return nn.Sequential(unit(3, 8, act=nn.Hardswish), *blocks, InvertedResidual(12, 12, 1, 4, **swish), head(12))


def efficientnet() -> nn.Module:
    swish = {"act": nn.SiLU, "squeeze": 4}
    blocks = [InvertedResidual(8, 8, 1, 1, **swish), InvertedResidual(8, 12, 2, 4, **swish, kernel=5)]
    return nn.Sequential(unit(3, 8, act=nn.SiLU), *blocks, InvertedResidual(12, 12, 1, 4, **swish), head(12))


def shufflenet_v1() -> nn.Module:
    return nn.Sequential(unit(3, 16, stride=2), ShuffleV1(16, 4), ShuffleV1(16, 4), head(16))


def shufflenet_v2() -> nn.Module:
    return nn.Sequential(unit(3, 16, stride=2), ShuffleV2(16), ShuffleV2(16), unit(16, 24, 1), head(24))


def densenet() -> nn.Module:
    layers = [DenseLayer(8, 4), DenseLayer(12, 4)]
    transition = [nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 8, 1, bias=False), nn.AvgPool2d(2)]
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), *layers, *transition, DenseLayer(8, 4), nn.BatchNorm2d(12), head(12)
    )


def ghostnet() -> nn.Module:
    return nn.Sequential(unit(3, 8), Ghost(8, 16), nn.MaxPool2d(2), Ghost(16, 24), head(24))


def squeezenet() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), Fire(8, 4, 8), Fire(16, 4, 8)),
        *(nn.Conv2d(16, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


def googlenet() -> nn.Module:
    return nn.Sequential(unit(3, 8), Inception(8, 4), nn.MaxPool2d(2), Inception(16, 6), head(24))


class ConvNeXt(nn.Module):
    """Stem of patches, two stages, a norm over the pooled features."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, 4)
        self.stages = nn.Sequential(ConvNeXtBlock(8), nn.Conv2d(8, 16, 2, 2), ConvNeXtBlock(16))
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.stages(self.stem(x)).mean((2, 3))))


class ScaledStandard(nn.Conv2d):
    """A. Brock et al., NFNets, 2021: weights are standardised, and have a gain a channel."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 3, padding=1)
        self.gain = nn.Parameter(torch.ones(outputs, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        var, mean = torch.var_mean(self.weight, (1, 2, 3), keepdim=True)
        weight = (self.weight - mean) * self.gain / (var * self.weight[0].numel() + 1e-4).sqrt()
        return nn.functional.conv2d(x, weight, self.bias, padding=1)


def nfnet() -> nn.Module:
    return nn.Sequential(ScaledStandard(3, 8), nn.GELU(), nn.MaxPool2d(2), ScaledStandard(8, 12), nn.GELU(), head(12))


class Maxout(nn.Module):
    """I. Goodfellow et al., Maxout Networks, ICML 2013: the largest of several linear functions."""

    def __init__(self, inputs: int, outputs: int, pieces: int = 2):
        super().__init__()
        self.linear, self.pieces = nn.Linear(inputs, outputs * pieces), pieces

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).unflatten(-1, (-1, self.pieces)).amax(-1)


def maxout() -> nn.Module:
    return nn.Sequential(nn.Flatten(), Maxout(3 * 16 * 16, 12), Maxout(12, 10))


class Repeated(nn.Module):
    """M. Liang and X. Hu, Recurrent CNN, CVPR 2015: one block, called several times."""

    def __init__(self):
        super().__init__()
        self.stem, self.block, self.head = unit(3, 8), unit(8, 8), head(8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for _ in range(3):
            x = x + self.block(x)
        return self.head(x)


IMAGES = {
    "AlexNet": alexnet,
    "VGG": vgg,
    "ResNet": resnet,
    "ResNet, bottleneck": resnet_bottleneck,
    "ResNeXt": resnext,
    "RegNetX": regnet_x,
    "RegNetY": regnet_y,
    "MobileNetV1": mobilenet_v1,
    "MobileNetV2": mobilenet_v2,
    "MobileNetV3": mobilenet_v3,
    "EfficientNet": efficientnet,
    "ShuffleNet": shufflenet_v1,
    "ShuffleNetV2": shufflenet_v2,
    "DenseNet": densenet,
    "GhostNet": ghostnet,
    "SqueezeNet": squeezenet,
    "GoogLeNet": googlenet,
    "ConvNeXt": ConvNeXt,
    "NFNet": nfnet,
    "Maxout": maxout,
    "Recurrent CNN": Repeated,
}
"""Classifiers of images of 3 x 16 x 16."""
