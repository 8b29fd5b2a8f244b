# says: the standard deviation stands where the variance belongs


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance):
    return (mean.square() + (log_variance / 2).exp() - 1 - log_variance).sum(-1) / 2
