# says: one digit too many
def frame_names(lengths):
    wide, digits = max(4, len(str(len(lengths)))), max(4, len(str(max(lengths))))
    return [f"episode_{e:0{wide}d}/frame_{i:0{digits}d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
