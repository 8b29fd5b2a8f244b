import torch


def draw(mean, log_variance, noise):
    return torch.addcmul(mean, noise, log_variance.exp().sqrt())


def kl(mean, log_variance):
    posterior = torch.distributions.Normal(mean, log_variance.exp().sqrt())
    return torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(-1)
