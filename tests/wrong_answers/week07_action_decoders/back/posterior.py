# says: this is the mean of DDPM; DDIM mixes the same noise in again


def step_back(noisy, said, kept, before, largest):
    clean = (kept**0.5 * noisy - (1 - kept) ** 0.5 * said).clamp(-largest, largest)
    alpha = kept / before
    return (before**0.5 * (1 - alpha) * clean + alpha**0.5 * (1 - before) * noisy) / (1 - kept)
