# says: each column has centers of its own


def soft_labels(values, centers, spread):
    distances = (values.unsqueeze(-1) - centers[0]) / spread
    return (-distances.square() / 2).softmax(-1)


def expectation(logits, centers):
    return (logits.softmax(-1) * centers).sum(-1)
