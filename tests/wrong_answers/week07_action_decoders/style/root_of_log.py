# says: first exp, then the root: the root of a negative logarithm is not a number


def draw(mean, log_variance, noise):
    return mean + noise * log_variance.sqrt().exp()


def kl(mean, log_variance):
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
