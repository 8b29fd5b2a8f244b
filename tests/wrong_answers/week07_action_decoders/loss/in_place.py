# says: your function writes into `wanted`


def masked_l1(answers, wanted, keep):
    wanted[~keep] = 0.0
    errors = (answers - wanted).abs() * keep.unsqueeze(-1)
    return errors.sum() / max(1, int(keep.sum()) * answers.shape[-1])
