# says: the log-variance is a logarithm: exp makes a variance of it


def draw(mean, log_variance, noise):
    return mean + noise * log_variance


def kl(mean, log_variance):
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
