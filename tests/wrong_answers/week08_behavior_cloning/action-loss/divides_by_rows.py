# says: divide by the numbers, not by the rows
def action_loss(actions, wanted, is_pad):
    real = (~is_pad).unsqueeze(-1)
    error = (actions - wanted).abs() * real
    return (error.sum((1, 2)) / real.sum((1, 2))).mean()
