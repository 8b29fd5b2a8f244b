# says: variances divide; their logarithms subtract


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    ratio = log_variance.exp() - prior_log_variance.exp()
    return ((mean - prior_mean).square() / prior_log_variance.exp() + ratio.abs() - 1 - ratio.abs().log()).sum(-1) / 2
