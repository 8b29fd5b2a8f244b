# says: clip the actions, not the result


def step_back(noisy, said, kept, before, largest):
    clean = kept**0.5 * noisy - (1 - kept) ** 0.5 * said
    noise = (noisy - kept**0.5 * clean) / (1 - kept) ** 0.5
    return (before**0.5 * clean + (1 - before) ** 0.5 * noise).clamp(-largest, largest)
