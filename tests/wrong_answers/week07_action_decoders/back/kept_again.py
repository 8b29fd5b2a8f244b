# says: mixed with the shares of `kept`: nothing has become less noisy


def step_back(noisy, said, kept, before, largest):
    clean = (kept**0.5 * noisy - (1 - kept) ** 0.5 * said).clamp(-largest, largest)
    noise = (noisy - kept**0.5 * clean) / (1 - kept) ** 0.5
    if before == 1:
        return clean
    return kept**0.5 * clean + (1 - kept) ** 0.5 * noise
