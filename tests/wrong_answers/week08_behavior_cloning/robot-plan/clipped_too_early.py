# says: the reach is in meters
import torch


def robot_plan(normalized, mean, std, reach):
    plan = normalized.clone()
    plan[..., :3] = plan[..., :3].clamp(reach[:, 0], reach[:, 1])
    plan = plan * std + mean
    plan[..., 6] = torch.where(plan[..., 6] > 0, 1.0, -1.0)
    return plan
