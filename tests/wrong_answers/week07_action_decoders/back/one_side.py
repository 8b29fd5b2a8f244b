# says: clipped on one side only


def step_back(noisy, said, kept, before, largest):
    clean = (kept**0.5 * noisy - (1 - kept) ** 0.5 * said).clamp(max=largest)
    noise = (noisy - kept**0.5 * clean) / (1 - kept) ** 0.5
    return before**0.5 * clean + (1 - before) ** 0.5 * noise
