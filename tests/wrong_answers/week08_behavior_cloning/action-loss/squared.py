# says: this is the squared error
def action_loss(actions, wanted, is_pad):
    real = (~is_pad).unsqueeze(-1)
    error = (actions - wanted) ** 2 * real
    return (error.sum((1, 2)) / (real.sum((1, 2)) * error.shape[-1])).mean()
