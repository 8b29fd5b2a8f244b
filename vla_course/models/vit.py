"""A Vision Transformer: a picture is a sentence of patches."""

import torch
from torch import Tensor, nn

from vla_course.errors import CourseError
from vla_course.models.positions import sine_positions_2d
from vla_course.models.transformer import Transformer


class ViTEncoder(nn.Module):
    """A Vision Transformer (Dosovitskiy et al. 2021, equations 1 to 4) that keeps its patches as a map.

    There is no class token: a policy asks where things are, and the patches know.

    Args:
        width: features of each patch; divisible by `heads`, and by 4 for sine positions.
        patch: side of a patch in pixels.
        layers: blocks.
        heads: attention heads of each block.
        grid: rows and columns of patches, for positions that are learned; then only pictures of this size fit.
            None: 2-D sine positions, which fit pictures of any size.
    """

    def __init__(
        self, width: int, patch: int = 8, layers: int = 4, heads: int = 4, grid: tuple[int, int] | None = None
    ):
        super().__init__()
        self.patch = patch
        self.grid = grid
        # Cut into patches and put each through one linear layer: the same as a convolution whose step is its size.
        self.embedding = nn.Conv2d(3, width, patch, stride=patch)
        self.positions = None if grid is None else nn.Parameter(torch.randn(grid[0] * grid[1], width) * 0.02)
        self.transformer = Transformer(width, heads, layers)
        self.features = width

    def forward(self, images: Tensor) -> Tensor:
        """Encode pictures.

        Args:
            images: (B, 3, H, W) float32 in [0, 1].

        Returns:
            (B, C, H / patch, W / patch) feature map.

        Raises:
            CourseError: the patches do not tile the picture, or it is not of the size whose positions were learned.
        """
        height, width = images.shape[-2:]
        if height % self.patch or width % self.patch:
            raise CourseError(
                f"a picture of {height} x {width} pixels does not divide into patches of {self.patch}; resize it"
            )
        patches = self.embedding(images * 2 - 1)  # (B, C, h, w)
        grid = tuple(patches.shape[-2:])
        if self.positions is None:
            positions = sine_positions_2d(*grid, self.features).to(patches)
        elif grid == self.grid:
            positions = self.positions
        else:
            raise CourseError(f"a picture of {grid} patches meets positions learned for {self.grid}; resize it")
        tokens, _ = self.transformer(patches.flatten(2).transpose(1, 2) + positions)  # (B, h * w, C)
        return tokens.transpose(1, 2).unflatten(2, grid)
