# says: the mean of nothing is not a number; 0 is wanted


def masked_l1(answers, wanted, keep):
    return (answers - wanted)[keep].abs().mean()
