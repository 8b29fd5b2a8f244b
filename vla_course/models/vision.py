"""Vision encoders: from a picture to a grid of feature vectors that still know where they are."""

import torch
from torch import Tensor, nn

from vla_course.errors import CourseError


class ConvEncoder(nn.Module):
    """A small convolutional network, trained from scratch.

    Two strided convolutions bring 64 x 64 pixels to a 16 x 16 map, one more looks around each cell.
    BatchNorm matters here: with GroupNorm the same policy did not learn to find its target at all.

    Args:
        width: features of each cell.
    """

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            _block(3, 24, stride=2),
            _block(24, width, stride=2),
            _block(width, width, stride=1),
        )
        self.features = width

    def forward(self, images: Tensor) -> Tensor:
        """Encode pictures.

        Args:
            images: (B, 3, H, W) float32 in [0, 1].

        Returns:
            (B, C, H / 4, W / 4) feature map.
        """
        return self.layers(images * 2 - 1)


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class BackboneEncoder(nn.Module):
    """Any torchvision backbone, cut at a layer that is still a map.

    Args:
        name: a torchvision model, such as "resnet50".
        layer: the module whose output to take, such as "layer2"; see
            `torchvision.models.feature_extraction.get_graph_node_names`.
        pretrained: fetch torchvision's default weights.
        frozen: keep its weights as they are, and the means of its BatchNorm too.

    Raises:
        CourseError: torchvision has no such model or layer, the layer gives no map, the model takes pictures of one
            size only, or the weights cannot be fetched.
    """

    def __init__(self, name: str, layer: str, pretrained: bool = False, frozen: bool = False):
        super().__init__()
        from torchvision import models
        from torchvision.models.feature_extraction import create_feature_extractor

        try:
            backbone = models.get_model(name, weights="DEFAULT" if pretrained else None)
        except ValueError:
            raise CourseError(
                f'vision encoder {name!r} is neither "conv", "vit" or "film", nor of torchvision.models.list_models()'
            ) from None
        except OSError as error:
            raise CourseError(
                f"the weights of {name!r} cannot be fetched ({error}); go on with pretrained=False or connect"
            ) from None
        try:
            self.backbone = create_feature_extractor(backbone, {layer: "map"})
        except ValueError:
            children = ", ".join(child for child, _ in backbone.named_children())
            raise CourseError(f"{name!r} has no layer {layer!r}; its top-level layers are: {children}") from None
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)
        self.frozen = False
        self.eval()
        try:
            with torch.no_grad():
                low, high = (self(torch.zeros(1, 3, height, 64)).shape for height in (64, 128))
        except (AssertionError, RuntimeError):  # a transformer of fixed size; a network for videos
            raise CourseError(f"{name!r} does not take pictures of any size; choose a convolutional model") from None
        if len(low) != 4 or low[1] != high[1]:  # flattened, or its features are not in the second place
            raise CourseError(
                f"layer {layer!r} of {name!r} gives {tuple(low)}, no map (B, C, h, w); choose an earlier layer"
            )
        self.features = low[1]
        self.frozen = frozen
        self.backbone.requires_grad_(not frozen)
        self.train()

    def train(self, mode: bool = True) -> "BackboneEncoder":
        """Train or evaluate; frozen, it only evaluates, for BatchNorm would change and dropout disturb."""
        return super().train(mode and not self.frozen)

    def forward(self, images: Tensor) -> Tensor:
        """Encode pictures: (B, 3, H, W) in [0, 1] to a feature map (B, C, h, w)."""
        return self.backbone((images - self.mean) / self.std)["map"]
