"""The networks in PyTorch: the layers and sizes of `workloads`, as a PyTorch user would write them.

Imported only by the PyTorch entrant, which is skipped where torch is absent.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.workloads import BLOCKS, DROPOUT, FEED_FORWARD, HEADS, TOKENS, WIDTH, WORDS


def mlp() -> nn.Module:
    """30 numbers > two hidden layers of 128 > one logit."""
    return nn.Sequential(nn.Linear(30, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))


class Residual(nn.Module):
    """Two convolutions of the normalised inputs, added to them; the shortcut is projected where the shape changes."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.ready = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU())
        changes = stride > 1 or before != width
        self.shortcut = nn.Conv2d(before, width, 1, stride, bias=False) if changes else None
        self.body = nn.Sequential(
            nn.Conv2d(before, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, before, height, width) -> (batch, width, height / stride, width / stride)."""
        ready = self.ready(inputs)
        return self.body(ready) + (inputs if self.shortcut is None else self.shortcut(ready))


def resnet() -> nn.Module:
    """(batch, 1, 28, 28) pictures > three residual stages of 16, 32 and 64 channels > average > one logit."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False),
        Residual(16, 16, 1),
        Residual(16, 32, 2),
        Residual(32, 64, 2),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 1),
    )


def resnet18() -> nn.Module:
    """(batch, 1, 28, 28) pictures > four stages of two residual blocks, 64 to 512 channels > average > one logit."""
    widths = (64, 64, 128, 128, 256, 256, 512, 512)
    before = (64, *widths[:-1])
    blocks = [Residual(old, new, 2 if new > old else 1) for old, new in zip(before, widths, strict=True)]
    return nn.Sequential(
        nn.Conv2d(1, 64, 3, padding=1, bias=False),
        *blocks,
        nn.BatchNorm2d(512),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, 1),
    )


class lstm(nn.Module):  # noqa: N801 - called by the workload's name, like the functions beside it
    """Tokens > embeddings > an LSTM in each direction > the largest value of each unit > one logit."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 64)
        self.recurrent = nn.LSTM(64, 32, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, 60) tokens -> (batch, 1) logits."""
        hidden, _ = self.recurrent(self.embedding(tokens))
        return self.head(hidden.amax(1))


class transformer(nn.Module):  # noqa: N801
    """Tokens and their places embedded > two pre-normalised encoder blocks > mean over tokens > four logits."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.places = nn.Embedding(TOKENS["transformer"], WIDTH)
        self.dropout = nn.Dropout(DROPOUT)
        block = nn.TransformerEncoderLayer(WIDTH, HEADS, FEED_FORWARD, DROPOUT, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, BLOCKS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, 128) tokens -> (batch, 4) logits."""
        places = self.places(torch.arange(tokens.shape[1]))
        return self.head(self.blocks(self.dropout(self.embedding(tokens) + places)).mean(1))


def _separable(before: int, width: int) -> list[nn.Module]:
    return [
        nn.Conv1d(before, before, 7, padding=3, groups=before, bias=False),
        nn.Conv1d(before, width, 1, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
    ]


class separable(nn.Module):  # noqa: N801
    """(batch, 40, 63) log-mel bands > four separable convolutions over time > average > ten logits."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = nn.LayerNorm(63, elementwise_affine=False, bias=False)
        self.bands, self.moments = nn.Dropout1d(0.1), nn.Dropout(0.1)
        layers: list[nn.Module] = []
        for block, before in enumerate((40, 96, 96, 96)):
            layers += [*_separable(before, 96), *([nn.MaxPool1d(2)] if block < 3 else [])]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(96, 10)

    def forward(self, bands: Tensor) -> Tensor:
        """(batch, 40, 63) -> (batch, 10) logits."""
        hidden = self.bands(self.normalise(bands))
        hidden = hidden * self.moments(torch.ones(len(hidden), 1, hidden.shape[2]))
        return self.head(self.layers(hidden).mean(2))
