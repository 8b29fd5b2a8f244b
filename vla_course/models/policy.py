"""The Vision-Language-Action policy: see, read, look, act.

picture ── vision encoder ──> map of features ──┐
                                                ├─ cross-attention ──> where and what ──┐
sentence ── language encoder ──> one query ─────┘                                       ├─ decoder ──> actions
robot state ────────────────────────────────────────────────────────────────────────────┘
"""

from collections import deque
from dataclasses import dataclass, field

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from vla_course.data.normalization import normalizer
from vla_course.data.tokenizer import WordTokenizer
from vla_course.models.attention import CrossAttention
from vla_course.models.decoders import WaypointDecoder
from vla_course.models.language import GRUEncoder, PretrainedTextEncoder
from vla_course.models.positions import grid_centers
from vla_course.models.vision import BackboneEncoder, ConvEncoder


@dataclass
class VLAConfig:
    """What a policy is made of.

    Attributes:
        words: vocabulary of the word tokenizer.
        camera: which picture it sees.
        chunk: actions that it plans at once.
        width: features of every part.
        heads: attention heads; the first is grounded. All of one head's width serves to tell the target
            from everything else, so one is better than two.
        vision: "conv", or a torchvision model; then `vision_layer` is where it is cut.
        vision_pretrained: start from torchvision's weights.
        language: "gru", or a `transformers` text model by local path or hub id.
        dropout: share of the attended features that training drops.
        grounding_weight: weight of the grounding loss; 0 switches it off.
        normalization: of state and actions; a kind of `vla_course.data.normalization`.
    """

    words: list[str] = field(default_factory=list)
    camera: str = "front"
    chunk: int = 5
    width: int = 48
    heads: int = 1
    vision: str = "conv"
    vision_layer: str = "layer2"
    vision_pretrained: bool = False
    language: str = "gru"
    dropout: float = 0.1
    grounding_weight: float = 0.1
    normalization: str = "mean_std"


_CARD = """---
{{ card_data }}
---

A Vision-Language-Action policy of the course in `vla_course`. Load it with `VLAPolicy.from_pretrained(folder)`.
"""


class VLAPolicy(nn.Module, PyTorchModelHubMixin, model_card_template=_CARD, tags=["robotics"]):
    """A policy with LeRobot's verbs. `save_pretrained(folder)` and `from_pretrained(folder or hub id)` come
    from huggingface_hub; the folder holds config.json and model.safetensors.

    Args:
        config: its parts.
    """

    def __init__(self, config: VLAConfig):
        super().__init__()
        self.config = config
        width = config.width
        if config.vision == "conv":
            self.vision: nn.Module = ConvEncoder(width)
        else:
            self.vision = BackboneEncoder(config.vision, config.vision_layer, config.vision_pretrained)
        if config.language == "gru":
            self.language: nn.Module = GRUEncoder(WordTokenizer(config.words), width)
        else:
            self.language = PretrainedTextEncoder(config.language)
        self.to_tokens = nn.Linear(self.vision.features, width)
        self.to_query = nn.Linear(self.language.features, width)
        self.fusion = CrossAttention(width, config.heads)
        self.dropout = nn.Dropout(config.dropout)
        self.decoder = WaypointDecoder(width + 2 * config.heads + 7, config.chunk, 7)
        for name in ("state", "action"):
            self.register_buffer(f"{name}_offset", torch.zeros(7))
            self.register_buffer(f"{name}_scale", torch.ones(7))
        self.reset()

    @classmethod
    def seeded(cls, config: VLAConfig, seed: int) -> "VLAPolicy":
        """A fresh policy whose first weights come from `seed`; the global random state stays as it was."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return cls(config)

    def set_statistics(self, statistics: dict) -> None:
        """Take the normalization from a data set's statistics; it is saved with the policy.

        Args:
            statistics: of "state" and "action", each as `vla_course.data.normalization.normalizer` takes it.

        Raises:
            CourseError: an unknown `normalization` in the config, or statistics that lack what it needs.
        """
        for name in ("state", "action"):
            offset, scale = normalizer(statistics[name], self.config.normalization)
            getattr(self, f"{name}_offset").copy_(torch.from_numpy(offset))
            getattr(self, f"{name}_scale").copy_(torch.from_numpy(scale))

    def plan(self, batch: dict) -> tuple[Tensor, Tensor]:
        """What it would do, and where it looks.

        Args:
            batch: pictures, state and instructions.

        Returns:
            Normalized actions (B, chunk, 7), and attention logits (B, heads, h, w).
        """
        actions, logits = self._answer(batch, [[sentence] for sentence in batch["task"]])
        return actions, logits[:, :, 0]

    def _answer(self, batch: dict, questions: list[list[str]]) -> tuple[Tensor, Tensor]:
        """Actions for the first question of each row (B, chunk, 7); logits for all: (B, heads, Q, h, w)."""
        features = self.vision(batch[f"observation.images.{self.config.camera}"])  # (B, C, h, w)
        grid = features.shape[-2:]
        tokens = self.to_tokens(features.flatten(2).transpose(1, 2))  # (B, h * w, width)
        sentences = [sentence for row in questions for sentence in row]
        queries = self.to_query(self.language(sentences)).unflatten(0, (len(questions), -1))  # (B, Q, width)
        answers, logits = self.fusion(queries, tokens)  # (B, Q, width), (B, heads, Q, h * w)
        logits = logits.unflatten(-1, grid)
        # Without this the decoder would know what was found, and not where.
        where = local_mean_position(logits[:, :, 0])  # (B, heads, 2)
        state = (batch["observation.state"] - self.state_offset) / self.state_scale
        seen = torch.cat([self.dropout(answers[:, 0]), (where.flatten(1) - 0.5) * 4, state], dim=1)
        return self.decoder(seen), logits

    def forward(self, batch: dict) -> tuple[Tensor, dict[str, float]]:
        """Loss of a batch, and its parts for the log.

        The action loss is L1. The grounding loss asks the first head to look at the object that the
        instruction names, and, where the batch holds pointing sentences, at those that they name.
        """
        pointing = batch.get("pointing.task", [[] for _ in batch["task"]])
        questions = [[first, *others] for first, others in zip(batch["task"], pointing, strict=True)]
        actions, logits = self._answer(batch, questions)
        wanted = (batch["action"] - self.action_offset) / self.action_scale
        keep = ~batch["action_is_pad"].unsqueeze(-1)
        action_loss = ((actions - wanted).abs() * keep).sum() / (keep.sum() * wanted.shape[-1])
        grounding = action_loss.new_zeros(())
        if "target_pixel" in batch:  # known in simulation only
            pixels = batch["target_pixel"].unsqueeze(1)  # (B, 1, 2)
            if "pointing.task" in batch:
                pixels = torch.cat([pixels, batch["pointing.pixel"]], dim=1)  # (B, Q, 2)
            grounding = grounding_loss(logits[:, 0].flatten(0, 1), pixels.flatten(0, 1))
        loss = action_loss + self.config.grounding_weight * grounding
        return loss, {"action_loss": action_loss.item(), "grounding_loss": grounding.item()}

    @torch.no_grad()
    def predict_action_chunk(self, batch: dict) -> Tensor:
        """Actions in the env's units: (B, chunk, 7)."""
        self.eval()
        return self.plan(batch)[0] * self.action_scale + self.action_offset

    def select_action(self, batch: dict) -> Tensor:
        """The next action: (B, 7). Plans a chunk when the last one is used up."""
        if not self._queue:
            self._queue.extend(self.predict_action_chunk(batch).unbind(1))
        return self._queue.popleft()

    def reset(self) -> None:
        """Forget the plan; call it when an episode begins."""
        self._queue: deque[Tensor] = deque()


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
