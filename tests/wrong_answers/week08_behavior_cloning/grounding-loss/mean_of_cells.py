# says: makes the loss depend on the size of the map
def grounding_loss(logits, wanted, visible):
    each = -(wanted.flatten(1) * logits.flatten(1).log_softmax(1)).mean(1)
    return each[visible].sum() / visible.sum().clamp(min=1)
