import numpy as np
import torch


def nearest(asked, known, least):
    rows = []
    for a in asked.double().numpy():
        cosines = [
            float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12) for b in known.double().numpy()
        ]
        best = max(range(len(cosines)), key=lambda i: (round(cosines[i], 6), -i))
        rows.append(best if cosines[best] >= least - 1e-7 else -1)
    return torch.tensor(rows)
