"""Scripted conversations: some in which one person lures another, and many that are benign. Nothing in them is
explicit.

    python benchmarks/chats.py --part test --count 400 > chats.jsonl

Each is put together from phrases, with the spelling and the typing errors of chats. The phrases of the parts "train"
and "test" have none in common, so that what was learnt from one is not repeated in the other. All of it is made up,
and marked as test data: every conversation's id begins with "test-".

The benign ones are of several kinds, most of them chosen to be hard: strangers who ask for age and place, adults who
flirt and meet, classmates who swap pictures, relatives who ask who is home, players who give each other presents.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

START = 1_900_000_000

# Each phrase goes to one of the two parts, by its place: odd ones to "test".
LURING: dict[str, dict[str, list[str]]] = {
    "en": {
        "hello": [
            "hey there",
            "hi whats up",
            "hey how r u",
            "hello :)",
            "hi again",
            "yo wats up",
            "heyy",
            "hi how was ur day",
        ],
        "profiling": [
            *(
                "how old r u",
                "what grade are you in",
                "where do u live",
                "asl?",
                "wat school do u go to",
                "when is ur bday",
            ),
            *(
                "so u r 13 right?",
                "what city u in",
                "u in middle school?",
                "how old did u say u are",
                "u live near the mall?",
            ),
        ],
        "flattery": [
            *(
                "ur really pretty",
                "you seem so mature for ur age",
                "u r not like other girls",
                "i feel like i can tell u anything",
            ),
            *(
                "u are so cute",
                "ur way smarter than kids ur age",
                "u got a beautiful smile",
                "nobody gets me like u do",
            ),
        ],
        "gifts": [
            *("i can buy u a new phone", "want some robux?", "ill get u something nice", "i could send u some money"),
            *(
                "i got a present for u",
                "ill gift u vbucks if u want",
                "u ever thought about being a model",
                "want me to buy u that game",
            ),
        ],
        "alone": [
            *(
                "r u home alone",
                "where r ur parents",
                "when does ur mom get home",
                "does anyone check ur phone",
                "is ur dad around",
            ),
            *(
                "u by urself rn?",
                "are ur parents strict",
                "do ur parents know u chat on here",
                "who else is home",
                "is ur door closed",
            ),
        ],
        "secrecy": [
            *(
                "dont tell ur mom about me",
                "this has to stay between us",
                "u have to delete these msgs",
                "can u keep a secret",
            ),
            *(
                "nobody can know about us ok",
                "u didnt tell anyone did u",
                "erase our chat when ur done",
                "lets keep it our secret",
            ),
        ],
        "caution": [
            *(
                "i could get in so much trouble",
                "ur not a cop are u",
                "u know this is illegal right",
                "i dont want to go to jail lol",
            ),
            *(
                "how do i know ur real",
                "id get arrested if someone finds out",
                "wish u were older",
                "this isnt a set up is it",
            ),
        ],
        "moving": [
            *(
                "u have snap?",
                "add me on kik",
                "whats ur number",
                "can i call u tonight",
                "lets talk on whatsapp instead",
            ),
            *(
                "text me when u can",
                "u got discord?",
                "give me ur email",
                "call me when ur mom is asleep",
                "whats ur insta",
            ),
        ],
        "relationship": [
            *(
                "do u have a bf",
                "age is just a number",
                "do u like older guys",
                "i think im falling for u",
                "wish i could hold u",
            ),
            *(
                "have u ever kissed a boy",
                "does it bother u that im older",
                "i miss u",
                "would u date someone my age",
                "be my gf",
            ),
        ],
        "pictures": [
            *("got a pic?", "send me a pic of u", "u have a webcam?", "can i see u on cam", "wanna see my pic"),
            *(
                "send another one just for me",
                "turn on ur cam",
                "i wont show anyone i promise",
                "can u take a pic for me now",
                "u got any more pics",
            ),
        ],
        "meeting": [
            *(
                "wanna meet up sometime",
                "i could pick u up after school",
                "can u sneak out",
                "i can drive to u",
                "tell ur mom ur at a friends",
            ),
            *(
                "when can i see u",
                "i will come over when they leave",
                "what r u doing this weekend",
                "we could get a hotel",
                "ill park down the street",
            ),
        ],
    },
    "de": {
        "hello": ["hey", "hi wie gehts", "na du", "hallo"],
        "profiling": ["wie alt bist du", "in welche klasse gehst du", "wo wohnst du", "gehst du noch zur schule"],
        "flattery": [
            "du bist so hübsch",
            "du bist echt reif für dein alter",
            "du kannst mir alles sagen",
            "niemand versteht dich wie ich",
        ],
        "gifts": ["ich kauf dir ein handy", "willst du robux", "hab ein geschenk für dich", "ich geb dir 20 euro"],
        "alone": ["bist du allein", "wo sind deine eltern", "wann kommt deine mama", "ist noch jemand da"],
        "secrecy": [
            "sag das niemandem",
            "das bleibt unter uns",
            "lösch den chat",
            "erzähl nichts deinen eltern davon",
        ],
        "moving": ["hast du snap", "gib mir deine nummer", "schreib mir auf whatsapp", "kann ich dich anrufen"],
        "relationship": [
            "hast du einen freund",
            "alter ist nur eine zahl",
            "ich vermisse dich",
            "ich denk immer an dich",
        ],
        "pictures": ["schick mir ein bild", "hast du ne cam", "schick mal ein foto von dir", "mach die kamera an"],
        "meeting": [
            "wollen wir uns treffen",
            "ich kann dich abholen",
            "komm doch mal zu mir",
            "wann können wir uns treffen",
        ],
    },
    "es": {
        "hello": ["hola", "hola que tal", "holaa", "que haces"],
        "profiling": ["cuantos años tienes", "en que curso estas", "donde vives", "a que colegio vas"],
        "flattery": [
            "eres muy guapa",
            "eres muy madura para tu edad",
            "nadie te entiende como yo",
            "puedes contarme todo",
        ],
        "gifts": ["te compro un movil", "te regalo robux", "tengo un regalo para ti", "te doy 50 euros"],
        "alone": ["estas sola?", "donde estan tus padres", "hay alguien contigo", "cuando llega tu mama"],
        "secrecy": ["no se lo digas a nadie", "es nuestro secreto", "borra los mensajes", "que quede entre nosotros"],
        "moving": ["tienes whatsapp?", "dame tu numero", "pasame tu snap", "te puedo llamar"],
        "relationship": ["tienes novio?", "la edad es solo un numero", "te quiero mucho", "pienso en ti"],
        "pictures": ["mandame una foto", "tienes camara?", "tienes fotos tuyas", "hacemos videollamada"],
        "meeting": ["quieres quedar", "te paso a buscar", "ven a mi casa", "cuando podemos vernos"],
    },
}
CHILD: dict[str, list[str]] = {
    "en": [
        *(
            "im 13",
            "13 u?",
            "8th grade",
            "nm just hw",
            "my mom is home",
            "at home bored",
            "idk",
            "lol",
            "ok",
            "no why",
            "yeah",
            "haha thx",
        ),
        *(
            "im 12",
            "14 f",
            "in 7th grade",
            "nothing just tv",
            "my mom gets home at 5",
            "in my room",
            "maybe",
            "umm",
            "k",
            "nope",
            "ya",
            "aww ty",
        ),
        *(
            "i gotta go to bed soon",
            "my mom would be mad",
            "im not allowed",
            "i dont have a phone",
            "i guess",
            "whats that",
            "why",
            "u?",
            "ok brb",
        ),
        *(
            "g2g dinner",
            "my dad would kill me",
            "i cant drive",
            "i have soccer",
            "i think so",
            "huh",
            "where",
            "wbu",
            "back",
        ),
    ],
    "de": [
        "bin 13",
        "12",
        "nein",
        "ja",
        "weiß nicht",
        "muss hausaufgaben machen",
        "meine mama ist da",
        "ok",
        "warum",
    ],
    "es": [
        "tengo 13",
        "tengo 12 años",
        "no",
        "si",
        "no se",
        "tengo deberes",
        "mi mama esta en casa",
        "vale",
        "por que",
    ],
}
ADULT_AGE = {
    "en": ["im 31", "29 m", "im 38 is that ok", "42", "im 26 lol", "35 here"],
    "de": ["bin 31", "ich bin 28"],
    "es": ["tengo 30", "tengo 41"],
}
SMALL = [
    *(
        "what music do u like",
        "did u see the game",
        "its raining here",
        "lol thats funny",
        "im so tired",
        "work was long today",
        "what did u eat",
    ),
    *(
        "i love that show",
        "my dog is crazy",
        "brb",
        "nice",
        "same here",
        "haha yeah",
        "gotta get coffee",
        "the new update broke everything",
    ),
    *(
        "what movies do you like",
        "who won last night",
        "so cold today",
        "omg hilarious",
        "i need a nap",
        "boss was annoying today",
        "i made pasta",
    ),
    *(
        "that song is great",
        "my cat did it again",
        "back",
        "cool",
        "me too",
        "lmao right",
        "need more tea",
        "server is down again",
    ),
    *(
        "anyone here know linux",
        "try turning it off and on",
        "which distro do you use",
        "the build fails on my machine",
        "did you check the log",
    ),
    *(
        "what browser are you on",
        "reinstall the driver",
        "works for me",
        "python or ruby",
        "merge it and see",
        "read the docs lol",
    ),
    *(
        "whats your favourite food",
        "have you travelled much",
        "i want to learn guitar",
        "do you play any sports",
        "how is the weather there",
    ),
    *(
        "any plans for the holidays",
        "i used to live by the sea",
        "reading a good book now",
        "do you cook",
        "traffic was terrible",
    ),
]
STRANGERS = [
    *(
        "asl",
        "m or f",
        "where u from",
        "how old are you",
        "22 m here",
        "im 24 f",
        "im 19",
        "from london",
        "texas u?",
        "got a pic?",
        "u single?",
    ),
    *(
        "hi asl?",
        "boy or girl",
        "where are you from",
        "age?",
        "25 m",
        "im 21 f",
        "20 here",
        "from spain",
        "canada wbu",
        "do you have insta",
        "have a bf?",
    ),
    *(
        "bored",
        "anyone wanna chat",
        "what do you do",
        "im a student",
        "college",
        "nice to meet you",
        "any hobbies",
        "bye",
    ),
    *(
        "hello anyone",
        "who wants to talk",
        "whats your job",
        "i work in a shop",
        "uni",
        "pleased to meet you",
        "what are you into",
        "cya",
    ),
]
FLIRTS = [
    *(
        "you look great in that photo",
        "im 34 by the way",
        "wanna grab dinner friday",
        "i miss you",
        "call me after work",
        "you are so sweet babe",
    ),
    *(
        "love your smile",
        "im 29",
        "lets meet for coffee",
        "thinking of you",
        "what is your number",
        "hey beautiful",
        "my kids are asleep finally",
    ),
    *(
        "my ex was terrible",
        "i can come over tonight",
        "send me a pic of the new haircut",
        "love you",
        "i have to pick up my son",
        "divorce is hard",
    ),
    *(
        "my apartment is a mess",
        "i could drive over saturday",
        "got any pics from the trip",
        "good night hun",
        "my daughter has school",
        "dating is weird at 40",
    ),
]
CLASSMATES = [
    *(
        "did u do the math hw",
        "mr lee is so mean",
        "what page is it",
        "im 14 and so done with school",
        "wanna hang out after school",
        "send me the pic of the board",
    ),
    *(
        "have you finished the essay",
        "mrs king gave us a test",
        "which chapter",
        "im 15 today",
        "come over saturday we can play",
        "send me a pic of ur notes",
    ),
    *(
        "my mom says i can come",
        "see u at practice",
        "who do u sit with at lunch",
        "lol u like jake",
        "add me on snap",
        "dont tell anyone but i failed",
    ),
    *(
        "my dad can drive us",
        "see you in class",
        "sit with us at lunch",
        "emma has a crush",
        "whats ur discord",
        "keep it secret its a surprise party",
    ),
]
FAMILY = [
    *(
        "hi mum",
        "dinner is ready",
        "are you home yet",
        "is dad home",
        "i will pick you up after school",
        "love you",
        "did you feed the cat",
        "where are you",
    ),
    *(
        "thanks dad",
        "tea is at six",
        "are you home alone",
        "is your brother there",
        "shall i collect you from practice",
        "love you son",
        "pack your lunch",
        "call me",
    ),
    *(
        "dont tell dad about his present",
        "send me a pic of the form",
        "grandma says hi",
        "when do you finish school",
        "call me when you get there",
    ),
    *(
        "mum can you pick me up",
        "its a secret until his birthday",
        "send a photo of the list",
        "tell your sister to call",
        "what time is pick up",
    ),
]
PLAYERS = [
    *(
        "gg",
        "nice shot",
        "ill gift you a skin",
        "join discord",
        "push mid",
        "one more game",
        "who is tank",
        "free robux code is fake",
        "im 16 and diamond lol",
    ),
    *(
        "wp",
        "cover me",
        "i can trade you the sword",
        "get on voice",
        "rotate",
        "rematch?",
        "need a healer",
        "dont click that vbucks site",
        "im 30 and still bronze",
    ),
]
BENIGN = {
    "small": SMALL,
    "strangers": STRANGERS,
    "flirts": FLIRTS,
    "classmates": CLASSMATES,
    "family": FAMILY,
    "players": PLAYERS,
}
NEAR = {"a": "sq", "e": "wr", "i": "uo", "o": "ip", "t": "ry", "n": "bm", "s": "ad", "r": "et"}


def part_of(phrases: list[str], part: str) -> list[str]:
    """The phrases of one part."""
    return phrases[part == "test" :: 2] or phrases


def typed(text: str, chance: random.Random) -> str:
    """With the errors of somebody who types fast."""
    if chance.random() < 0.75:
        return text
    place = chance.randrange(len(text))
    letter = text[place]
    how = chance.randrange(4)
    if how == 0:
        return text[:place] + text[place + 1 :] or text
    if how == 1 and letter in NEAR:
        return text[:place] + chance.choice(NEAR[letter]) + text[place + 1 :]
    if how == 2:
        return text[:place] + letter + text[place:]
    return text + chance.choice(["", " lol", "?", "...", "!!", " :)"])


def predatory(part: str, chance: random.Random) -> list[tuple[str, str]]:
    """One in which "a" lures "b": tactics in any order, small talk between."""
    language = chance.choices(["en", "de", "es"], [8, 1, 1])[0]
    script = LURING[language]
    tactics = [name for name in script if name != "hello"]
    chosen = chance.sample(tactics, chance.randint(4, len(tactics)))
    said = [("a", chance.choice(part_of(script["hello"], part)))]
    length = chance.randint(14, 90)
    for _ in range(length):
        roll = chance.random()
        if roll < 0.32:
            said.append(("a", chance.choice(part_of(script[chance.choice(chosen)], part))))
        elif roll < 0.36:
            said.append(("a", chance.choice(part_of(ADULT_AGE[language], part))))
        elif roll < 0.75:
            said.append(("b", chance.choice(part_of(CHILD[language], part))))
        else:
            said.append((chance.choice("ab"), chance.choice(part_of(SMALL, part))))
    if chance.random() < 0.2:
        said.insert(0, ("b", "hi"))
    return said


def benign(part: str, chance: random.Random) -> list[tuple[str, str]]:
    """One of the benign kinds; a third are rooms of several people."""
    kind = chance.choice(list(BENIGN))
    people = "abcdefgh"[: chance.choice([2, 2, 2, 2, 4, 8])]
    said = []
    for _ in range(chance.randint(6, 110)):
        own = kind if chance.random() < 0.45 else "small"
        said.append((chance.choice(people), chance.choice(part_of(BENIGN[own], part))))
    return said


def conversations(part: str, bad: int, good: int, seed: int) -> Iterator[dict[str, Any]]:
    """The messages of all, conversation after conversation, as JSON lines have them."""
    chance = random.Random(f"{part}-{seed}")
    for number in range(bad + good):
        is_bad = number < bad
        said = predatory(part, chance) if is_bad else benign(part, chance)
        # Who is who must not be told by the name.
        swap = chance.random() < 0.5
        for place, (author, text) in enumerate(said):
            shown = {"a": "b", "b": "a"}.get(author, author) if swap else author
            line: dict[str, Any] = {
                "conversation": f"test-{part}-{number}",
                "author": f"test-{shown}",
                "time": START + number * 86400 + place * 20,
                "text": typed(text, chance),
                "label": "predatory" if is_bad else "benign",
            }
            if is_bad:
                line["role"] = "offender" if author == "a" else "child"
            yield line


def main() -> None:
    """Writes JSON lines to standard output."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--part", choices=("train", "test"), default="test")
    asked.add_argument(
        "--count", type=int, default=400, help="predatory ones; of benign ones there are three times as many"
    )
    asked.add_argument("--seed", type=int, default=1)
    chosen = asked.parse_args()
    for line in conversations(chosen.part, chosen.count, 3 * chosen.count, chosen.seed):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
