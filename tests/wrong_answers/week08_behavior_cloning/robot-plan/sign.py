# says: sign(0) is 0


def robot_plan(normalized, mean, std, reach):
    """What the robot is told: (B, T, 7) in meters, radians, and +1 or -1."""
    plan = normalized * std + mean
    plan[..., :3] = plan[..., :3].clamp(reach[:, 0], reach[:, 1])
    plan[..., 6] = plan[..., 6].sign()
    return plan
