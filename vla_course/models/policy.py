"""The Vision-Language-Action policy: see, read, look, act.

pictures ── vision encoders ──> maps of features ──┐
                                                   ├─ fusion ──> where and what ──┐
sentence ── language encoder ──> what to look for ─┘                              ├─ decoder ──> actions
robot state ──────────────────────────────────────────────────────────────────────┘
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Generator, Tensor, nn

from vla_course.data.action_tokens import quantile_bins, uniform_bins
from vla_course.data.normalization import normalizer
from vla_course.data.tokenizer import WordTokenizer
from vla_course.errors import CourseError, one_of
from vla_course.models import decoders
from vla_course.models.execution import RecedingHorizon, TemporalEnsemble
from vla_course.models.eye import Eye, grounding_loss
from vla_course.models.film import FiLMConvEncoder
from vla_course.models.language import BagOfWords, GRUEncoder, PretrainedTextEncoder, Words
from vla_course.models.observation import StateToken
from vla_course.models.text_transformer import TransformerTextEncoder
from vla_course.models.vision import BackboneEncoder, ConvEncoder
from vla_course.models.vit import ViTEncoder
from vla_course.models.word_cache import WordCache
from vla_course.sim.cameras import CAMERAS

ACTION = 7  # numbers in an action, and in a state
FUSIONS = ("cross_attention", "concat", "film", "joint")
RELATIVE_SCALE = 10.0  # relative positions are learned in units of 10 cm
COOL = 0.5  # temperature of decoders that draw: an arm needs draws that scatter less than its demonstrations do
VAGUE = 0.01  # metres, standard deviation of what training adds to the places that the policy shall remember


@dataclass
class VLAConfig:
    """What a policy is made of, and how it acts. The defaults are the one-shot policy of week 0.

    Attributes:
        words: vocabulary of the word tokenizer.
        cameras: which pictures it sees; `plan` tells where it looks in the first.
        action_mode: of the environment; "waypoint" plans once, "ee_delta" acts at 10 Hz.
        robot: that it was shown, and acts with.
        image_size: height and width of the pictures, pixels.
        chunk: actions that it plans at once.
        execute: actions of a chunk that are carried out before it plans again; None for all of them.
        ensemble: plan at every step and average what the plans say of it; then `execute` does not count.
        width: features of every part.
        heads: attention heads; the first is grounded. All of one head's width serves to tell the target
            from everything else, so one is better than two.
        questions: that a sentence asks of each picture: 1 for its object, 2 for the place too.
        hidden: features of a layer in which all that was seen meets, before the decoder; 0 for none.
        glance: features of each picture as a whole; 0 for none.
        vision: "conv", "vit", "film", or a torchvision model; then `vision_layer` is where it is cut.
        vision_pretrained: start from torchvision's weights.
        vision_frozen: keep them.
        language: "gru", "bag", "transformer", or a `transformers` text model by local path or hub id.
        fusion: "cross_attention", "concat", "film" or "joint".
        decoder: a key of `DECODERS`.
        bins: of action tokens, "uniform" or "quantile"; see `vla_course.data.action_tokens`.
        dropout: share of the attended features that training drops.
        grounding_weight: weight of the grounding loss; 0 switches it off.
        relative_weight: weight of the loss that asks where the objects are, seen from the hand; needs `hidden`.
        memory: remember where the objects were when the episode began, as it saw them then: how far something was
            pushed is not to be seen in a later picture. Needs `relative_weight`.
        normalization: of state and actions; a kind of `vla_course.data.normalization`.
    """

    words: list[str] = field(default_factory=list)
    cameras: list[str] = field(default_factory=lambda: ["front"])
    action_mode: str = "waypoint"
    robot: str = "panda"
    image_size: int = 64
    chunk: int = 5
    execute: int | None = None
    ensemble: bool = False
    width: int = 48
    heads: int = 1
    questions: int = 1
    hidden: int = 0
    glance: int = 0
    vision: str = "conv"
    vision_layer: str = "layer2"
    vision_pretrained: bool = False
    vision_frozen: bool = False
    language: str = "gru"
    fusion: str = "cross_attention"
    decoder: str = "l1"
    bins: str = "uniform"
    dropout: float = 0.1
    grounding_weight: float = 0.1
    relative_weight: float = 0.0
    memory: bool = False
    normalization: str = "mean_std"


def closed_loop(**fields: object) -> VLAConfig:
    """The policy that acts at 10 Hz: two cameras, chunks of 8 actions of which 2 are carried out.

    Args:
        fields: of `VLAConfig`, in place of its own.
    """
    own = {
        "cameras": ["front", "wrist"],
        "action_mode": "ee_delta",
        "chunk": 8,
        "execute": 2,
        "questions": 2,
        "hidden": 256,
        "glance": 64,
        "dropout": 0.0,
        "grounding_weight": 0.25,
        "relative_weight": 0.3,
        "memory": True,
        "normalization": "min_max",
    }
    return VLAConfig(**(own | fields))


# Each is made with the features of the context, the length of a chunk and the numbers in an action, and a width.
DECODERS: dict[str, Callable[[int, int, int, int], nn.Module]] = {
    "l1": decoders.WaypointDecoder,
    "mse": lambda d, t, a, width: decoders.WaypointDecoder(d, t, a, width, error="mse"),
    "tokens": lambda d, t, a, width: decoders.TokenDecoder(d, t, a, width=width, spread=0.1, choice="expectation"),
    "hard_tokens": lambda d, t, a, width: decoders.TokenDecoder(d, t, a, width=width),
    "autoregressive": lambda d, t, a, width: decoders.AutoregressiveDecoder(d, t, a, spread=0.1, choice="expectation"),
    "act": lambda d, t, a, width: decoders.ACTDecoder(d, t, a),
    "diffusion": lambda d, t, a, width: decoders.DiffusionDecoder(d, t, a, width, temperature=COOL),
    "flow": lambda d, t, a, width: decoders.FlowDecoder(d, t, a, width, temperature=COOL),
}

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

    Attributes:
        generator: what a decoder draws from that draws, on the policy's device; None: torch's own random state.

    Raises:
        CourseError: an unknown part, or parts that do not fit together.
    """

    def __init__(self, config: VLAConfig):
        super().__init__()
        self.config = config
        _check(config)
        width = config.width
        encoders = [_vision(config) for _ in config.cameras]
        self.language = _language(config)
        features = self.language.features
        self.to_width = nn.Identity() if features == width else nn.Linear(features, width)
        how = (config.fusion, width, config.heads, config.questions, config.dropout, config.glance)
        self.eyes = nn.ModuleDict({c: Eye(encoder, *how) for c, encoder in zip(config.cameras, encoders, strict=True)})
        # Only a fusion of all tokens at once takes the state among them.
        self.state_token = None if config.fusion == "cross_attention" else StateToken(ACTION, width)
        known = sum(eye.features for eye in self.eyes.values()) + ACTION
        if config.hidden:
            self.trunk = nn.Sequential(nn.Linear(known + width, config.hidden), nn.ReLU())
            self.relative = nn.Linear(config.hidden, 3 * config.questions)
            known = config.hidden + 3 * config.questions * (2 if config.memory else 1) + ACTION + width
        self.decoder = DECODERS[config.decoder](known, config.chunk, ACTION, config.hidden or 128)
        for name in ("state", "action"):
            self.register_buffer(f"{name}_offset", torch.zeros(ACTION))
            self.register_buffer(f"{name}_scale", torch.ones(ACTION))
        self.generator: Generator | None = None
        self.reset()

    @classmethod
    def seeded(cls, config: VLAConfig, seed: int) -> "VLAPolicy":
        """A fresh policy whose first weights come from `seed`; the global random state stays as it was."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return cls(config)

    def set_statistics(self, statistics: dict, actions: np.ndarray | None = None) -> None:
        """Take the normalization from a data set's statistics, and the bins of action tokens; saved with the policy.

        Args:
            statistics: of "state" and "action", each as `vla_course.data.normalization.normalizer` takes it; for
                uniform bins also the "min" and "max" of the actions.
            actions: (N, A) all that were recorded; for quantile bins.

        Raises:
            CourseError: an unknown `normalization` in the config, or what it or the bins need is missing.
        """
        for name in ("state", "action"):
            offset, scale = normalizer(statistics[name], self.config.normalization)
            getattr(self, f"{name}_offset").copy_(torch.from_numpy(offset))
            getattr(self, f"{name}_scale").copy_(torch.from_numpy(scale))
        if hasattr(self.decoder, "bins"):  # offset and scale are still those of the action
            count = self.decoder.bins.edges.shape[1] - 1
            if self.config.bins == "uniform":
                low, high = ((np.array(statistics["action"][end]) - offset) / scale for end in ("min", "max"))
                self.decoder.bins.set(uniform_bins(low, high, count))
            elif actions is None:
                raise CourseError("quantile bins are made of the recorded actions; call set_statistics(..., actions)")
            else:
                self.decoder.bins.set(quantile_bins((actions - offset) / scale, count))

    def plan(self, batch: dict) -> tuple[Tensor, Tensor | None]:
        """What it would do, and where it looks.

        Args:
            batch: pictures, state and instructions.

        Returns:
            Normalized actions (B, chunk, 7); and attention logits (B, heads, h, w) of the first camera, asked for the
            object, None where the fusion does not look.
        """
        context, _, logits = self._understand(batch)
        first = logits[self.config.cameras[0]]
        return self.decoder.sample(context, self.generator), None if first is None else first[:, :, 0]

    def _understand(
        self, batch: dict, pointing: list[list[str]] | None = None
    ) -> tuple[Tensor, Tensor | None, dict[str, Tensor | None]]:
        """See, read and look. K pointing sentences with each instruction name other things in the front picture.

        Returns:
            The context of the decoder (B, D); where the objects are, seen from the hand, (B, Q, 3) in 10 cm; and each
            camera's logits (B, heads, Q, h, w), Q + K of the front camera.
        """
        pointing = pointing or [[]] * len(batch["task"])
        questions = [[first, *others] for first, others in zip(batch["task"], pointing, strict=True)]
        words = self.language.encode([sentence for row in questions for sentence in row]).through(self.to_width)
        pooled = words.pooled.unflatten(0, (len(questions), -1))  # (B, 1 + K, width)
        words = Words(*(x[:: pooled.shape[1]] for x in words))
        state = (batch["observation.state"] - self.state_offset) / self.state_scale
        extra = pooled[:, :0] if self.state_token is None else self.state_token(state)
        seen, logits = [], {}
        for camera, eye in self.eyes.items():
            others = pooled[:, 1:] if camera == "front" else pooled[:, :0]
            features, logits[camera] = eye(batch[f"observation.images.{camera}"], words, extra, others)
            seen.append(features)
        context, relative = torch.cat([*seen, state], dim=1), None
        if self.config.hidden:
            hidden = self.trunk(torch.cat([context, words.pooled], dim=1))
            relative = self.relative(hidden)
            context = torch.cat([hidden, relative, state, words.pooled], dim=1)
            relative = relative.unflatten(1, (-1, 3))  # (B, Q, 3)
            if self.config.memory:
                context = torch.cat([context, self._start(batch, relative).flatten(1)], dim=1)
        return context, relative, logits

    def _start(self, batch: dict, relative: Tensor) -> Tensor:
        """Where the objects were at the start, seen from the hand now: (B, Q, 3) in 10 cm. At the start, what it sees.

        In training the true places, made as vague as what it will see itself.
        In validation the true places as they are, which is too kind (week 8, section 8).
        """
        if "start_positions" not in batch:
            return relative.detach()
        start = batch["start_positions"][:, : self.config.questions]
        if self.training:
            start = start + VAGUE * torch.randn_like(start)
        return (start - batch["observation.state"][:, None, :3]) * RELATIVE_SCALE

    def forward(self, batch: dict) -> tuple[Tensor, dict[str, float]]:
        """Loss of a batch, and its parts for the log.

        The action loss is the decoder's. The grounding loss asks the first head of each eye to look at what the
        instruction names, and, where the batch holds pointing sentences, at what they name. The relative loss asks
        where that is, seen from the hand. The last two need what only a simulator knows.
        """
        # The other fusions read one sentence with each picture.
        pointing = batch.get("pointing.task") if self.config.fusion == "cross_attention" else None
        context, relative, logits = self._understand(batch, pointing)
        wanted = (batch["action"] - self.action_offset) / self.action_scale
        action_loss = self.decoder.loss(context, wanted, ~batch["action_is_pad"])
        grounding = action_loss.new_zeros(())
        for camera, maps in logits.items():
            pixels = _pixels(batch, camera, self.config.questions)
            if maps is not None and pixels is not None:
                pixels = pixels[:, : maps.shape[2]]  # of as many as were asked for
                inside = ((pixels > 0) & (pixels < 1)).all(-1)  # the wrist camera does not always see them
                if inside.any():
                    grounding = grounding + grounding_loss(maps[:, 0][inside], pixels[inside]) * inside.float().mean()
        parts = {"action_loss": action_loss, "grounding_loss": grounding}
        loss = action_loss + self.config.grounding_weight * grounding
        if self.config.relative_weight:
            truth = batch["relative_positions"][:, : self.config.questions] * RELATIVE_SCALE
            parts["relative_loss"] = (relative - truth).abs().mean()
            loss = loss + self.config.relative_weight * parts["relative_loss"]
        return loss, {name: part.item() for name, part in parts.items()}

    @torch.no_grad()
    def predict_action_chunk(self, batch: dict) -> Tensor:
        """Actions in the env's units: (B, chunk, 7)."""
        self.eval()
        return self.plan(batch)[0] * self.action_scale + self.action_offset

    def select_action(self, batch: dict) -> Tensor:
        """The next action: (B, 7). Plans when the last plan is used up, or at every step where it averages plans."""
        if self.config.memory:
            if self._began is None:
                self._began = self.places(batch)
            batch = {**batch, "start_positions": self._began}
        return self._execution.next(lambda: self.predict_action_chunk(batch))

    @torch.no_grad()
    def places(self, batch: dict) -> Tensor:
        """Where it sees the things that it asks for: (B, Q, 3) metres. What it remembers of them, too, is from this."""
        _, relative, _ = self.eval()._understand(batch)
        return relative / RELATIVE_SCALE + batch["observation.state"][:, None, :3]

    def reset(self) -> None:
        """Forget the plan, and how it began; call it when an episode begins."""
        self._began: Tensor | None = None
        self._execution = TemporalEnsemble() if self.config.ensemble else RecedingHorizon(self.config.execute)


def _check(config: VLAConfig) -> None:
    """Refuse names and numbers that no policy can be made of."""
    one_of("fusion", config.fusion, FUSIONS)
    one_of("decoder", config.decoder, tuple(DECODERS))
    one_of("kind of bins", config.bins, ("uniform", "quantile"))
    least = {"chunk": 1, "width": 1, "heads": 1, "questions": 1, "hidden": 0, "glance": 0, "image_size": 1}
    for name, lowest in least.items():
        if getattr(config, name) < lowest:
            raise CourseError(f"{name}={getattr(config, name)}; give {lowest} or more")
    if config.questions > 2:
        raise CourseError(f"questions={config.questions}; a sentence asks for an object and a place, so give 1 or 2")
    if not 0 <= config.dropout < 1:
        raise CourseError(f"dropout={config.dropout}; give 0 or more, below 1")
    if not config.cameras:
        raise CourseError(f"cameras=[]; give one or more of {', '.join(CAMERAS)}")
    for camera in config.cameras:
        one_of("camera", camera, CAMERAS)
    if config.relative_weight and not config.hidden:
        raise CourseError(f"relative_weight={config.relative_weight} needs a hidden layer; set hidden, such as 256")
    if config.memory and not config.relative_weight:
        raise CourseError("memory=True needs the relative loss; set relative_weight, such as 0.3")
    if not config.ensemble and (config.execute or 1) > config.chunk:
        raise CourseError(f"execute={config.execute} of chunks of {config.chunk} actions; execute at most that many")


def _vision(config: VLAConfig) -> nn.Module:
    if config.vision == "conv":
        return ConvEncoder(config.width)
    if config.vision == "vit":
        return ViTEncoder(config.width)
    if config.vision == "film":
        return FiLMConvEncoder(config.width, config.width)
    return BackboneEncoder(config.vision, config.vision_layer, config.vision_pretrained, config.vision_frozen)


def _language(config: VLAConfig) -> nn.Module:
    own = {"gru": GRUEncoder, "bag": BagOfWords, "transformer": TransformerTextEncoder}
    if config.language in own:
        return own[config.language](WordTokenizer(config.words), config.width)
    return WordCache(PretrainedTextEncoder(config.language))  # frozen, so each sentence is encoded once


def _pixels(batch: dict, camera: str, questions: int) -> Tensor | None:
    """Where things are in a camera's picture: (B, Q + K, 2), in the order of its maps; None where nobody knows."""
    if camera == "wrist" and "wrist_pixels" in batch:
        return batch["wrist_pixels"][:, :questions]
    if camera != "front" or "target_pixel" not in batch:
        return None
    own = torch.stack([batch["target_pixel"], batch.get("reference_pixel", batch["target_pixel"])][:questions], 1)
    return torch.cat([own, batch["pointing.pixel"]], 1) if "pointing.pixel" in batch else own
