# says: one number for each sample: sum over z, not over the batch


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance):
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
