import torch


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    knobs = sentence.double() @ weight.double().T + bias.double()
    width = tokens.shape[2]
    features = tokens.double() * (1 + knobs[:, None, :width]) + knobs[:, None, width:]
    features = torch.where(visible[..., None], features, -1e30)
    which = features.argmax(1)
    return features.gather(1, which[:, None])[:, 0].float(), which
