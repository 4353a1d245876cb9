"""What a component stands for in a report: sections and pictures find components by these words, not by their names.

A component declares its roles in its decorator, a plug-in's too: ``@method(roles=["random control"])``.
"""

RANDOM = "random control"
"""A method that every other one should beat."""

BLURRED = "blurred copy"
"""A method that blurs the map of another one, which its setting ``of`` names."""

PERTURBATION_SIZE = "size of a perturbation"
"""A metric that says how far a perturbed copy is from the image, and what becomes of the prediction.

Its plain score is the L2 distance, its column ``linf`` the largest change of a pixel, ``held`` whether the predicted
class stays (0 or 1), and ``output_change`` how much the output changes.
"""

WINDOWED_OVERLAP = "overlap of top pixels within a window"
"""A metric of two maps that stands for all others in what is drawn and shown of attributional robustness.

It has the settings ``k``, pixels in a set, and ``window``, how far apart two of them may lie.
"""

EXACT_OVERLAP = "overlap of top pixels"
"""Its counterpart without a window: two pixels are the same, or they are not. It has the setting ``k``."""

CERTIFIED_RADIUS = "certified radius"
"""A metric whose column ``radius`` is the L2 radius within which no image has another prediction."""

ATTACKED_RADIUS = "distance to an attack"
"""A metric whose plain score is the L2 distance to the nearest wrongly predicted image that was found."""

BOUNDARY_STEP = "step to the boundary"
"""A metric of models that walks along the gradient to another class; a run with it has pictures of such walks."""

ROLES = frozenset(
    {
        RANDOM, BLURRED, PERTURBATION_SIZE, WINDOWED_OVERLAP, EXACT_OVERLAP, CERTIFIED_RADIUS, ATTACKED_RADIUS,
        BOUNDARY_STEP,
    }
)  # fmt: skip
"""All of them; sections of a plug-in may know others."""
