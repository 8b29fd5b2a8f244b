# says: you still divide by the number of all rows
def action_loss(actions, wanted, is_pad):
    error = (actions - wanted).abs()
    return (error * ~is_pad.unsqueeze(-1)).mean()
