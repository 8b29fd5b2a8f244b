import torch


def attend(q, k, v, mask, heads):
    size = q.shape[-1] // heads
    answers, weights = torch.zeros_like(v), torch.zeros(len(q), heads, q.shape[1], q.shape[1])
    for b in range(len(q)):
        words = mask[b].nonzero().flatten()
        for head in range(heads):
            own = slice(head * size, (head + 1) * size)
            for i in range(q.shape[1]):
                fits = torch.stack([(q[b, i, own] * k[b, j, own]).sum() / size**0.5 for j in words])
                weights[b, head, i, words] = torch.exp(fits - fits.max()) / torch.exp(fits - fits.max()).sum()
                if mask[b, i]:
                    answers[b, i, own] = weights[b, head, i] @ v[b, :, own]
    return answers, weights
