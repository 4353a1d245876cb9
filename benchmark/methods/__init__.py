"""Built-in attribution methods; importing the package registers them."""

from . import (
    absolute,
    blurred,
    constant,
    deconvnet,
    deeplift,
    gaussian,
    gradcam,
    gradient_shap,
    guided_backprop,
    input_x_gradient,
    integrated_gradients,
    occlusion,
    random_map,
    saliency,
    smoothgrad,
    sobel,
)

__all__ = [
    "absolute",
    "blurred",
    "constant",
    "deconvnet",
    "deeplift",
    "gaussian",
    "gradcam",
    "gradient_shap",
    "guided_backprop",
    "input_x_gradient",
    "integrated_gradients",
    "occlusion",
    "random_map",
    "saliency",
    "smoothgrad",
    "sobel",
]
