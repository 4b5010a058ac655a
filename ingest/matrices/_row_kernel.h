/* One look at the rows of a block, for one type of number. Included once for each, with these defined:

   NAME     of the function
   BITS     unsigned integer of the size of a number
   FLOAT    what numbers are added in
   VALUE    from bits to FLOAT
   SCALE    what sums are to be multiplied by
   ONE      the bits of 1
   QUARTER  what the bits of a number are reduced by when it is divided by four */

FOR_EACH_WIDTH static Py_ssize_t NAME(const Look *look)
{
    const Py_ssize_t n = look->n, m = look->m;
    BITS *const block = look->block, *const owns = look->own, *const others = look->other;
    Py_ssize_t n_doubtful = 0;
    /* The given label of the next row is masked while this one is added up: reading what was written a moment ago
       would wait for it. */
    BITS next = block[look->labels[0]];
    block[look->labels[0]] = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        BITS *const row = block + i * m;
        const int64_t label = look->labels[i];
        const BITS own = next;
        if (i + 1 < n) {
            BITS *const given = row + m + look->labels[i + 1];
            next = *given;
            *given = 0;
        }
        BITS other = 0;
        double sum = VALUE(own);
        Py_ssize_t done = 0;
        while (done < m) {
            const BITS *const piece = row + done;
            const Py_ssize_t length = m - done < PIECE + PIECE / 2 ? m - done : PIECE;
            BITS most = 0;
            FLOAT part = 0;
#pragma omp simd reduction(max : most) reduction(+ : part)
            for (Py_ssize_t j = 0; j < length; j++) {
                most = piece[j] > most ? piece[j] : most;
                part += VALUE(piece[j]);
            }
            other = most > other ? most : other;
            sum += part;
            done += length;
        }
        int64_t rival = label;
        if (m > 1 && other > (own > QUARTER ? own - QUARTER : 0)) {
            Py_ssize_t at = 0;
            for (BITS found = 0; at + STRETCH <= m; at += STRETCH) {
                for (Py_ssize_t j = 0; j < STRETCH; j++)
                    found |= row[at + j] == other;
                if (found)
                    break;
            }
            while (row[at] != other)
                at++;
            rival = at;
        }
        row[label] = own;
        owns[i] = own;
        others[i] = other;
        put(look, i, rival);
        look->doubtful[i] = !(fabs(sum * SCALE - 1) <= look->bound) || own > ONE || other > ONE;
        n_doubtful += look->doubtful[i];
    }
    return n_doubtful;
}

#undef NAME
#undef BITS
#undef FLOAT
#undef VALUE
#undef SCALE
#undef ONE
#undef QUARTER
