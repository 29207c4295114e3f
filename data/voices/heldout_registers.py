"""Held-out wordings: how different people put a request. Nothing here may be used in training."""

from __future__ import annotations

from tooldrill.data.voices.frames import Register

REGISTER_RULES: dict[str, tuple[str, ...]] = {
    "greeting": ("Greetings", "Salutations", "Evening", "Morning", "Howdy", "Hey folks"),
    "shout": ("listen {assistant}", "psst", "alright {assistant}", "now then", "attention"),
    "stutter": ("let me see", "let me think", "what was it", "hang on", "you know", "I mean"),
    "could": (
        "I would love it if somebody would",
        "Supposing you have time, please",
        "Should it be within your powers,",
        "Were it not for my lack of time I would do it alone; please",
        "Seeing that you are around, kindly",
    ),
    "pressure": (
        "deadline in {few} minutes",
        "boss is watching",
        "battery dying",
        "on the run",
        "super short",
        "last thing before I leave",
    ),
    "gratitude": ("Much obliged", "Grateful as ever", "Bless you", "Ta", "With gratitude"),
    "valediction": ("Respectfully", "Faithfully yours", "Sincerely", "Warm wishes"),
    "office": ("deputy clerk", "archivist", "caretaker", "secretary to {person}", "bookkeeper"),
    "cheer": ("", " xx", " ^^", " :-D", " \u2728"),
}

REGISTERS: dict[str, Register] = {
    "polite": Register(
        commands=(
            "Might you be willing to @?",
            "I should be much obliged were you to @.",
            "Would it be all right to ask that you @?",
            "At your convenience, do @.",
            "Do me the kindness to @.",
        ),
        questions=("Permit me a question: @?", "If I may enquire: @?"),
        clauses=("Be good enough to tell me @.", "May one enquire @?"),
        openers=("", "{greeting}!", "{greeting}, pardon the disturbance."),
        closers=("", "{gratitude}!", "{gratitude}."),
    ),
    "indirect": Register(
        commands=(
            "{could} @.",
            "Somebody ought to @, and I suppose that is you.",
            "Nothing would please me more than for you to @.",
            "I keep meaning to @ and never do; over to you.",
            "It falls to you to @.",
        ),
        questions=("Here is what puzzles me: @?", "People here are debating this: @?"),
        clauses=("Nobody around here can say @.", "I am curious @.", "It escapes me @."),
        openers=("", "{greeting},", "Far be it from me to push."),
        closers=("", "Whenever it suits you.", "Such would be my wish."),
    ),
    "hurried": Register(
        commands=("{pressure}!! @", "{pressure}... @", "hurry: @", "fast please, @"),
        questions=("{pressure}!! @?", "hurry: @?"),
        clauses=("{pressure}... must hear @",),
        openers=("", "{pressure}!!", "racing here."),
        closers=("", "tia", "bye!", "k thx bye"),
    ),
    "formal": Register(
        commands=(
            "The undersigned respectfully asks that you @.",
            "You are herewith instructed to @.",
            "Our department requires you to @.",
        ),
        questions=("The undersigned seeks an answer as to the following: @?",),
        clauses=("The undersigned wishes to be informed @.", "Be so good as to state @."),
        openers=("Esteemed {assistant},\n\n", "Madam, Sir,\n\n"),
        closers=("\n\n{valediction},\n{person}", "\n\n{valediction}\n{person}\n{office}, {city}"),
    ),
    "spoken": Register(
        commands=("{shout} @", "{shout} {stutter} @", "{stutter} @"),
        questions=("{shout} {stutter} @", "{stutter} @"),
        clauses=("{shout} say @", "{stutter} say @"),
        openers=("{shout}", "{shout} {stutter}", "{stutter}"),
        closers=("", "ta", "that is it"),
    ),
    "chatty": Register(
        commands=(
            "Pretty please with sugar on top, @{cheer}",
            "Be an angel and @{cheer}",
            "Fancy helping me out? Then @.",
        ),
        questions=("Pop quiz{cheer} @?", "A little bird wants to know: @?"),
        clauses=("Spill the beans and say @!", "My gut says you can tell me @{cheer}"),
        openers=("{greeting}{cheer}", "Knock knock, it is {first}!", "{greeting}, sunshine!"),
        closers=("{gratitude}{cheer}", "Hugs{cheer}", ""),
    ),
}
