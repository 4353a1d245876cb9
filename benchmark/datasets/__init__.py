"""Built-in data sets; importing the package registers them."""

from . import block_digits, cifar10, digits, digits_0_8, fashion_mnist, image_folder, mnist

__all__ = ["block_digits", "cifar10", "digits", "digits_0_8", "fashion_mnist", "image_folder", "mnist"]
