# says: variances are shared out, so their roots multiply actions and noise


def step_back(noisy, said, kept, before, largest):
    clean = (kept * noisy - (1 - kept) * said).clamp(-largest, largest)
    noise = (noisy - kept * clean) / (1 - kept)
    return before * clean + (1 - before) * noise
