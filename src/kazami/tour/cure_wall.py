"""The wall of cures: a table whose cells are weather maps, the calm on the left, the storm on the right."""

from ..records import Sentence
from .cure_trials import CLIP, ENOUGH, FACTOR, Trial, Trials
from .deep_net import RATE, STORM_GAIN, Outcome
from .markup import said
from .weather_picture import map_svg

MARK_WORDS = {
    "✓": Sentence("suffices", "十分"),
    "◐": Sentence("helps, not enough", "効くが不十分"),
    "✗": Sentence("does not help", "効果なし"),
}
CALM_WORD, STORM_WORD = Sentence("calm", "無風"), Sentence("storm", "暴風")


def percent(share: float) -> str:
    """Return a share in percent; what is nearly all, but not all, says so.

    >>> percent(0.953), percent(0.9961), percent(1.0)
    ('95%', '99.6%', '100%')
    """
    return f"{100 * share:.1f}%" if 0.995 <= share < 0.9995 else f"{100 * share:.0f}%"


def cure_wall(trials: Trials) -> str:
    """Return the wall as HTML: a row a cure, in each cell a map of layers over steps, a mark, the word for the wind and the held-out accuracy."""
    rows = "".join(_row(trials, trial) for trial in (trials.none, *(trial for trial in trials.all if not trial.cure.is_pair)))
    pairs = "".join(_row(trials, trial) for trial in trials.all if trial.cure.is_pair)
    alone, together = (
        f'<tr class="group"><th colspan="3" scope="rowgroup">{said(words)}</th></tr>'
        for words in (
            Sentence("each applied alone", "それぞれ単独で"),
            Sentence("two together, where one does not suffice", "1 つで足りないなら 2 つ組み合わせて"),
        )
    )
    heads = (
        Sentence("cure", "治療"),
        Sentence("in the calm: sigmoid", "無風：シグモイド"),
        Sentence(f"in the storm: ReLU, weights ×{STORM_GAIN:g}", f"暴風：ReLU、重み {STORM_GAIN:g} 倍"),
    )
    head = "".join(f'<th scope="col">{said(words)}</th>' for words in heads)
    caption = said(_caption(trials), "p", class_="notice")
    table = f'<table class="wall"><thead><tr>{head}</tr></thead><tbody>{alone}{rows}</tbody><tbody>{together}{pairs}</tbody></table>'
    return f'<figure class="wide">{said(_title(trials), "h3")}{caption}{table}{_legend(trials)}</figure>'


def _title(trials: Trials) -> Sentence:
    enough = {weather: len(trials.alone(weather, "✓")) for weather in ("calm", "storm")}
    tried = {weather: len(trials.alone(weather, "✓", "◐", "✗")) for weather in ("calm", "storm")}
    return Sentence(
        f"Alone, {enough['calm']} of {tried['calm']} cures suffice in the calm, and {enough['storm']} of {tried['storm']} in the storm",
        f"単独で足りる治療は、無風では {tried['calm']} 個中 {enough['calm']} 個、暴風では {tried['storm']} 個中 {enough['storm']} 個",
    )


def _caption(trials: Trials) -> Sentence:
    del trials
    return Sentence(
        "Each small map is one training: layers from the input (bottom) to the output (top), steps from left to right. "
        "Blue: too little wind to learn. Pale: breeze. Orange to red: too much. Magenta: numbers lost.",
        "小さな天気図の 1 枚が 1 回の学習です。下が入力側、上が出力側の層で、左から右へステップが進みます。"
        "青は風が弱すぎて学べない状態、淡い色は微風、橙から赤は強すぎる状態、赤紫は数が失われた状態です。",
    )


def _row(trials: Trials, trial: Trial) -> str:
    name = said(trial.cure.name) + _detail(trial)
    return f'<tr><th scope="row">{name}</th>{_cell(trials, trial.calm, CALM_WORD)}{_cell(trials, trial.storm, STORM_WORD)}</tr>'


def _detail(trial: Trial) -> str:
    details = {
        "gradient clipping": Sentence(f"norm at most {CLIP:g}", f"ノルムの上限 {CLIP:g}"),
        "another learning rate": Sentence(
            f"calm {RATE * FACTOR:g}, storm {RATE / FACTOR:g} (was {RATE:g})", f"無風 {RATE * FACTOR:g}、暴風 {RATE / FACTOR:g}（元は {RATE:g}）"
        ),
    }
    words = details.get(trial.cure.name.en)
    return "" if words is None else f"<small>{said(words)}</small>"


def _cell(trials: Trials, outcome: Outcome | None, place: Sentence) -> str:
    where = said(place, class_="where")  # on narrow screens, which have no room for the head
    if outcome is None:
        return f'<td class="untried">{where} –</td>'
    mark = trials.mark(outcome)
    word = said(Sentence(outcome.wind.word, outcome.wind.word_ja))
    spoken = said(MARK_WORDS[mark], class_="unseen-by-eye")
    kind = {"✓": "good", "◐": "half", "✗": "bad"}[mark]
    text = f'<span class="outcome {kind}"><b aria-hidden="true">{mark}</b>{spoken} {percent(outcome.accuracy)}<small>{word}</small></span>'
    return f'<td>{where}<div class="cell">{map_svg(outcome.weather, columns=32)}{text}</div></td>'


def _legend(trials: Trials) -> str:
    limit = percent(ENOUGH * trials.shallow)
    words = Sentence(
        f"✓ kazami finds nothing wrong, and at least {limit} of held-out digits are read ({ENOUGH:.0%} of what one linear layer alone reaches, "
        f"{percent(trials.shallow)}: depth is worth nothing without wind). ◐ fair weather, but less is learnt in this time. ✗ kazami's finding stands.",
        f"✓ 異常なし、かつ未見の数字の {limit} 以上を正しく読む（線形層 1 つだけの {percent(trials.shallow)} の {ENOUGH:.0%}。風がなければ深さに価値はない）。"
        "◐ 天気は良いが、この時間では学び足りない。✗ kazami の指摘が残る。",
    )
    return said(words, "p", class_="fine")
