# says: in all episodes
def frame_names(lengths):
    wide = max(4, len(str(len(lengths) - 1)))
    return [
        f"episode_{e:0{wide}d}/frame_{i:0{max(4, len(str(n - 1)))}d}.jpg"
        for e, n in enumerate(lengths)
        for i in range(n)
    ]
