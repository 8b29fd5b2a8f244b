# says: seen under its right name
import shutil


def write_whole(folder, files):
    if folder.exists():
        raise FileExistsError(folder)
    folder.mkdir()
    try:
        for name, content in files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except BaseException:
        shutil.rmtree(folder)
        raise
