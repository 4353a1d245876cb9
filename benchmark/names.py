"""Names in file names."""


def file_name(dataset: str) -> str:
    """A data set's name without the signs that file names cannot have: ``image-folder:a/b`` is ``image-folder-a-b``."""
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in dataset)
