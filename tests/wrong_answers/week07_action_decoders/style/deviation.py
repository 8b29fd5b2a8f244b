# says: a square of a distance is divided by the variance, not by the standard deviation


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    ratio = (log_variance - prior_log_variance).exp()
    return ((mean - prior_mean).square() / (prior_log_variance / 2).exp() + ratio - 1 - ratio.log()).sum(-1) / 2
