import json

import numpy as np
import pytest

from kazami.reports.plain import for_script, plain

NASTY = ["</script>", "<!--", "<script>", "]]>", "\u2028\u2029", "a & b", "é 風"]


def test_what_json_cannot_say_becomes_a_string():
    found = plain({"a": np.array([1.0, np.nan]), "b": float("-inf"), 3: {4}, "c": np.int64(2), "d": object})
    assert found == {"a": [1.0, "NaN"], "b": "-Infinity", "3": [4], "c": 2, "d": "<class 'object'>"}
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("text", NASTY)
def test_a_script_block_holds_any_text_and_gives_it_back(text):
    block = for_script({text: text})
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block) == {text: text}
