/* What the other headers share: how functions are declared, and sums in single precision. These are
   made in an order of our own that `norms.py` has, too: of 32 sums side by side, over at most 32
   numbers each, in single precision, and of these in double. */

#ifndef LANES_H
#define LANES_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define INLINE static __forceinline
#else
#define INLINE static inline
#endif

/* Where the processor has wider registers than every processor of its kind, they are used. */
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define DEFINE_FOR(name, parameters, arguments)                                                  \
    __attribute__((target("avx2"))) static void name##_wide parameters { name##_body arguments; } \
    static void name##_narrow parameters { name##_body arguments; }                          \
    static void name parameters {                                                            \
        if (__builtin_cpu_supports("avx2"))                                                  \
            name##_wide arguments;                                                           \
        else                                                                                 \
            name##_narrow arguments;                                                         \
    }
#else
#define DEFINE_FOR(name, parameters, arguments) \
    static void name parameters { name##_body arguments; }
#endif

enum { LANES = 32, CHUNK = 1024 };

/* Some numbers side by side: compilers keep them in registers. */
#if defined(__GNUC__) || defined(__clang__)
typedef float Lane __attribute__((vector_size(32), aligned(4), may_alias));
#define NOTHING {{0}}
#else
typedef float Lane;
#define NOTHING {0}
#endif

enum { WIDTH = sizeof(Lane) / sizeof(float), COUNT = LANES / WIDTH };

#define AT(p, i, j) (*(const Lane *)((p) + (i) + (j) * WIDTH))

INLINE double folded(float *s) {
    for (int w = LANES / 2; w; w /= 2)
        for (int j = 0; j < w; j++)
            s[j] += s[j + w];
    return s[0];
}

/* Adds the sum of n numbers to a total. */
INLINE void add_sum(const float *x, ptrdiff_t n, double *total) {
    for (ptrdiff_t start = 0; start < n; start += CHUNK) {
        ptrdiff_t m = n - start < CHUNK ? n - start : CHUNK, i = 0;
        const float *p = x + start;
        Lane s[COUNT] = NOTHING;
        float sums[LANES];
        for (; i + LANES <= m; i += LANES)
            for (int j = 0; j < COUNT; j++)
                s[j] += AT(p, i, j);
        memcpy(sums, s, sizeof(sums));
        for (int j = 0; i + j < m; j++)
            sums[j] += p[i + j];
        *total += folded(sums);
    }
}

/* Adds the sum of n products. */
INLINE void add_dot(const float *x, const float *y, ptrdiff_t n, double *total) {
    for (ptrdiff_t start = 0; start < n; start += CHUNK) {
        ptrdiff_t m = n - start < CHUNK ? n - start : CHUNK, i = 0;
        const float *p = x + start, *q = y + start;
        Lane s[COUNT] = NOTHING;
        float sums[LANES];
        for (; i + LANES <= m; i += LANES)
            for (int j = 0; j < COUNT; j++)
                s[j] += AT(p, i, j) * AT(q, i, j);
        memcpy(sums, s, sizeof(sums));
        for (int j = 0; i + j < m; j++)
            sums[j] += p[i + j] * q[i + j];
        *total += folded(sums);
    }
}

#endif
