# says: this is the lesson's KL to N(0, 1); here each situation has a prior of its own


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
