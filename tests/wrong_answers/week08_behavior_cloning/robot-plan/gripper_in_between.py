# says: nothing between
def robot_plan(normalized, mean, std, reach):
    plan = normalized * std + mean
    plan[..., :3] = plan[..., :3].clamp(reach[:, 0], reach[:, 1])
    return plan
