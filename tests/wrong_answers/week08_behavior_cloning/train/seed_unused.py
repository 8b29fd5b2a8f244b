# says: the seed that is given is not used
import torch


def train(policy, dataset, epochs, seed):
    """Train a policy in place."""
    torch.manual_seed(8)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-2)
    steps = epochs * len(dataset) // 16
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps, pct_start=0.1)
    policy.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(dataset)).split(16):
            loss, _ = policy(dataset.__getitems__(chosen.tolist()))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
