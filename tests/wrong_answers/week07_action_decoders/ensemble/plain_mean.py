# says: all plans weigh the same: where is `decay`?
import torch


def carry_out(plans, decay):
    actions = []
    for t in range(len(plans)):
        votes = torch.stack([plans[s, t - s] for s in range(max(0, t - plans.shape[1] + 1), t + 1)])
        action = votes.mean(0)
        action[-1] = plans[t, 0, -1]
        actions.append(action)
    return torch.stack(actions)
