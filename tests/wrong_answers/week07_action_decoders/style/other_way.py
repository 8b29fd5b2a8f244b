# says: this is KL(N(0, 1) || N(mean, variance)); the divergence is not the same both ways


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance):
    return ((mean.square() + 1) / log_variance.exp() - 1 + log_variance).sum(-1) / 2
