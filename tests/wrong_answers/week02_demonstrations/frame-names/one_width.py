# says: widths of their own
def frame_names(lengths):
    digits = max(4, len(str(len(lengths) - 1)), len(str(max(lengths) - 1)))
    if len(lengths) < 10_000:
        return [f"episode_{e:04d}/frame_{i:0{digits}d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
    return [f"episode_{e:0{digits}d}/frame_{i:0{digits}d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
