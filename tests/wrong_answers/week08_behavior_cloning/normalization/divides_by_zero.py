# says: they keep their scale
def normalization(plans):
    rows = plans.reshape(-1, 7)
    return rows.mean(0), rows.std(0)
