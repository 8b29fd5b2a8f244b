import torch


def who_may_look(sizes, readouts, present):
    """Block-causal, with readouts behind each block: two lists of K numbers, (B, T) to (B, T, T)."""
    tokens = [(k, i >= n) for k, (n, r) in enumerate(zip(sizes, readouts, strict=True)) for i in range(n + r)]
    table = torch.zeros(len(present), len(tokens), len(tokens), dtype=torch.bool)
    for example, there in enumerate(present.tolist()):
        for i, (mine, _) in enumerate(tokens):
            for j, (other, is_readout) in enumerate(tokens):
                table[example, i, j] = i == j or (there[i] and there[j] and other <= mine and not is_readout)
    return table
