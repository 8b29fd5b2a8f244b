# says: below the table and out of reach
import torch


def robot_plan(normalized, mean, std, reach):
    plan = normalized * std + mean
    plan = plan.clone()
    plan[..., 6] = torch.where(plan[..., 6] > 0, 1.0, -1.0)
    return plan
