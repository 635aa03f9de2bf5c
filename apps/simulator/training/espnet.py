"""ESPNet (Mehta et al., ECCV 2018) in PyTorch, under the tensor names of the published checkpoints.

models/espnet.cpp builds the same network from a state dict of this one.
"""

import torch
from torch import nn

import weights_file

BN_EPS = 1e-3
BRANCHES = 5
INPUT_SCALE = 255


class Conv(nn.Module):
    """A convolution without bias whose padding keeps the size (but for the stride)."""

    def __init__(self, inputs, outputs, kernel, stride=1, dilation=1):
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)

    def forward(self, x):
        if self.conv.dilation[0] == 1:
            return self.conv(x)
        # oneDNN's gradient of dilated weights in bfloat16 reads beyond its memory (seen in PyTorch 2.15).
        with torch.autocast(x.device.type, enabled=False):
            return self.conv(x.float())


class PreluFunction(torch.autograd.Function):
    """PyTorch's own takes a quarter of the time of a training step on a CPU: its way back is not vectorised."""

    @staticmethod
    def forward(context, x, slope):
        context.save_for_backward(x, slope)
        return torch.addcmul(x * slope, x.relu(), 1 - slope)

    @staticmethod
    def backward(context, grad):
        x, slope = context.saved_tensors
        passed = torch.ops.aten.threshold_backward(grad, x, 0)
        return torch.addcmul(grad * slope, passed, 1 - slope), (x.clamp(max=0) * grad).sum((0, 2, 3), keepdim=True)


class Prelu(nn.PReLU):
    def forward(self, x):
        return PreluFunction.apply(x, self.weight.view(1, -1, 1, 1)) if self.training else super().forward(x)


class NormAct(nn.Module):
    """Batch normalisation and PReLU with a slope for each channel."""

    def __init__(self, channels):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, eps=BN_EPS)
        self.act = Prelu(channels)

    def forward(self, x):
        return self.act(self.bn(x))


class ConvNormAct(NormAct):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(outputs)
        self.conv = Conv(inputs, outputs, kernel, stride).conv

    def forward(self, x):
        return super().forward(self.conv(x))


def split(outputs):
    """Channels of the reduced map, and of the branch that takes the remainder."""
    branch = outputs // BRANCHES
    return branch, outputs - (BRANCHES - 1) * branch


def add_branches(module, outputs):
    branch, first = split(outputs)
    module.d1 = Conv(branch, first, 3)
    for power in range(1, BRANCHES):
        dilation = 2**power
        setattr(module, f"d{dilation}", Conv(branch, branch, 3, dilation=dilation))


def pyramid(module, reduced):
    """Split, transform, merge with hierarchical feature fusion (Figure 1)."""
    parts = [module.d1(reduced)]
    total = None
    for power in range(1, BRANCHES):
        transformed = getattr(module, f"d{2**power}")(reduced)
        total = transformed if total is None else total + transformed
        parts.append(total)
    return torch.cat(parts, 1)


class Esp(nn.Module):
    def __init__(self, inputs, outputs, residual=True):
        super().__init__()
        self.c1 = Conv(inputs, split(outputs)[0], 1)
        add_branches(self, outputs)
        self.bn = NormAct(outputs)
        self.residual = residual

    def forward(self, x):
        merged = pyramid(self, self.c1(x))
        return self.bn(x + merged if self.residual else merged)


class StridedEsp(NormAct):
    def __init__(self, inputs, outputs):
        super().__init__(outputs)
        self.c1 = Conv(inputs, split(outputs)[0], 3, stride=2)
        add_branches(self, outputs)

    def forward(self, x):
        return super().forward(pyramid(self, self.c1(x)))


class Encoder(nn.Module):
    """ESPNet-C: scores at 1/8 of the picture's size."""

    def __init__(self, classes=20, alpha2=2, alpha3=8):
        super().__init__()
        self.level1 = ConvNormAct(3, 16, 3, stride=2)
        self.halve = nn.AvgPool2d(3, stride=2, padding=1)
        self.b1 = NormAct(16 + 3)
        self.level2_0 = StridedEsp(16 + 3, 64)
        self.level2 = nn.ModuleList(Esp(64, 64) for _ in range(alpha2))
        self.b2 = NormAct(64 + 64 + 3)
        self.level3_0 = StridedEsp(64 + 64 + 3, 128)
        self.level3 = nn.ModuleList(Esp(128, 128) for _ in range(alpha3))
        self.b3 = NormAct(128 + 128)
        self.classifier = Conv(128 + 128, classes, 1)

    def features(self, image):
        """The first convolution's map (1/2), level 2 (1/4) and the scores (1/8)."""
        level1 = self.level1(image)
        half = self.halve(image)
        quarter = self.halve(half)
        first = self.level2_0(self.b1(torch.cat([level1, half], 1)))
        x = first
        for module in self.level2:
            x = module(x)
        level2 = self.b2(torch.cat([x, first, quarter], 1))
        first = self.level3_0(level2)
        x = first
        for module in self.level3:
            x = module(x)
        return level1, level2, self.classifier(self.b3(torch.cat([first, x], 1)))

    def forward(self, image):
        return self.features(image)[2]


class EspNet(nn.Module):
    """The encoder with the light decoder (Figure 4d): scores at the picture's size, which is a multiple of 8."""

    def __init__(self, classes=20, alpha2=2, alpha3=8):
        super().__init__()
        self.encoder = Encoder(classes, alpha2, alpha3)
        self.level3_C = Conv(64 + 64 + 3, classes, 1)
        self.br = nn.BatchNorm2d(classes, eps=BN_EPS)
        self.up_l3 = nn.Sequential(nn.ConvTranspose2d(classes, classes, 2, 2, bias=False))
        self.combine_l2_l3 = nn.Sequential(NormAct(2 * classes), Esp(2 * classes, classes, residual=False))
        self.up_l2 = nn.Sequential(nn.ConvTranspose2d(classes, classes, 2, 2, bias=False), NormAct(classes))
        self.conv = ConvNormAct(16 + classes, classes, 3)
        self.classifier = nn.ConvTranspose2d(classes, classes, 2, 2, bias=False)

    def forward(self, image):
        level1, level2, scores = self.encoder.features(image)
        x = self.up_l3(self.br(scores))
        x = self.combine_l2_l3(torch.cat([self.level3_C(level2), x], 1))
        x = self.up_l2(x)
        return self.classifier(self.conv(torch.cat([x, level1], 1)))


def initialise(network, generator):
    """He initialisation, but for two places that would otherwise learn slowly."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                module.weight.normal_(0, (2 / fan_out) ** 0.5, generator=generator)
            elif isinstance(module, nn.ConvTranspose2d):
                # Classes go up unmixed at first: what the encoder learnt is not lost on the way.
                module.weight.normal_(0, 0.01, generator=generator)
                for channel in range(module.in_channels):
                    module.weight[channel, channel] += 1
        # Pre-processed pixels are about 1/255. Beside the epsilon of the normalisations, that would be next to nothing.
        network.encoder.level1.conv.weight *= INPUT_SCALE
        network.encoder.b1.bn.weight[16:] *= 8
        network.encoder.b2.bn.weight[128:] *= 8


def parameter_groups(network, learning_rate, weight_decay):
    """For Adam, whose steps do not know how large a weight is: the first convolution's are 255 times the usual. Decay is
    for convolutions alone; it would pull normalisation and slopes to zero."""
    first = [network.encoder.level1.conv.weight]
    convolutions = [p for p in network.parameters() if p.dim() == 4 and p is not first[0]]
    others = [p for p in network.parameters() if p.dim() != 4]
    return [{"params": convolutions, "scale": 1, "lr": learning_rate, "weight_decay": weight_decay},
            {"params": first, "scale": INPUT_SCALE, "lr": learning_rate, "weight_decay": 0},
            {"params": others, "scale": 1, "lr": learning_rate, "weight_decay": 0}]  # fmt: skip


def state_dict(network):
    """What a checkpoint holds: without the counters that only PyTorch's batch normalisation keeps."""
    return {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}


def load_state(network, file):
    """Takes the weights of a file that was written from state_dict."""
    arrays, _ = weights_file.load(file)
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    missing, unexpected = network.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"'{file}' does not fit ESPNet: missing {missing}, unexpected {unexpected}")
