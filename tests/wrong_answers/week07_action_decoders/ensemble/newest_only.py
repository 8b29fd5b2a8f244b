# says: this is the newest plan alone


def carry_out(plans, decay):
    return plans[:, 0].clone()
