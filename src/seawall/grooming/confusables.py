"""Characters that stand in for others: letters that look alike in other alphabets, and emoji that say a word.

What NFKC already unfolds (full-width, mathematical, circled and superscript letters) is not repeated here. After the
Unicode Consortium's confusables (UTS #39), those alone that people can mistake for a Latin letter at a glance.
"""

from __future__ import annotations

from types import MappingProxyType

_LOOK_ALIKE = {
    "a": "аɑαᴀⲁ",
    "b": "вьƅʙ",
    "c": "сϲᴄⅽ",
    "d": "ԁɗᴅⅾ",
    "e": "еєҽɛεᴇ℮ё",
    "f": "ƒғꜰ",
    "g": "ɡɢց",
    "h": "һнʜհ",
    "i": "іıɩιɪї|¡ⅰ",
    "j": "јʝᴊ",
    "k": "кκᴋқ",
    "l": "ⅼʟӏł",
    "m": "мᴍⅿ",
    "n": "пηɴոи",
    "o": "оοσᴏօ๐өø°",
    "p": "рρᴘ",
    "q": "ԛզ",
    "r": "гʀᴦ",
    "s": "ѕꜱʂ",
    "t": "тτᴛ†",
    "u": "υʋᴜսц",
    "v": "νѵᴠⅴ",
    "w": "ѡωᴡԝш",
    "x": "хχⅹ×",
    "y": "уγʏүỿ",
    "z": "ᴢʐ",
    "ae": "æ",
    "oe": "œ",
    "ss": "ß",
    "th": "þ",
}

# Words that rules can speak of. A space at either side keeps them apart from letters.
_EMOJI = {
    "secret": "🤫🤐🙊",
    "pic": "📷📸🤳",
    "cam": "🎥📹",
    "phone": "📱📞☎",
    "gift": "🎁",
    "money": "💰💵💸🤑",
    "home": "🏠🏡",
    "school": "🏫",
    "plane": "✈",
    "car": "🚗",
    "love": "❤💕💖💘💗💓💞💟💜💙💚💛🧡🖤🥰😍",
    "kiss": "💋😘😗😚😙",
    "police": "🚓👮",
    "clock": "⏰⏳⏱",
}

_DROPPED = "'`´’‘ʼ＇"

LETTERS = MappingProxyType(
    {
        **{ord(look): letter for letter, looks in _LOOK_ALIKE.items() for look in looks if look != "|"},
        **{ord(sign): f" {word} " for word, signs in _EMOJI.items() for sign in signs},
        **{0x1F1E6 + number: chr(ord("a") + number) for number in range(26)},  # flags are spelt with these
        **dict.fromkeys(map(ord, _DROPPED)),
    }
)
"""For `str.translate`: what to read instead, or None for what to leave out."""
