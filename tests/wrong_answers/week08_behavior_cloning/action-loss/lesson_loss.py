# says: this is the loss of the lesson
def action_loss(actions, wanted, is_pad):
    error = (actions - wanted).abs()
    return error[~is_pad].mean()
