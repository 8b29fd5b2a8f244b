import numpy as np
import torch


def train(policy, dataset, epochs, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-2)
    total = epochs * len(dataset) // 16
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=total, pct_start=0.1)
    for _ in range(epochs):
        policy.train()
        order = rng.permutation(len(dataset))
        for start in range(0, len(order), 16):
            optimizer.zero_grad()
            policy(dataset.__getitems__(order[start : start + 16].tolist()))[0].backward()
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
            optimizer.step()
            schedule.step()
