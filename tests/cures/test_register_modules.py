"""Each kind of container gets the module that registers it."""

import pytest
from torch import nn

from kazami.cures.register_modules import RegisterModules
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("layers[0].weight", "self.layers = nn.ModuleList(self.layers)"),
        ("block.scales[1]", "self.scales = nn.ParameterList(self.scales)"),
        ("heads['a'].weight", "self.heads = nn.ModuleDict(self.heads)"),
        ("gains['a']", "self.gains = nn.ParameterDict(self.gains)"),
    ],
)
def test_the_container_is_named_and_registered(place, line):
    given = prescribed(RegisterModules(), finding("unregistered_parameters", place=place), trace(facts={"unregistered": [place]}))
    assert given.code.endswith(line)


def test_several_containers_get_a_line_each():
    places = ["a[0].weight", "b[0].weight", "a[1].bias"]
    given = prescribed(RegisterModules(), finding("unregistered_parameters", place=places[0]), trace(facts={"unregistered": places}))
    assert set(given.parameters["containers"]) == {"a", "b"}


@pytest.mark.parametrize("style", STYLES)
def test_the_optimizer_gets_what_hung_in_the_list(style):
    before, parameters = EXAMPLES["register_modules"](style)
    state = carried_out(RegisterModules(), before, **parameters).start()
    assert isinstance(state.model.layers, nn.ModuleList)
    assert sum(len(group["params"]) for group in state.optimizer.param_groups) == 6
    assert len(list(before.start().model.parameters())) == 2
