"""Register layers that hang in a plain Python container."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training

_PLACE = re.compile(r"^(?:(?P<owner>[\w.]+)\.)?(?P<attribute>\w+)\[(?P<key>[^\]]*)\](?P<rest>.*)$")


class RegisterModules(AbstractCure):
    """Puts what hangs in it into ``nn.ModuleList``, ``nn.ModuleDict``, ``nn.ParameterList`` or ``nn.ParameterDict``, so that ``parameters()`` gives them."""

    name: ClassVar = "register_modules"
    treats: ClassVar = ("unregistered_parameters",)
    order: ClassVar = 0
    changes: ClassVar = both(
        "Registers the layers with their module, so that the optimizer gets them.", "層をモジュールに登録し、オプティマイザに渡るようにします。"
    )
    side_effects: ClassVar = both(
        "The state dict grows by these parameters: older checkpoints lack them.",
        "state_dict にこれらのパラメータが加わるため、以前のチェックポイントには含まれません。",
    )
    reference: ClassVar = "PyTorch documentation, torch.nn.ModuleList, ModuleDict, ParameterList and ParameterDict"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return one line for each container, by the places of the parameters."""
        places = [str(place) for place in trace.facts.get("unregistered", ())] or [finding.place]
        containers: dict[str, str] = {}
        for place in places:
            match = _PLACE.match(place)
            if match:
                containers.setdefault(match["attribute"], container_of(match["key"], match["rest"]))
        if not containers:
            return None
        lines = [f"self.{attribute} = nn.{kind}(self.{attribute})" for attribute, kind in containers.items()]
        first, kind = next(iter(containers.items()))
        return self.prescription(
            parameters={"containers": containers},
            code="\n".join([f"{lines[0]}  # in __init__, before the optimizer is made", *lines[1:3]]),
            sentence=both(
                f"Makes `{first}` an nn.{kind}, so that the optimizer gets its parameters.",
                f"`{first}` を nn.{kind} にし、そのパラメータがオプティマイザに渡るようにします。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model registers what hangs in these containers; ``None`` where it has none of them."""
        from ._parameters import with_registered

        return with_registered(training, parameters["containers"])


def container_of(key: str, rest: str) -> str:
    """Return the registering container for a parameter at ``attribute[key]rest``.

    >>> container_of("0", ".weight"), container_of("'a'", ""), container_of("0", "[1].bias")
    ('ModuleList', 'ParameterDict', 'ModuleList')
    """
    inside = "Module" if "." in rest else "Parameter"
    return inside + ("List" if key.lstrip("-").isdecimal() else "Dict")
