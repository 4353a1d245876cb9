"""A declaration says clearly what is claimed, or one sentence says which field of which claim does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from xaiboard.benchmark.claims.declaration import Guard
from xaiboard.benchmark.claims.parts import parts_of
from xaiboard.benchmark.claims.reading import read_claims
from xaiboard.benchmark.errors import XaiboardError

PAIR = """
[[claim]]
id = "P1"
paper = "2206.06854"
text = "one is better"
version = 1
kind = "pair"
datasets = ["digits", "fashion-mnist"]
a = ["lipcnn.hkr", "lipmlp.hkr"]
b = ["cnn.standard", "mlp.standard"]
methods = ["saliency", "smoothgrad"]
columns = "gini"
"""

ALSO = """
[[claim.also]]
text = "and no other"
kind = "level"
networks = "lipcnn.hkr"
guards = []
m = 0.5
"""

OPEN = """
[[claim]]
id = "P2"
paper = "2206.06854"
text = "nobody knows"
version = 2
verdict = "not testable here"
why = "no data"
settle = "data"
"""


def read(tmp_path: Path, text: str):  # noqa: ANN201 - claims
    path = tmp_path / "claims.toml"
    path.write_text(text, "utf-8")
    return read_claims(path)


def test_every_entry_of_every_key_is_a_part(tmp_path: Path) -> None:
    one, other = read(tmp_path, PAIR + "guards = [{ ceiling = 0.9 }]" + ALSO + OPEN)
    parts = parts_of(one)
    assert len(parts) == 2 * 2 * 2 + 2 * 2
    assert len({part.name for part in parts}) == len(parts)
    twins = {tuple(source.recipe for source in part.sources) for part in parts}
    assert twins == {("lipcnn.hkr", "cnn.standard"), ("lipmlp.hkr", "mlp.standard"), ("lipcnn.hkr",)}
    assert [rule.guards for rule in one.rules] == [(Guard(ceiling=0.9),), ()]
    assert one.rules[1].datasets == one.rules[0].datasets
    assert (other.why, parts_of(other)) == ("no data", [])


def test_orders_go_over_whatever_is_said(tmp_path: Path) -> None:
    rule = """kind = "order"
over = "perturbations"
order = ["sign_noise[eps=0.2]", "sign_noise[eps=0.1]"]
networks = ["cnn.standard", "mlp.standard"]
"""
    text = PAIR.replace('kind = "pair"\n', rule)
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("a =", "b =")))
    parts = parts_of(read(tmp_path, text)[0])
    assert len(parts) == 2 * 2 * 2
    assert all([source.perturbation for source in part.sources] == [
        "sign_noise[eps=0.2]", "sign_noise[eps=0.1]"
    ] for part in parts)  # fmt: skip
    assert {part.on for part in parts} == {"held"}


def test_images_follow_from_what_is_measured(tmp_path: Path) -> None:
    def on(text: str) -> set[str]:
        return {part.on for part in parts_of(read(tmp_path, text)[0])}

    assert on(PAIR) == {"common"}
    assert on(PAIR + 'perturbations = "shift"') == {"held"}
    assert on(PAIR.replace('methods = ["saliency", "smoothgrad"]', "")) == {"all"}
    assert on(PAIR + 'on = "all"') == {"all"}


WRONG = [
    (PAIR + "mm = 1", "'mm' of claim 'P1' is no key of a claim"),
    (PAIR + 'm = "0.1"', "'m' of claim 'P1' must be a number; got '0.1'"),
    (PAIR + "m = nan", "'m' of claim 'P1' must be a number"),
    (PAIR + "m = true", "'m' of claim 'P1' must be a number"),
    (PAIR + 'holds = "over"', "'holds' of claim 'P1' must be one of above, below, within; got 'over'"),
    (PAIR + 'holds = "within"', "'m' of claim 'P1' must be positive"),
    (PAIR + "around = 1.0", "'around' of claim 'P1' says nothing where holds = 'above'"),
    (PAIR + 'lower = "yes"', "'lower' of claim 'P1' must be true or false"),
    (PAIR + 'on = "held"', "'on' of claim 'P1' is 'held', but there are no perturbations"),
    (PAIR + 'networks = "cnn.standard"', "'networks' of claim 'P1' says nothing in a pair"),
    (PAIR + 'perturbations = ["shift", "shift"]', "'perturbations' of claim 'P1' has a name twice"),
    (PAIR + "guards = [{ most = 1 }]", "'most' of claim 'P1' is no key of a guard"),
    (PAIR + "guards = [{ ceiling = 1, at_least = 1 }]", "'guards' of claim 'P1' must each have one of"),
    (PAIR + 'guards = [{ column = "gini" }]', "'guards' of claim 'P1' must each have one of"),
    (PAIR + 'guards = [{ half = "steps=50" }]', "'guards' of claim 'P1' has half = 'steps=50'"),
    (PAIR + 'guards = "ceiling"', "'guards' of claim 'P1' must be a list of tables"),
    (PAIR + 'also = "P2"', "'also' of claim 'P1' must be tables"),
    (
        PAIR + ALSO.replace('text = "and no other"', ""),
        "'text' of [[claim.also]] number 1 of claim 'P1' is missing",
    ),
    (PAIR + ALSO + "id = 1", "'id' of [[claim.also]] number 1 of claim 'P1' is no key"),
    (PAIR + PAIR, "'id' of claim 'P1' is the id of two claims"),
    (PAIR.replace('id = "P1"', ""), "'id' of claim number 1 is missing"),
    (PAIR.replace("version = 1", ""), "'version' of claim 'P1' is missing"),
    (PAIR.replace("version = 1", "version = 0"), "'version' of claim 'P1' must be a whole number from 1"),
    (PAIR.replace('"pair"', '"pears"'), "'kind' of claim 'P1' must be one of pair"),
    (PAIR.replace('kind = "pair"', ""), "'kind' of claim 'P1' must be one of"),
    (PAIR.replace('columns = "gini"', ""), "'columns' of claim 'P1' is missing; a pair needs"),
    (PAIR.replace('columns = "gini"', "columns = []"), "'columns' of claim 'P1' is missing"),
    (
        PAIR.replace('columns = "gini"', "columns = 3"),
        "'columns' of claim 'P1' must be a name or a list of names",
    ),
    (PAIR.replace('columns = "gini"', 'columns = "gini["'), "'columns' of claim 'P1'"),
    (
        PAIR.replace(', "mlp.standard"]', ', "x", "y"]'),
        "'b' of claim 'P1' must have a twin for each of the 2",
    ),
    (PAIR.replace("kind", 'verdict = "not testable here"\nkind'), "'verdict' of claim 'P1' stands beside"),
    (OPEN.replace("why", "settle_not"), "'settle_not' of claim 'P2' is no key"),
    (OPEN.replace('why = "no data"', ""), "'why' of claim 'P2' is missing"),
    (OPEN.replace("not testable here", "holds"), "'verdict' of claim 'P2' must be one of not testable here"),
    (PAIR + 'why = "no data"', "'why' of claim 'P1' stands without verdict"),
    ("x = 1", "must have tables [[claim]] and nothing else; it has 'x'"),
    ("[claim]", "must have tables [[claim]]"),
    ("claim = [1]", "claim number 1 is no table"),
    ("[[claim]", "is not TOML"),
    ("", "must have tables [[claim]] and nothing else; it has none"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_mistake_is_one_sentence_with_file_claim_and_field(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(XaiboardError) as mistake:
        read(tmp_path, text)
    assert said in str(mistake.value)
    assert str(tmp_path / "claims.toml") in str(mistake.value)
    assert "\n" not in str(mistake.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaiboardError, match="cannot be read"):
        read_claims(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        (
            "pair_methods",
            'networks = "a"\nmethods = "x"\ncolumns = "c"',
            "'methods' of claim 'P1' must be two",
        ),
        ("pair_columns", 'networks = "a"\ncolumns = "c"', "'columns' of claim 'P1' must be two"),
        ("certificate", 'networks = "a"\ncolumns = ["c", "d", "e"]', "must be two"),
        (
            "best_of",
            'a = "a"\nb = "b"\ncolumns = "c"\nmethods = ["x", "y"]\nagainst = "z"',
            "must be one method",
        ),
        ("order", 'order = "a"\ncolumns = "c"', "'order' of claim 'P1' must have two entries"),
        ("order", 'order = ["a", "b"]', "'columns' of claim 'P1' is missing"),
        (
            "order",
            'order = ["a", "b"]\nover = "methods"\ncolumns = "c"',
            "'networks' of claim 'P1' is missing",
        ),
        (
            "order",
            'order = ["a", "b"]\nnetworks = "c"\ncolumns = "c"',
            "'networks' of claim 'P1' says nothing beside",
        ),
        (
            "level",
            'networks = "a"\ncolumns = "c"\nlower = true',
            "'lower' of claim 'P1' says nothing in a level",
        ),
        ("theorem", 'theorem = "x"', "'datasets' of claim 'P1' says nothing in a theorem"),
    ],
)
def test_keys_must_go_together(kind: str, keys: str, said: str, tmp_path: Path) -> None:
    head = '[[claim]]\nid = "P1"\npaper = "p"\ntext = "t"\nversion = 1\ndatasets = "digits"\n'
    with pytest.raises(XaiboardError) as mistake:
        read(tmp_path, f'{head}kind = "{kind}"\n{keys}\n')
    assert said in str(mistake.value)
