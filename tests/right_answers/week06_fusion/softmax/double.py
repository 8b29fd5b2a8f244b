import torch


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    powers = logits.double() - logits.double().masked_fill(~mask, -1e300).amax(-1, keepdim=True)
    powers = torch.where(mask, powers, 0.0).exp() * mask
    return (powers / powers.sum(-1, keepdim=True).clamp(min=1.0e-9)).float()
