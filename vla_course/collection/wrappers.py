"""The environment for libraries that know no sentences."""

import gymnasium
import numpy as np
from gymnasium import spaces

from vla_course.data.tokenizer import PAD, WordTokenizer


class TokenizedInstruction(gymnasium.ObservationWrapper):
    """Turns the sentence into token ids, as Stable-Baselines3 and most RL libraries want it.

    The observation's `instruction` becomes (length,) int64, padded at the end.

    Args:
        env: a tabletop environment.
        tokenizer: the vocabulary.
        length: tokens; longer sentences are cut.
    """

    def __init__(self, env: gymnasium.Env, tokenizer: WordTokenizer, length: int = 16):
        super().__init__(env)
        self.tokenizer, self.length = tokenizer, length
        tokens = spaces.Box(0, len(tokenizer) - 1, (length,), np.int64)
        self.observation_space = spaces.Dict({**env.observation_space.spaces, "instruction": tokens})

    def observation(self, observation: dict) -> dict:
        """The observation with token ids for its sentence."""
        tokens = self.tokenizer.encode(observation["instruction"])[: self.length]
        padded = np.array(tokens + [PAD] * (self.length - len(tokens)), dtype=np.int64)
        return {**observation, "instruction": padded}
