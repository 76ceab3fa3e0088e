"""The language of a session, and the few sentences that only a session says."""

import os

SENTENCES = {
    "options_behind": (
        "{option} stands behind {target}, so it is the script's own, and the script did not know it. kazami's options stand before the script.",
        "{option} は {target} の後にあるため、スクリプトの引数になります。kazami のオプションはスクリプトの前に置いてください。",
    ),
    "no_torch": (
        "The script never imported torch, so there was nothing to watch.",
        "スクリプトが torch を読み込まなかったため、観測するものがありませんでした。",
    ),
    "no_backward": (
        "The script ended without a single backward pass or optimizer step, so there was nothing to watch.",
        "backward もオプティマイザのステップも一度も実行されなかったため、観測するものがありませんでした。",
    ),
    "no_optimizer": (
        "backward ran {n} times, but no torch.optim optimizer ever stepped: kazami is blind to weights that are updated by other means.",
        "backward は {n} 回実行されましたが、torch.optim のオプティマイザが一度もステップしませんでした。他の方法で更新される重みは観測できません。",
    ),
    "steps_seen": ("{n} steps were watched; nothing wrong was found in them.", "{n} ステップを観測しましたが、異常は見つかりませんでした。"),
    "cannot_write": ("cannot write {where} ({why}); the training goes on without it.", "{where} に書き込めません（{why}）。学習はそのまま続きます。"),
    "cannot_attach": (
        "could not attach to torch ({why}); the script runs unwatched.",
        "torch に接続できませんでした（{why}）。スクリプトは観測なしで実行されます。",
    ),
}


def chosen_language(asked: str | None) -> str:
    """Return ``"ja"`` or ``"en"``: as asked, else from the environment (LC_ALL, LC_MESSAGES, LANG)."""
    if asked:
        return asked
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


def say(key: str, language: str, **values: object) -> str:
    """Return a sentence of a session."""
    en, ja = SENTENCES[key]
    return (ja if language == "ja" else en).format(**values)
