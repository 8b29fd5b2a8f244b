# says: this is KL(prior || posterior); the divergence is not the same both ways


def draw(mean, log_variance, noise):
    return mean + noise * (log_variance / 2).exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    ratio = (prior_log_variance - log_variance).exp()
    return ((mean - prior_mean).square() / log_variance.exp() + ratio - 1 - ratio.log()).sum(-1) / 2
