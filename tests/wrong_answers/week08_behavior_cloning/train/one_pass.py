# says: the loop over the epochs is missing
import torch


def train(policy, dataset, epochs, seed):
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=len(dataset) // 16, pct_start=0.1)
    policy.train()
    for chosen in torch.randperm(len(dataset)).split(16):
        loss, _ = policy(dataset.__getitems__(chosen.tolist()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
