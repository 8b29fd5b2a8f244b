"""Feature-wise linear modulation (FiLM): a sentence turns the knobs of a network."""

from torch import Tensor, nn


class FiLM(nn.Module):
    """Scale and shift each feature by what a condition says (Perez et al. 2018, equations 1 and 2).

    FiLM(F, c) = (1 + gamma(c)) F + beta(c). It starts as the identity, with gamma = beta = 0, so that it does not
    disturb what it is put into (Brohan et al. 2022, RT-1, section 5.1).

    Args:
        condition: features of the condition.
        features: features that are scaled and shifted.
    """

    def __init__(self, condition: int, features: int):
        super().__init__()
        self.scale_and_shift = nn.Linear(condition, 2 * features)
        nn.init.zeros_(self.scale_and_shift.weight)
        nn.init.zeros_(self.scale_and_shift.bias)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Modulate.

        Args:
            features: (B, C, ...), such as a map (B, C, h, w).
            condition: (B, K).

        Returns:
            As `features`.
        """
        gamma, beta = (
            x.reshape(*x.shape, *[1] * (features.ndim - 2))  # (B, C, 1, ...): the same in every place
            for x in self.scale_and_shift(condition).chunk(2, dim=1)
        )
        return (1 + gamma) * features + beta


class FiLMConvEncoder(nn.Module):
    """The layers of `ConvEncoder`, each told what to look for: the sentence changes how the picture is seen.

    FiLM stands where Perez et al. put it, between the normalization and the ReLU, and replaces the
    normalization's own scale and shift.

    Args:
        width: features of each cell.
        condition: features of the condition.
    """

    def __init__(self, width: int, condition: int):
        super().__init__()
        shapes = ((3, 24, 2), (24, width, 2), (width, width, 1))
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, step, padding=1, bias=False) for i, o, step in shapes)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o, affine=False) for _, o, _ in shapes)
        self.films = nn.ModuleList(FiLM(condition, o) for _, o, _ in shapes)
        self.features = width

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """Encode pictures.

        Args:
            images: (B, 3, H, W) float32 in [0, 1].
            condition: (B, K), such as a pooled sentence.

        Returns:
            (B, C, H / 4, W / 4) feature map.
        """
        x = images * 2 - 1
        for convolution, norm, film in zip(self.convolutions, self.norms, self.films, strict=True):
            x = film(norm(convolution(x)), condition).relu()
        return x
