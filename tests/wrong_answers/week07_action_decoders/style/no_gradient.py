# says: the draw is cut off from the network: no item, detach or no_grad


def draw(mean, log_variance, noise):
    return mean.detach() + noise * (log_variance.detach() / 2).exp()


def kl(mean, log_variance, prior_mean, prior_log_variance):
    ratio = (log_variance - prior_log_variance).exp()
    moved = (mean - prior_mean).square() / prior_log_variance.exp()
    return (moved + ratio - 1 - ratio.log()).sum(-1) / 2
