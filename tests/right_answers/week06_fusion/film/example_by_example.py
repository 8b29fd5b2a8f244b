import torch


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    values, tokens_of = [], []
    for one, seen, said in zip(tokens, visible, sentence, strict=True):
        knobs = torch.nn.functional.linear(said, weight, bias)
        width = one.shape[1]
        features = one * (1 + knobs[:width]) + knobs[width:]
        numbers = seen.nonzero()[:, 0]
        best = features[numbers].argmax(0)
        tokens_of.append(numbers[best])
        values.append(features[numbers[best], torch.arange(width)])
    return torch.stack(values), torch.stack(tokens_of)
