# says: sorts before frame_9
def frame_names(lengths):
    return [f"episode_{e}/frame_{i}.jpg" for e, n in enumerate(lengths) for i in range(n)]
