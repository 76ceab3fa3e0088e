"""Invented panels, so that the page, the screen and the command can be tested without computing."""

from kazami.records import Check, Sentence
from kazami.tour._base import AbstractPanel, Deeper, PanelResult, Picture, Table
from kazami.tour.taking import Stop, Tour

NASTY = "<script>alert(1)</script>"


class Fine(AbstractPanel):
    """Finds something."""

    name = "fine"
    number = 1
    topic = Sentence("A topic", "話題")

    def compute(self, report):
        """Say what is going on, and return a result with everything in it."""
        report(Sentence("halfway", "途中"))
        picture = Picture(
            title=Sentence("A picture", "図"),
            notice=Sentence("Notice", "注目"),
            draw=lambda language: f'<svg data-en="A picture" data-ja="図" aria-label="{language}"></svg>',
            table=Table((Sentence("x", "x"), Sentence("y", "値")), (("1", Sentence("two", "二")), (NASTY, "3"))),
        )
        return PanelResult(
            name=self.name,
            number=self.number,
            topic=self.topic,
            finding=Sentence(f"Found 42 {NASTY}", "42 を発見"),
            text=(Sentence("Because `a < b`.", "なぜなら `a < b`。"),),
            pictures=(picture,),
            blocks=(lambda: "<p>a block</p>",),
            lines=lambda language, width, colour: ["▁▂▃ ✓ " + "long " * 60],
            numbers={"answer": 42, "lost": float("nan")},
            checks=(Check("right", 1.0, 1.0, name_ja="正しい"), Check("wrong", 1.0, 2.0, name_ja="違う")),
            deeper=(Deeper("kazami demo", Sentence("a demo", "デモ")),),
        )


class Failing(AbstractPanel):
    """Fails."""

    name = "failing"
    number = 2
    topic = Sentence("Another", "別の話題")

    def compute(self, report):
        """Raise."""
        raise RuntimeError(f"no luck {NASTY}")


class Interrupted(AbstractPanel):
    """Is interrupted."""

    name = "interrupted"
    number = 3
    topic = Sentence("Third", "第三")

    def compute(self, report):
        """Do what Ctrl-C does."""
        raise KeyboardInterrupt


def taken(*panels):
    """Return the tour of these panels, none of which is interrupted."""
    from kazami.tour.taking import take

    return Tour(list(take([kind() for kind in panels], lambda panel, sentence: None)))


__all__ = ["NASTY", "Failing", "Fine", "Interrupted", "Stop", "taken"]
