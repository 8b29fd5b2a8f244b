# says: decide open or closed after going back
import torch


def robot_plan(normalized, mean, std, reach):
    plan = normalized * std + mean
    plan[..., :3] = plan[..., :3].clamp(reach[:, 0], reach[:, 1])
    plan[..., 6] = torch.where(normalized[..., 6] > 0, 1.0, -1.0)
    return plan
