# says: below 0: a KL divergence never is; the signs are turned around


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance):
    return (1 + log_variance - mean.square() - log_variance.exp()).sum(-1) / 2
