"""An eye: one camera of a policy. It encodes the picture, and finds in it what the sentence asks for."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vla_course.models.attention import CrossAttention
from vla_course.models.film import FiLMConvEncoder
from vla_course.models.fusion import ConcatFusion, FiLMFusion
from vla_course.models.joint import JointFusion
from vla_course.models.language import Words
from vla_course.models.positions import grid_centers, sine_positions_2d


class Seen(NamedTuple):
    """What an eye saw.

    Attributes:
        features: (B, F).
        logits: (B, heads, Q + K, h, w), before the softmax: where the Q questions of the instruction looked, and those
            of K pointing sentences; None where nothing looks.
    """

    features: Tensor
    logits: Tensor | None


class Eye(nn.Module):
    """Encoder and fusion of one camera.

    Args:
        vision: an encoder of pictures.
        fusion: "cross_attention": the sentence asks questions, the picture answers what is there and where. Or one of
            the fusions of all tokens at once, "concat", "film" and "joint".
        width: features of queries and tokens.
        heads: attention heads.
        questions: that the sentence asks, such as 2: one for the object, one for the place it goes to.
        dropout: share of the answers that training drops.
        glance: features of the picture as a whole, such as where the robot's own hand is; 0 for none.

    Attributes:
        features: numbers that it gives.
    """

    def __init__(
        self,
        vision: nn.Module,
        fusion: str,
        width: int,
        heads: int,
        questions: int = 1,
        dropout: float = 0.0,
        glance: int = 0,
    ):
        super().__init__()
        self.vision = vision
        self.to_tokens = nn.Linear(vision.features, width)
        self.asks = fusion == "cross_attention"
        if self.asks:
            self.to_query = nn.Linear(width, questions * width)
            self.to_next = nn.Linear(width, width) if questions == 2 else None
            self.fusion: nn.Module = CrossAttention(width, heads)
        else:
            self.fusion = {
                "concat": lambda: ConcatFusion(width),
                "film": lambda: FiLMFusion(width),
                "joint": lambda: JointFusion(width, heads),
            }[fusion]()
        self.dropout = nn.Dropout(dropout)
        self.glance = Glance(vision.features, glance) if glance else None
        answers = questions if self.asks else 1
        looks = heads * answers if fusion in ("cross_attention", "joint") else 0
        self.features = answers * width + looks * (3 if glance else 2) + glance

    def forward(self, images: Tensor, words: Words, extra: Tensor, pointing: Tensor) -> Seen:
        """Look.

        Args:
            images: (B, 3, H, W) in [0, 1].
            words: the instructions, `width` features each.
            extra: (B, S, width), other tokens, for the fusions of all tokens.
            pointing: (B, K, width), pooled vectors of sentences about other objects, for cross-attention.
        """
        condition = (words.pooled,) if isinstance(self.vision, FiLMConvEncoder) else ()
        features = self.vision(images, *condition)  # (B, C, h, w)
        grid = features.shape[-2:]
        tokens = self.to_tokens(features.flatten(2).transpose(1, 2))  # (B, h * w, width)
        if self.asks:
            summary, logits = self._ask(tokens, words.pooled, pointing)
            questions = logits.shape[2] - pointing.shape[1]
        else:
            tokens = tokens + sine_positions_2d(*grid, tokens.shape[-1]).to(tokens)
            (summary, logits), questions = self.fusion(tokens, words, extra), 1
        seen = [self.dropout(summary)]
        if logits is not None:
            logits = logits.unflatten(-1, grid)
            own = logits[:, :, :questions].flatten(1, 2)  # (B, heads * Q, h, w)
            # Without this the decoder would know what was found, and not where.
            seen.append((local_mean_position(own).flatten(1) - 0.5) * 4)
        if self.glance is not None:
            if logits is not None:  # what is asked for may be out of the picture: then no place stands out
                seen.append(own.flatten(2).softmax(-1).amax(-1))
            seen.append(self.glance(features))
        return Seen(torch.cat(seen, dim=1), logits)

    def _ask(self, tokens: Tensor, instruction: Tensor, pointing: Tensor) -> tuple[Tensor, Tensor]:
        """Answers to the instruction's questions (B, Q * width), and logits of all (B, heads, Q + K, N).

        A pointing sentence asks the first question only: where is what you name?
        """
        asked = torch.cat([instruction.unsqueeze(1), pointing], dim=1)  # (B, 1 + K, width)
        queries = self.to_query(asked).unflatten(-1, (-1, tokens.shape[-1]))  # (B, 1 + K, Q, width)
        answers, logits = self.fusion(queries[:, :, 0], tokens)
        if self.to_next is None:
            return answers[:, 0], logits
        # What was found helps to ask where it goes: into the bowl of its color.
        place, where = self.fusion(queries[:, :1, 1] + self.to_next(answers[:, :1]), tokens)
        return torch.cat([answers[:, 0], place[:, 0]], 1), torch.cat([logits[:, :, :1], where, logits[:, :, 1:]], 2)


class Glance(nn.Sequential):
    """The whole picture in a few features, coarse but with places: 8 x 8 cells of 8 numbers, and a linear layer.

    Args:
        inputs: features of the map.
        outputs: features of the picture.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            nn.AdaptiveAvgPool2d(8),
            nn.Conv2d(inputs, 8, 1),
            nn.Flatten(),
            nn.Linear(8 * 8 * 8, outputs),
            nn.ReLU(),
        )


def local_mean_position(logits: Tensor, radius: int = 2) -> Tensor:
    """Where each attention map peaks, to a fraction of a cell.

    The mean position under the whole map would be pulled toward everything that looks a little like
    the target. So only the cells around the highest one count.

    Args:
        logits: (B, heads, h, w), before the softmax.
        radius: cells around the peak that count.

    Returns:
        (B, heads, 2) u and v, each 0 to 1.
    """
    centers = grid_centers(*logits.shape[-2:], logits.device)  # (h * w, 2)
    flat = logits.flatten(2)
    cell = torch.tensor([logits.shape[-1], logits.shape[-2]], device=logits.device)
    offsets = (centers - centers[flat.argmax(-1)].unsqueeze(2)) * cell  # (B, heads, h * w, 2), in cells
    near = offsets.abs().amax(-1) < radius + 0.5
    return flat.masked_fill(~near, -torch.inf).softmax(-1) @ centers


def grounding_loss(logits: Tensor, pixel: Tensor, sigma: float = 0.04) -> Tensor:
    """Cross-entropy between an attention map and a Gaussian bump on the target.

    Args:
        logits: (B, h, w), before the softmax.
        pixel: (B, 2) u and v of the target, each 0 to 1.
        sigma: width of the bump, as a share of the picture.
    """
    centers = grid_centers(*logits.shape[-2:], logits.device)
    distance = (centers - pixel.unsqueeze(1)).square().sum(-1)  # (B, h * w)
    bump = (-distance / (2 * sigma**2)).softmax(-1)
    return -(bump * logits.flatten(1).log_softmax(-1)).sum(-1).mean()
