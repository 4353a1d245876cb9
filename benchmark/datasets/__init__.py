"""Built-in data sets; importing the package registers them."""

from . import block_digits, cifar10, digits, fashion_mnist, image_folder, mnist

__all__ = ["block_digits", "cifar10", "digits", "fashion_mnist", "image_folder", "mnist"]
