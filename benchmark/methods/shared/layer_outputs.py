"""What the layers of a network put out while it runs: which of them have a map, and which one is to be read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn
from torch.autograd.graph import Node

from ...errors import XaiboardError
from ...toolkit.executed import first_tensor
from .channel_axis import channel_axis

INSIDE = "network"
"""Where the network of a library lies in the module that prepares its images."""

MAP_AXES = 4
"""Images, channels, rows and columns of a map, in some order."""


class _Seen(NamedTuple):
    """Something that happened in the forward pass.

    Args:
        what: a convolution with a map above 1 x 1 by a layer, the same by a function, or a layer that works on tokens.
        name: of the layer.
        function: what computed the result.
    """

    what: Literal["layer", "function", "tokens"]
    name: str
    function: Node | None


class LayerOutputs:
    """Keeps the output of one layer while the network runs, and sees what other layers would do.

    Args:
        model: the network.
        layer: dotted name of the layer; empty for the last convolution with a map above 1 x 1.
    """

    def __init__(self, model: nn.Module, layer: str) -> None:
        self.given = layer
        self._names = {module: name for name, module in model.named_modules()}
        self._wanted = _named(model, layer)
        self._kept: list[Tensor] = []
        """Outputs of all calls of the layer that is given, or of the last convolution with a map."""
        self._executed = False
        self._convolutions = 0
        self._seen: list[_Seen] = []
        self._maps: list[_Seen] = []

    def called(self, func: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:  # noqa: ANN401
        """Sees convolutions that no layer makes."""
        result = func(*args, **settings)
        if getattr(func, "__name__", "") == "conv2d" and _is_map(result):
            self._seen.append(_Seen("function", "", result.grad_fn))
        return result

    def left(self, module: nn.Module, output: object) -> Tensor | None:
        """Keeps the output of a layer that is wanted; the rest of the network goes on with a copy."""
        found, name = first_tensor(output), self._names[module]
        if found is None:
            return None
        seen = _Seen("layer", name, found.grad_fn)
        if _is_map(found) and name:
            self._maps.append(seen)
        if self.given:
            if module is not self._wanted:
                return None
            self._executed = True
            self._kept.append(found)
        else:
            self._convolutions += isinstance(module, nn.Conv2d)
            if not (isinstance(module, nn.Conv2d) and _is_map(found)):
                if _works_on_tokens(module, found):
                    self._seen.append(seen._replace(what="tokens"))
                return None
            self._seen.append(seen)
            self._kept = [found]
        return found.clone() if isinstance(output, Tensor) else None  # the next layer may change it in place

    def forget_all_but(self, functions: Collection[Node]) -> None:
        """Forgets outputs that none of these functions computed: the logits do not depend on them."""
        self._kept = [output for output in self._kept if output.grad_fn in functions]
        self._seen, self._maps = (
            [each for each in listed if each.function in functions] for listed in (self._seen, self._maps)
        )

    def last(self) -> Tensor | None:
        """The last output that was kept; None if the logits depend on none of them."""
        return self._kept[-1] if self._kept else None

    def name(self) -> str:
        """Dotted name of the layer that is read.

        Raises:
            XaiboardError: there is none, or it gives no late feature map.
        """
        if self.given:
            if not self._executed:
                if self._wanted:
                    raise XaiboardError(
                        f"layer '{self.given}' is not executed; give layer= {self.candidates}"
                    )
                names = [name.removeprefix(f"{INSIDE}.") for name in self._names.values()]
                near = get_close_matches(self.given, names, cutoff=0.7)
                others = f"one that does, such as {', '.join(near)}" if near else self.candidates
                raise XaiboardError(f"layer '{self.given}' does not exist; give layer= {others}")
            return self.given
        layers = [index for index, each in enumerate(self._seen) if each.what == "layer"]
        last = layers[-1] if layers else -1
        later = self._seen[last + 1 :]
        if tokens := next((each.name for each in later if each.what == "tokens"), ""):
            raise XaiboardError(
                f"layer '{tokens}' works on tokens, so that no convolution gives a late feature map; give layer="
                " the dotted name of a late layer, and reshape=auto or rows x columns, such as reshape=14x14"
            )
        if later:
            raise XaiboardError(
                "the last convolution is called as a function, by no nn.Conv2d;"
                f" give layer= {self.candidates}"
            )
        if not layers:
            if not self._convolutions:
                raise XaiboardError("the model has no convolution")
            raise XaiboardError(f"no convolution has a map above 1 x 1 pixels; give layer= {self.candidates}")
        return self._seen[last].name

    @property
    def candidates(self) -> str:
        """Names of the last layers that would do, in words."""
        maps = (each.name for each in reversed(self._maps) if channel_axis(each.function, MAP_AXES))
        last = list(islice(dict.fromkeys(maps), 3))
        return f"one with a larger map, such as {', '.join(last)}" if last else "another one"


def _named(model: nn.Module, layer: str) -> nn.Module | None:
    """The module of a dotted name. One of a library's network is also known by the name that it has there."""
    modules = dict(model.named_modules())
    return next((modules[name] for name in (layer, f"{INSIDE}.{layer}") if layer and name in modules), None)


def _is_map(output: object) -> bool:
    return isinstance(output, Tensor) and output.dim() == MAP_AXES and max(output.shape[2:]) > 1


def _works_on_tokens(module: nn.Module, output: Tensor) -> bool:
    """Whether it has weights, and gives several vectors an image, ``(B, N, D)`` or ``(B, H, W, D)``."""
    own = len(list(module.parameters(recurse=False)))
    weights = own > 0 or isinstance(module, (nn.Linear, nn.MultiheadAttention))
    wide = output.dim() == 3 or (output.dim() == 4 and isinstance(module, nn.Linear))
    return weights and wide and output.numel() > len(output) * output.shape[-1]
