# says: sum over the numbers of z; this is their mean


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance):
    return (mean.square() + log_variance.exp() - 1 - log_variance).mean(-1) / 2
