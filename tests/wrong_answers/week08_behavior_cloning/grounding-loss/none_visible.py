# says: where nothing is visible the loss is 0
def grounding_loss(logits, wanted, visible):
    each = -(wanted.flatten(1) * logits.flatten(1).log_softmax(1)).sum(1)
    return each[visible].mean()
