# says: keeps its number
def frame_names(lengths):
    lengths = [n for n in lengths if n > 0]
    wide, digits = max(4, len(str(len(lengths) - 1))), max(4, len(str(max(lengths) - 1)))
    return [f"episode_{e:0{wide}d}/frame_{i:0{digits}d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
