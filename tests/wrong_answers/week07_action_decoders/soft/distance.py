# says: a Gaussian has the distance squared


def soft_labels(values, centers, spread):
    distances = (values.unsqueeze(-1) - centers) / spread
    return (-distances.abs() / 2).softmax(-1)


def expectation(logits, centers):
    return (logits.softmax(-1) * centers).sum(-1)
