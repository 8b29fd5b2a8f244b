"""Actions as tokens: each number becomes the index of a bin, and comes back as the center of that bin.

A language model can then write actions as it writes words (RT-1, arXiv:2212.06817; RT-2, arXiv:2307.15818; OpenVLA,
arXiv:2406.09246). What the bins cost in precision is known before any training: see `ActionBins.error_bound`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_course.errors import CourseError


@dataclass(frozen=True, eq=False)
class ActionBins:
    """Bins of each column of an action. A number gets the token of the nearest center.

    Attributes:
        edges: (D, n + 1) float64, never decreasing along a row: column d has the bins
            [edges[d, k], edges[d, k + 1]] with the tokens k = 0 to n - 1, in the action's own units.
    """

    edges: np.ndarray

    @property
    def centers(self) -> np.ndarray:
        """What each token decodes to: (D, n)."""
        return (self.edges[:, :-1] + self.edges[:, 1:]) / 2

    def encode(self, actions: np.ndarray | Tensor) -> np.ndarray | Tensor:
        """The tokens of actions.

        Args:
            actions: (..., D), an array or a tensor.

        Returns:
            (..., D) int64, of the same kind. Outside the range it is the token of the outermost bin.

        Raises:
            CourseError: another number of columns, or a number that is not finite.
        """
        values = self._columns(actions, "actions").astype(np.float64)
        if not np.isfinite(values).all():
            raise CourseError("actions hold a number that is not finite; check the data set or the policy's output")
        halfway = (self.centers[:, :-1] + self.centers[:, 1:]) / 2  # (D, n - 1): here the nearest center changes
        tokens = np.empty(values.shape, dtype=np.int64)
        for d, borders in enumerate(halfway):
            tokens[..., d] = np.searchsorted(borders, values[..., d])
        return _like(actions, tokens)

    def decode(self, tokens: np.ndarray | Tensor) -> np.ndarray | Tensor:
        """The actions that tokens stand for.

        Args:
            tokens: (..., D) integers, an array or a tensor.

        Returns:
            (..., D) float32, of the same kind.

        Raises:
            CourseError: another number of columns, or a token that is not a bin.
        """
        indices = self._columns(tokens, "tokens")
        count = self.edges.shape[1] - 1
        if not np.issubdtype(indices.dtype, np.integer) or ((indices < 0) | (indices >= count)).any():
            raise CourseError(f"a token is not one of the integers 0 to {count - 1}; take action tokens only")
        return _like(tokens, self.centers[np.arange(len(self.edges)), indices].astype(np.float32))

    def error_bound(self, actions: np.ndarray) -> np.ndarray:
        """How far decode(encode(a)) is from a at most: (..., D), in the action's own units.

        Inside the range that is half the width of the bin that holds a. Proof: a lies in
        [edges[k], edges[k + 1]], the center of that interval is at most half its width away, and
        encode takes the nearest of all centers, which cannot be farther than this one. Outside, the
        way back to the range comes on top (triangle inequality). float32 rounds the result once more.

        Where values repeat, quantile bins have edges in the same place. A bin of width 0 then has its
        center on the value itself, which comes back exactly; the tokens of further bins there are
        never used.
        """
        bounds = np.empty(np.shape(actions))
        for d, edges in enumerate(self.edges):
            a = np.asarray(actions, dtype=np.float64)[..., d]
            k = np.clip(np.searchsorted(edges, a, side="right") - 1, 0, len(edges) - 2)
            bounds[..., d] = np.diff(edges)[k] / 2 + np.abs(a - np.clip(a, edges[0], edges[-1]))
        return bounds

    def _columns(self, values: np.ndarray | Tensor, what: str) -> np.ndarray:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
        if array.ndim == 0 or array.shape[-1] != len(self.edges):
            raise CourseError(f"{what} have shape {array.shape}; the bins are for {len(self.edges)} columns")
        return array


def uniform_bins(low: np.ndarray, high: np.ndarray, bins: int = 256) -> ActionBins:
    """Bins of equal width, as in RT-2: 256 over the range of each column.

    Inside the range, |decode(encode(a)) - a| <= (high - low) / (2 * bins).

    Args:
        low, high: (D,) the range of each column, in the action's units.
        bins: how many.

    Raises:
        CourseError: fewer than one bin, or a range that is empty or not finite.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    _check_count(bins)
    if low.ndim != 1 or low.shape != high.shape or not (np.isfinite(high - low) & (low <= high)).all():
        raise CourseError(f"range from {low.tolist()} to {high.tolist()}: give each column a finite low <= high")
    return ActionBins(np.linspace(low, high, bins + 1, axis=1))


def quantile_bins(actions: np.ndarray, bins: int = 256) -> ActionBins:
    """Bins that hold equally many of the recorded actions each: narrow where actions are common.

    Inside the range, |decode(encode(a)) - a| is at most half the width of the bin that holds a: less
    than with uniform bins where actions are common, more where they are rare.

    Args:
        actions: (N, D) recorded actions.
        bins: how many.

    Raises:
        CourseError: fewer than one bin, no actions, or a number that is not finite.
    """
    actions = np.asarray(actions, dtype=np.float64)
    _check_count(bins)
    if actions.ndim != 2 or len(actions) == 0 or not np.isfinite(actions).all():
        raise CourseError(f"quantiles of actions of shape {actions.shape}: give (N, D) finite numbers, N of 1 or more")
    edges = np.quantile(actions, np.linspace(0, 1, bins + 1), axis=0).T
    return ActionBins(np.maximum.accumulate(edges, axis=1))  # interpolation may step back by a rounding error


def openvla_bins(q01: np.ndarray, q99: np.ndarray) -> ActionBins:
    """The bins of OpenVLA: 255, since `linspace(-1, 1, 256)` there are the edges, not the centers.

    Its code normalizes each column by its 1st and 99th percentile to [-1, 1], clips, and bins. Bins of
    equal width over [q01, q99] are the same thing in the action's own units. The outermost centers
    lie half a bin inside: -1 and +1, a full step, are never decoded.

    Args:
        q01, q99: (D,) percentiles, as in a data set's statistics.

    Raises:
        CourseError: a range that is empty or not finite.
    """
    return uniform_bins(q01, q99, bins=255)


def _check_count(bins: int) -> None:
    if bins < 1:
        raise CourseError(f"{bins} bins; take 1 or more")


def _like(given: np.ndarray | Tensor, result: np.ndarray) -> np.ndarray | Tensor:
    return torch.from_numpy(result).to(given.device) if isinstance(given, Tensor) else result
