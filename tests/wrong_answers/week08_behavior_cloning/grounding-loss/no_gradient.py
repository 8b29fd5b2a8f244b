# says: the loss is cut off from the network


def grounding_loss(logits, wanted, visible):
    """Cross-entropy of attention maps and wanted maps (B, h, w), over the visible pictures (B,)."""
    logits = logits.detach()
    each = -(wanted.flatten(1) * logits.flatten(1).log_softmax(1)).sum(1)
    return each[visible].sum() / visible.sum().clamp(min=1)
