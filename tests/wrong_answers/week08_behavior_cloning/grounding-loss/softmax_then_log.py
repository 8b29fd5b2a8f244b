# says: breaks for large logits
def grounding_loss(logits, wanted, visible):
    each = -(wanted.flatten(1) * logits.flatten(1).softmax(1).log()).sum(1)
    return each[visible].sum() / visible.sum().clamp(min=1)
