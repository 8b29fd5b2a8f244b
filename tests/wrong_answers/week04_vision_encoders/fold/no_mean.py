# says: the running mean is missing: the bias is what comes out where x is 0
import torch
from torch import nn


def fold(weight, norm):
    """One convolution for a convolution and its BatchNorm: (O, C, k, k), BatchNorm2d to (O, C, k, k) and (O,)."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()  # (O,)
    return (weight * scale[:, None, None, None]).detach(), (norm.bias).detach()
