/* Softmax of rows in single precision. `exponentials.py` says what is computed, in NumPy's
   functions; each step is one of theirs, so that the results are the same to the last bit. */

#include "_lanes.h"

/* The largest of n numbers, whatever NaN there are. */
INLINE float largest_of(const float *x, ptrdiff_t n) {
    float m[LANES], found = -INFINITY;
    ptrdiff_t i = 0;
    if (n >= LANES) {
        for (int j = 0; j < LANES; j++)
            m[j] = -INFINITY;
        for (; i + LANES <= n; i += LANES)
            for (int j = 0; j < LANES; j++)
                m[j] = x[i + j] > m[j] ? x[i + j] : m[j];
        for (int j = 0; j < LANES; j++)
            found = m[j] > found ? m[j] : found;
    }
    for (; i < n; i++)
        found = x[i] > found ? x[i] : found;
    return found;
}

/* The differences from the largest number m: 0 for itself, even if it is infinite. */
INLINE void shift(const float *x, float m, float *y, ptrdiff_t n) {
    if (m - m == 0) {
        INDEPENDENT
        for (ptrdiff_t i = 0; i < n; i++)
            y[i] = x[i] - m;
    } else
        for (ptrdiff_t i = 0; i < n; i++)
            y[i] = x[i] == m ? 0 : x[i] - m;
}

INLINE void exponentials(float *x, float *y, ptrdiff_t n) {
    char *arrays[] = {(char *)x, (char *)y};
    formula_exp_of_negative_body(arrays, (size_t)n);
}

/* Of each row of n numbers the largest, the differences from it in y, and the sum of their
   exponentials; with `is_softmax`, y is the exponentials divided by their sum. */
INLINE void softmax_body(const float *x, float *y, float *largest, float *sums, ptrdiff_t rows,
                         ptrdiff_t n, int is_softmax) {
    float buffer[CHUNK];
    ptrdiff_t group = n < CHUNK ? CHUNK / n : 1;
    for (ptrdiff_t r = 0; r < rows; r += group) {
        ptrdiff_t count = rows - r < group ? rows - r : group, size = count * n;
        double total = 0;
        for (ptrdiff_t i = 0; i < count; i++) {
            largest[r + i] = largest_of(x + i * n, n);
            shift(x + i * n, largest[r + i], y + i * n, n);
        }
        for (ptrdiff_t start = 0; start < size; start += CHUNK) {
            ptrdiff_t m = size - start < CHUNK ? size - start : CHUNK;
            float *e = is_softmax ? y + start : buffer;
            exponentials(y + start, e, m);
            if (n > CHUNK) {
                add_sum(e, m, &total);
                sums[r] = (float)total;
            } else
                for (ptrdiff_t i = 0; i < count; i++) {
                    total = 0;
                    add_sum(e + i * n, n, &total);
                    sums[r + i] = (float)total;
                }
        }
        if (is_softmax)
            for (ptrdiff_t i = 0; i < count; i++) {
                float s = sums[r + i], *row = y + i * n;
                INDEPENDENT
                for (ptrdiff_t j = 0; j < n; j++)
                    row[j] = row[j] / s;
            }
        x += size, y += size;
    }
}

DEFINE_FOR(softmax,
           (const float *x, float *y, float *largest, float *sums, ptrdiff_t rows, ptrdiff_t n,
            int is_softmax),
           (x, y, largest, sums, rows, n, is_softmax))
