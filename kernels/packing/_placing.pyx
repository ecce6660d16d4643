# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The loops of `places`: every entry of every list to its place, one list at a time."""
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc

import numpy as np

from . import sections

cdef enum:
    CHANNELS = 4
    PAIRS = 6
    APART = 4
    STEP = 4

assert (PAIRS, APART, STEP) == (len(sections.PAIRS), sections.APART, sections.STEP)

# The channels of each pair, one pair's after the other's.
cdef int32_t[2 * PAIRS] PAIR
for _i, _channel in enumerate(channel for pair in sections.PAIRS for channel in pair):
    PAIR[_i] = _channel


cdef struct Output:
    # Of each place, and how many there are.
    int32_t *list
    int32_t *section
    int32_t *stream
    int32_t *place
    int32_t *column
    int64_t places
    # Of each weight, and how many there are.
    int32_t *weight_of
    int32_t *channel
    int64_t weights


cdef struct List:
    # Columns that have entries, ascending; the channels that have one left, as bits.
    int32_t index
    int32_t *column
    uint8_t *left
    int64_t count


cdef inline void put(Output *out, List *of, int64_t entry, int section, int stream, int64_t place, int channels) noexcept nogil:
    """One entry, for those of the channels (bits) that have it left."""
    cdef int taken = of.left[entry] & channels, channel
    cdef int64_t at = out.places
    out.list[at] = of.index
    out.section[at] = section
    out.stream[at] = stream
    out.place[at] = <int32_t>place
    out.column[at] = of.column[entry]
    out.places += 1
    for channel in range(CHANNELS):
        if taken >> channel & 1:
            out.weight_of[out.weights] = <int32_t>at
            out.channel[out.weights] = channel
            out.weights += 1
    of.left[entry] &= ~channels


cdef inline int bits(int kind) noexcept nogil:
    return (kind & 1) + (kind >> 1 & 1) + (kind >> 2 & 1) + (kind >> 3 & 1)


cdef void read_list(const uint8_t[:, :, ::1] mask, int64_t index, List *of) noexcept nogil:
    cdef int64_t column
    cdef int kind
    of.index = <int32_t>index
    of.count = 0
    for column in range(mask.shape[2]):
        kind = mask[index, 0, column] | mask[index, 1, column] << 1 | mask[index, 2, column] << 2 | mask[index, 3, column] << 3
        of.column[of.count] = <int32_t>column
        of.left[of.count] = kind
        of.count += kind != 0


cdef void fill_together(Output *out, List *of, int64_t room) noexcept nogil:
    """Entries of most channels first."""
    cdef int64_t done = 0, entry
    cdef int count
    for count in range(CHANNELS, 0, -1):
        for entry in range(of.count):
            if done == room:
                return
            if bits(of.left[entry]) == count:
                put(out, of, entry, 0, 0, done, 15)
                done += 1


cdef void fill_pairs(Output *out, List *of, const uint8_t *shared, const int64_t *steps, int64_t *free, int64_t *used) noexcept nogil:
    """Shared entries into the streams of pairs; free, used [pair]: the places that are left there, and those that are not."""
    cdef int64_t entry
    cdef int pair, kind
    for pair in range(PAIRS):
        free[pair] = STEP * steps[1 + pair // 2]
        used[pair] = 0
        for entry in range(of.count):
            if free[pair] == 0:
                break
            kind = of.left[entry]
            # What was taken for a pair before has no channel in common with this one.
            if shared[kind] >> pair & 1:
                put(out, of, entry, 1 + pair // 2, pair % 2, used[pair], 1 << PAIR[2 * pair] | 1 << PAIR[2 * pair + 1])
                free[pair] -= 1
                used[pair] += 1


cdef int64_t pressing(const int64_t *need, const int64_t *free, int channel) noexcept nogil:
    """By how much a channel needs more places than all of its pairs have left."""
    cdef int64_t left = need[channel]
    cdef int pair
    for pair in range(PAIRS):
        if PAIR[2 * pair] == channel or PAIR[2 * pair + 1] == channel:
            left -= free[pair]
    return left


cdef void share_out(List *of, int64_t apart, int64_t *free, int64_t *share) noexcept nogil:
    """How many of the free places of a pair each of its channels takes, share [pair][side]: channels with more than `apart` single entries
    need them, those first that have the least to choose from."""
    cdef int64_t need[CHANNELS]
    cdef int64_t entry
    cdef int channel, pair, side, a, b
    cdef bint more = True
    for channel in range(CHANNELS):
        need[channel] = -apart
        for entry in range(of.count):
            need[channel] += of.left[entry] >> channel & 1
    for pair in range(2 * PAIRS):
        share[pair] = 0
    while more:
        more = False
        for pair in range(PAIRS):
            a, b = PAIR[2 * pair], PAIR[2 * pair + 1]
            if free[pair] == 0 or (need[a] <= 0 and need[b] <= 0):
                continue
            side = need[a] <= 0 or (need[b] > 0 and pressing(need, free, b) > pressing(need, free, a))
            share[2 * pair + side] += 1
            need[PAIR[2 * pair + side]] -= 1
            free[pair] -= 1
            more = True


cdef void fill_single(Output *out, List *of, int64_t *used, const int64_t *share) noexcept nogil:
    """Each channel's entries into its share of the pairs' streams, and the rest apart."""
    cdef int64_t entry, left, apart
    cdef int channel, slot
    for channel in range(CHANNELS):
        slot, left, apart = -1, 0, 0
        for entry in range(of.count):
            if not of.left[entry] >> channel & 1:
                continue
            while left == 0 and slot < 2 * PAIRS:
                slot += 1
                left = share[slot] if slot < 2 * PAIRS and PAIR[slot] == channel else 0
            if left > 0:
                put(out, of, entry, 1 + slot // 4, slot // 2 % 2, used[slot // 2], 1 << channel)
                used[slot // 2] += 1
                left -= 1
            else:
                put(out, of, entry, APART, channel, apart, 1 << channel)
                apart += 1


def place_entries(const uint8_t[:, :, ::1] mask, const int64_t[:, ::1] steps, const uint8_t[::1] shared):
    """list, section, stream, place, column [places] and weight_of, channel [weights], s32: `places.Places`.

    mask [list, channel, column] of zeros and ones; steps [list, section]; shared [kind of entry]: the pairs that share such an entry, as
    bits. Raises MemoryError.
    """
    cdef int64_t index, weights = np.count_nonzero(mask)
    cdef int64_t room[PAIRS]
    cdef int64_t used[PAIRS]
    cdef int64_t share[2 * PAIRS]
    cdef int32_t[:, ::1] found = np.empty((7, weights + 1), np.int32)
    cdef Output out = Output(&found[0, 0], &found[1, 0], &found[2, 0], &found[3, 0], &found[4, 0], 0, &found[5, 0], &found[6, 0], 0)
    cdef List of
    # One entry more: a column without entries is written, and then the next one in its place.
    of.column = <int32_t *>malloc((mask.shape[2] + 1) * sizeof(int32_t))
    of.left = <uint8_t *>malloc(mask.shape[2] + 1)
    if of.column == NULL or of.left == NULL:
        free(of.column)
        free(of.left)
        raise MemoryError
    with nogil:
        for index in range(mask.shape[0]):
            read_list(mask, index, &of)
            fill_together(&out, &of, STEP * steps[index, 0])
            fill_pairs(&out, &of, &shared[0], &steps[index, 0], room, used)
            share_out(&of, STEP * steps[index, APART], room, share)
            fill_single(&out, &of, used, share)
    free(of.column)
    free(of.left)
    places = np.asarray(found)
    return (*places[:5, : out.places], *places[5:, : out.weights])
