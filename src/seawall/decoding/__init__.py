"""Decoding: the sandboxed child processes that touch untrusted bytes.

`pool` is what the rest of Seawall uses. `child` is the program of one decoder process; `sniff`, `pictures`, `jpeg`,
`colours`, `videos`, `film` and `thumbnails` run only in there.
"""
