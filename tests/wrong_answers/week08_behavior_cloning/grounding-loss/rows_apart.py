# says: not over each row of them
def grounding_loss(logits, wanted, visible):
    each = -(wanted * logits.log_softmax(-1)).sum((1, 2))
    return each[visible].sum() / visible.sum().clamp(min=1)
