# says: padded rows count too


def masked_l1(answers, wanted, keep):
    return (answers - wanted).abs().mean()
