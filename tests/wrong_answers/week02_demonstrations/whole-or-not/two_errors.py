# says: there are more errors than you can list
import shutil


def write_whole(folder, files):
    """Write pairs (name, content) as the files of a folder that appears whole or not at all."""
    if folder.exists():
        raise FileExistsError(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # what a power failure left
    try:
        partial.mkdir()
        for name, content in files:
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        partial.rename(folder)
    except (Exception, KeyboardInterrupt):
        shutil.rmtree(partial, ignore_errors=True)
        raise
