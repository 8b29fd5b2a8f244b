import torch


def soft_labels(values, edges, spread):
    bell = torch.distributions.Normal(values.double().unsqueeze(-1), spread)
    below = bell.cdf(edges.double())[..., 1:-1]
    zero = torch.zeros_like(below[..., :1])
    return torch.diff(torch.cat([zero, below, zero + 1], dim=-1))


def read(logits, centers, reach):
    rows = []
    for row in logits.reshape(-1, *centers.shape):
        for column, said in enumerate(row):
            best = int(said.argmax())
            kept = slice(max(0, best - reach), best + reach + 1)
            likely = torch.exp(said[kept] - said[kept].amax())
            rows.append((likely * centers[column, kept]).sum() / likely.sum())
    return torch.stack(rows).view(logits.shape[:-1])
