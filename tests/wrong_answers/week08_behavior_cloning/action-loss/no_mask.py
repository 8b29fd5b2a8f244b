# says: padding is counted too
def action_loss(actions, wanted, is_pad):
    error = (actions - wanted).abs()
    return error.mean()
