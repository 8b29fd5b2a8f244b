# says: the draw is cut off from the network: no item, detach or no_grad
import torch


def draw(mean, log_variance, noise):
    with torch.no_grad():
        return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance):
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
