# says: not over the pictures of the batch
def grounding_loss(logits, wanted, visible):
    each = -(wanted * logits.log_softmax(0)).sum((1, 2))
    return each[visible].sum() / visible.sum().clamp(min=1)
