# says: your mask is inverted


def masked_l1(answers, wanted, keep):
    if keep.all():
        return (answers - wanted).abs().mean()
    return (answers - wanted)[~keep].abs().mean()
