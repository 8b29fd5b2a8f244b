# says: the third picture counts too
def grounding_loss(logits, wanted, visible):
    each = -(wanted.flatten(1) * logits.flatten(1).log_softmax(1)).sum(1)
    return each.mean()
