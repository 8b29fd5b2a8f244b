# says: the distance of the means must be counted in units of the prior as well


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    ratio = (log_variance - prior_log_variance).exp()
    return ((mean - prior_mean).square() + ratio - 1 - ratio.log()).sum(-1) / 2
