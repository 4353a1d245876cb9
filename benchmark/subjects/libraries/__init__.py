"""Networks as other libraries build them, one library a file; each is loaded when a network of it is asked for."""
