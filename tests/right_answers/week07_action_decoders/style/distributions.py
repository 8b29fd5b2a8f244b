import torch


def draw(mean, log_variance, noise):
    return torch.addcmul(mean, noise, log_variance.exp().sqrt())


def kl(mean, log_variance, prior_mean, prior_log_variance):
    posterior = torch.distributions.Normal(mean, log_variance.exp().sqrt())
    prior = torch.distributions.Normal(prior_mean, prior_log_variance.exp().sqrt())
    return torch.distributions.kl_divergence(posterior, prior).sum(-1)
