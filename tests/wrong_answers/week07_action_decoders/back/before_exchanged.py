# says: `before` is the share of the signal, 1 - `before` that of the noise


def step_back(noisy, said, kept, before, largest):
    clean = (kept**0.5 * noisy - (1 - kept) ** 0.5 * said).clamp(-largest, largest)
    noise = (noisy - kept**0.5 * clean) / (1 - kept) ** 0.5
    if before == 1:
        return clean
    return (1 - before) ** 0.5 * clean + before**0.5 * noise
