# says: log_softmax needs none


def grounding_loss(logits, wanted, visible):
    """Cross-entropy of attention maps and wanted maps (B, h, w), over the visible pictures (B,)."""
    each = -(wanted.flatten(1) * (logits.flatten(1).softmax(1) + 1e-8).log()).sum(1)
    return each[visible].sum() / visible.sum().clamp(min=1)
