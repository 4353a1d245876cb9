"""Built-in components; importing the package registers them."""
