# says: first exp, then the root: the root of a negative logarithm is not a number


def draw(mean, log_variance, noise):
    return mean + noise * log_variance.sqrt().exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    ratio = (log_variance - prior_log_variance).exp()
    moved = (mean - prior_mean).square() / prior_log_variance.exp()
    return (moved + ratio - 1 - ratio.log()).sum(-1) / 2
