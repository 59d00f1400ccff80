"""Compiled loops over PDQ hashes. Importing this module imports numba; only segments do, when they are first asked.

A PDQ hash is four unsigned 64-bit words; a distance is the number of bits in which two differ.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# Rows are taken in blocks that stay in the nearest cache while all queries pass over them.
BLOCK = 512
# Hashes that are asked for before they are compared: 64 bytes each, and the nearest cache has 32 KiB.
ROUND = 256
# What `probe` says instead of a number of candidates.
DENSE, DAMAGED = -1, -2
# records.FARTHEST_DISTANCE, written out: compiled code is cached by this file alone, and would not see it change.
FAR = 31


class Entries(NamedTuple):
    """What decides whether a hash binds.

    Args:
        rows: (m,) int32 ascending, the row of each hash.
        slots: (n,) int32, the list of each row; dead: the rows that are no more, as in `bitmaps`.
        reach: (lists,) int16, the farthest distance that binds; -1 for none.
    """

    rows: Any
    slots: Any
    dead: Any
    reach: Any


class Answers(NamedTuple):
    """What is kept for each query.

    Args:
        kept_distances, kept_rows: (q, limit) int32, the nearest hits of each query, as a heap; kept: (q,) int64.
        found: (q,) int64, how many hits there were in all.
        best_distances, best_rows: (q, lists) int32, the nearest hit on each list; starts as FAR + 1.
    """

    kept_distances: Any
    kept_rows: Any
    kept: Any
    found: Any
    best_distances: Any
    best_rows: Any


@intrinsic  # type: ignore[untyped-decorator]
def popcount(typing_context: Any, word: Any) -> Any:  # noqa: ARG001 - numba's signature
    """The number of bits set in an unsigned 64-bit word, as one machine instruction."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing_context: Any, array: Any, place: Any) -> Any:  # noqa: ARG001 - numba's signature
    """Asks the memory for array[place], the first axis, and does not wait. A place outside does no harm."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fields = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        stride = cgutils.unpack_tuple(builder, fields.strides)[0]
        begin = builder.bitcast(fields.data, byte)
        address = builder.gep(begin, [builder.mul(stride, arguments[1])])
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        instruction = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # To read, into the nearest cache, data.
        builder.call(instruction, [address, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def has_row(bitmap: Any, row: int) -> bool:
    """Whether the row is in the set, see `bitmaps`."""
    return bool((bitmap[row >> 6] >> np.uint64(row & 63)) & np.uint64(1))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def before(distance: int, row: int, other_distance: int, other_row: int) -> bool:
    """Whether a hit is nearer than another; of two at one distance the lower row is."""
    return distance < other_distance or (distance == other_distance and row < other_row)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def keep_nearest(distances: Any, rows: Any, size: int, distance: int, row: int) -> int:
    """Puts a hit into a bounded heap whose root is the farthest kept; returns the new size."""
    limit = distances.shape[0]
    if size == limit:
        if not before(distance, row, distances[0], rows[0]):
            return size
        place = 0
        while True:
            child = 2 * place + 1
            if child >= limit:
                break
            if child + 1 < limit and before(distances[child], rows[child], distances[child + 1], rows[child + 1]):
                child += 1
            if not before(distance, row, distances[child], rows[child]):
                break
            distances[place], rows[place] = distances[child], rows[child]
            place = child
        distances[place], rows[place] = distance, row
        return size
    place = size
    while place > 0:
        parent = (place - 1) // 2
        if not before(distances[parent], rows[parent], distance, row):
            break
        distances[place], rows[place] = distances[parent], rows[parent]
        place = parent
    distances[place], rows[place] = distance, row
    return size + 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def take(entries: Entries, answers: Answers, query: int, places: Any, distances: Any) -> bool:
    """Keeps of some hashes within FAR of the query those that bind: the nearest of all, and the nearest on each list.

    It takes many at once because calling it costs as much as many of them.

    Args:
        places, distances: (k,) int64, which hashes, and how far they are.

    Returns:
        whether each has a row and a list at all.
    """
    rows, slots, dead, reach = entries.rows, entries.slots, entries.dead, entries.reach
    kept_distances, kept_rows = answers.kept_distances, answers.kept_rows
    best_distances, best_rows = answers.best_distances, answers.best_rows
    limit = kept_rows.shape[1]
    for number in range(places.shape[0]):
        row, distance = rows[places[number]], distances[number]
        if not 0 <= row < slots.shape[0]:
            return False
        slot = slots[row]
        if not 0 <= slot < reach.shape[0]:
            return False
        if distance > reach[slot] or has_row(dead, row):
            continue
        answers.found[query] += 1
        if before(distance, row, best_distances[query, slot], best_rows[query, slot]):
            best_distances[query, slot], best_rows[query, slot] = distance, row
        size = answers.kept[query]
        if size < limit or before(distance, row, kept_distances[query, 0], kept_rows[query, 0]):
            answers.kept[query] = keep_nearest(kept_distances[query], kept_rows[query], size, distance, row)
    return True


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def scan(hashes: Any, entries: Entries, answers: Answers, queries: Any, which: Any) -> bool:
    """Compares queries with every hash and keeps the nearest that bind.

    Args:
        hashes: (m, 4) uint64.
        queries: (q, 4) uint64; which: (k,) int64, those of them to look up.

    Returns whether all was as it should be, rather than rows or lists named that are not there.
    """
    whole = True
    places, distances = np.empty(BLOCK, dtype=np.int64), np.empty(BLOCK, dtype=np.int64)
    for start in range(0, hashes.shape[0], BLOCK):
        end = min(start + BLOCK, hashes.shape[0])
        for query in which:
            first, second = queries[query, 0], queries[query, 1]
            third, fourth = queries[query, 2], queries[query, 3]
            near = 0
            for place in range(start, end):
                # Half of the bits settle it for all but one in millions of unrelated hashes.
                distance = popcount(hashes[place, 0] ^ first) + popcount(hashes[place, 1] ^ second)
                if distance > FAR:
                    continue
                distance += popcount(hashes[place, 2] ^ third) + popcount(hashes[place, 3] ^ fourth)
                if distance <= FAR:
                    places[near], distances[near] = place, distance
                    near += 1
            if near:
                whole &= take(entries, answers, query, places[:near], distances[:near])
    return whole


# ------------------------------------------------------------------------------------------ search by chunks


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def value_of(words: Any, bits: Any) -> Any:
    """These bits of a hash of four words as a number, the first one lowest."""
    value = np.uint64(0)
    for place in range(bits.shape[0]):
        bit = np.int64(bits[place])
        value |= ((words[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1)) << np.uint64(place)
    return np.int64(value)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def met_before(difference: Any, chunks: Any, chunk_of: Any, flips: Any, chunk: int) -> bool:
    """Whether a hash that differs in these bits was met by an earlier chunk: each hit counts once.

    Args:
        difference: (4,) uint64, few bits of which are set; chunk_of: as in `schemes.Plan`.
        flips: (chunks,) int64, overwritten.
    """
    flips[:] = 0
    for word in range(4):
        left = difference[word]
        while left:
            others = left & (left - np.uint64(1))
            flips[chunk_of[64 * word + popcount((left ^ others) - np.uint64(1))]] += 1
            left = others
    met = False
    for earlier in range(chunk):
        met |= flips[earlier] <= chunks[earlier, 2]
    return met


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def bounds_of(words: Any, buckets: Any, chunks: Any, masks: Any, order: Any, begins: Any, ends: Any) -> None:
    """Writes where each bucket to look into begins and ends, after asking the memory for all of them at once."""
    at = 0
    for chunk in range(chunks.shape[0]):
        value = value_of(words, order[chunks[chunk, 0] : chunks[chunk, 0] + chunks[chunk, 1]])
        while at < chunks[chunk, 4]:
            begins[at] = chunks[chunk, 3] + (value ^ np.int64(masks[at]))
            prefetch(buckets, begins[at])
            at += 1
    for place in range(at):
        bucket = begins[place]
        begins[place], ends[place] = buckets[bucket], buckets[bucket + 1]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def ask_for(positions: Any, chunks: Any, begins: Any, ends: Any) -> int:
    """Asks the memory for what lies in the buckets; returns how many hashes that is, -1 if that cannot be."""
    total = at = 0
    for chunk in range(chunks.shape[0]):
        inside = positions[chunk]
        while at < chunks[chunk, 4]:
            begin, end = begins[at], ends[at]
            if begin > end or end > positions.shape[1]:
                return -1
            if end > begin:
                prefetch(inside, begin)
                total += end - begin
            at += 1
    return total


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def compare(
    hashes: Any,
    entries: Entries,
    answers: Answers,
    query: int,
    words: Any,
    chunks: Any,
    chunk_of: Any,
    asked: Any,
    chunk_met: Any,
) -> bool:
    """Compares the query with the hashes that were asked for; returns what `scan` does.

    Args:
        asked, chunk_met: (k,) int64, the places of the hashes, and by which chunk each was met. Overwritten.
    """
    near = 0
    for number in range(asked.shape[0]):
        place = asked[number]
        if place >= hashes.shape[0]:
            return False
        distance = popcount(hashes[place, 0] ^ words[0]) + popcount(hashes[place, 1] ^ words[1])
        if distance > FAR:
            continue
        distance += popcount(hashes[place, 2] ^ words[2]) + popcount(hashes[place, 3] ^ words[3])
        if distance <= FAR:
            asked[near], chunk_met[near] = place, chunk_met[number]
            near += 1
    if not near:
        return True
    difference, distances = np.empty(4, dtype=np.uint64), np.empty(near, dtype=np.int64)
    flips = np.empty(chunks.shape[0], dtype=np.int64)
    once = 0
    for number in range(near):
        distances[once] = 0
        for word in range(4):
            difference[word] = hashes[asked[number], word] ^ words[word]
            distances[once] += popcount(difference[word])
        if not met_before(difference, chunks, chunk_of, flips, chunk_met[number]):
            asked[once] = asked[number]
            once += 1
    whole: bool = take(entries, answers, query, asked[:once], distances[:once])
    return whole


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def probe(
    entries: Entries,
    answers: Answers,
    hashes: Any,
    buckets: Any,
    positions: Any,
    chunks: Any,
    masks: Any,
    order: Any,
    chunk_of: Any,
    most: int,
    queries: Any,
    candidates: Any,
) -> None:
    """Compares every query with what lies in the buckets near it, see `schemes`. Beyond what `scan` takes:

    Args:
        buckets: (b,) uint32, where the bucket of each value begins in the positions of its chunk, chunk after chunk.
        positions: (chunks, m) uint32, the places of hashes, by bucket.
        chunks, masks, order, chunk_of: a `schemes.Plan`.
        most: the candidates that are worth it.
        candidates: (q,) int64, how many hashes were compared; DENSE where more than `most` would have been, and none
            was, DAMAGED where the buckets point out of the segment.

    What takes time is waiting for memory: nearly everything that a query touches is in no cache. So each stage first
    asks for all that the next one reads, and many requests are under way at once.
    """
    begins = np.empty(masks.shape[0], dtype=np.int64)
    ends = np.empty(masks.shape[0], dtype=np.int64)
    asked = np.empty(ROUND, dtype=np.int64)
    chunk_met = np.empty(ROUND, dtype=np.int64)
    for query in range(queries.shape[0]):
        words = queries[query]
        bounds_of(words, buckets, chunks, masks, order, begins, ends)
        total = ask_for(positions, chunks, begins, ends)
        candidates[query] = DAMAGED if total < 0 else DENSE if total > most else total
        if candidates[query] < 0:
            continue
        at = waiting = 0
        whole = True
        for chunk in range(chunks.shape[0]):
            inside = positions[chunk]
            while at < chunks[chunk, 4]:
                for position in range(begins[at], ends[at]):
                    place = np.int64(inside[position])
                    prefetch(hashes, place)
                    asked[waiting], chunk_met[waiting] = place, chunk
                    waiting += 1
                    if waiting == ROUND:
                        whole &= compare(hashes, entries, answers, query, words, chunks, chunk_of, asked, chunk_met)
                        waiting = 0
                at += 1
        whole &= compare(
            hashes, entries, answers, query, words, chunks, chunk_of, asked[:waiting], chunk_met[:waiting]
        )
        if not whole:
            candidates[query] = DAMAGED


# ------------------------------------------------------------------------------------------------ whole searches


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def search(
    hashes: Any,
    rows: Any,
    slots: Any,
    dead: Any,
    reach: Any,
    buckets: Any,
    positions: Any,
    chunks: Any,
    masks: Any,
    order: Any,
    chunk_of: Any,
    most: int,
    queries: Any,
    limit: int,
) -> Any:
    """Looks queries up by chunks, or, without any and where that does not pay, by comparing all.

    It is one call because each that Python makes, and each array that goes between, costs as much as a good part of
    the search. Arguments as `probe` takes them; `limit`: the hits to keep of each query.

    Returns:
        how many hashes were compared, or DAMAGED; hits (3, k) int64: query, row and distance; and the queries that
        had more (t,) int64.
    """
    count = queries.shape[0]
    kept_distances = np.empty((count, limit), dtype=np.int32)
    kept_rows = np.empty((count, limit), dtype=np.int32)
    kept, found = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    best_distances = np.full((count, reach.shape[0]), FAR + 1, dtype=np.int32)
    best_rows = np.empty((count, reach.shape[0]), dtype=np.int32)
    entries = Entries(rows, slots, dead, reach)
    entries = Entries(rows, slots, dead, reach)
    answers = Answers(kept_distances, kept_rows, kept, found, best_distances, best_rows)
    candidates = np.full(count, DENSE, dtype=np.int64)
    if chunks.shape[0]:
        probe(entries, answers, hashes, buckets, positions, chunks, masks, order, chunk_of, most, queries, candidates)
    dense = np.flatnonzero(candidates == DENSE)
    whole = True
    if dense.shape[0]:
        whole = scan(hashes, entries, answers, queries, dense)
    compared = dense.shape[0] * hashes.shape[0]
    for query in range(count):
        whole &= candidates[query] != DAMAGED
        compared += max(candidates[query], 0)
    return compared if whole else DAMAGED, collected(answers), np.flatnonzero(found > limit)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def collected(answers: Answers) -> Any:
    """The hits that were kept, and those that are the nearest on their list and were not: (3, k) int64."""
    limit, lists = answers.kept_rows.shape[1], answers.best_rows.shape[1]
    room = answers.kept.sum()
    for query in range(answers.kept.shape[0]):
        room += lists if answers.found[query] > limit else 0
    hits = np.empty((3, room), dtype=np.int64)
    size = 0
    for query in range(answers.kept.shape[0]):
        for place in range(answers.kept[query]):
            hits[0, size], hits[1, size] = query, answers.kept_rows[query, place]
            hits[2, size] = answers.kept_distances[query, place]
            size += 1
        if answers.found[query] <= limit:
            continue
        # The nearest on a list is in the heap, unless that ran over and the farthest in it, its first, is nearer.
        farthest, last = answers.kept_distances[query, 0], answers.kept_rows[query, 0]
        for slot in range(lists):
            distance, row = answers.best_distances[query, slot], answers.best_rows[query, slot]
            if distance <= FAR and before(farthest, last, distance, row):
                hits[0, size], hits[1, size], hits[2, size] = query, row, distance
                size += 1
    return hits[:, :size].copy()
