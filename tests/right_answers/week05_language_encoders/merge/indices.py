def merge_step(words):
    pairs = {}
    for pieces in words:
        for i in range(len(pieces) - 1):
            pairs[pieces[i], pieces[i + 1]] = pairs.get((pieces[i], pieces[i + 1]), 0) + words[pieces]
    most = max(pairs.values())
    one, other = sorted(pair for pair, count in pairs.items() if count == most)[0]
    merged = {}
    for pieces, count in words.items():
        row, i = (), 0
        while i < len(pieces):
            if pieces[i : i + 2] == (one, other):
                row, i = (*row, one + other), i + 2
            else:
                row, i = (*row, pieces[i]), i + 1
        merged[row] = count
    return (one, other), merged
