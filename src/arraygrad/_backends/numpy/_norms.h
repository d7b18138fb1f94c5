/* Normalisation of rows in single precision. `norms.py` says what is computed, in NumPy's functions;
   each step is one of theirs, in the same order, so that the results are the same to the last bit. */

#include "_lanes.h"

enum { ROWS = 64, MAX_COLUMNS = 4096 };

/* An array of axes (outer, rows, parts, run). Numbers of the second axis have one mean; weights are
   those of (a row modulo groups, a part). */
typedef struct {
    ptrdiff_t outer, rows, groups, parts, run;
} Form;

INLINE void centre_body(const Form *f, const float *x, float *c, float *mean, float *variance) {
    ptrdiff_t n = f->parts * f->run;
    double count = (double)(f->outer * n);
    for (ptrdiff_t r = 0; r < f->rows; r++) {
        double total = 0, square = 0;
        for (ptrdiff_t a = 0; a < f->outer; a++)
            add_sum(x + (a * f->rows + r) * n, n, &total);
        float m = (float)(total / count);
        for (ptrdiff_t a = 0; a < f->outer; a++) {
            const float *from = x + (a * f->rows + r) * n;
            float *to = c + (a * f->rows + r) * n;
            for (ptrdiff_t i = 0; i < n; i++)
                to[i] = from[i] - m;
            add_dot(to, to, n, &square);
        }
        mean[r] = m;
        variance[r] = (float)(square / count);
    }
}

DEFINE_FOR(centre, (const Form *f, const float *x, float *c, float *mean, float *variance),
           (f, x, c, mean, variance))

/* c * (factor * weight) + bias, for the factor 1 / sqrt(variance + eps). Weight and bias may be
   NULL. */
INLINE void scale_body(const Form *f, const float *c, const float *variance, const float *weight,
                       const float *bias, float eps, float *y) {
    for (ptrdiff_t a = 0; a < f->outer; a++)
        for (ptrdiff_t r = 0; r < f->rows; r++) {
            ptrdiff_t first = r % f->groups * f->parts, n = f->parts;
            float k = 1.0f / sqrtf(variance[r] + eps);
            if (f->run == 1) {
                const float *w = weight ? weight + first : weight;
                const float *b = bias ? bias + first : bias;
                if (weight && bias)
                    for (ptrdiff_t i = 0; i < n; i++)
                        y[i] = c[i] * (k * w[i]) + b[i];
                else if (weight)
                    for (ptrdiff_t i = 0; i < n; i++)
                        y[i] = c[i] * (k * w[i]);
                else if (bias)
                    for (ptrdiff_t i = 0; i < n; i++)
                        y[i] = c[i] * k + b[i];
                else
                    for (ptrdiff_t i = 0; i < n; i++)
                        y[i] = c[i] * k;
                c += n, y += n;
                continue;
            }
            for (ptrdiff_t p = 0; p < n; p++) {
                float both = weight ? k * weight[first + p] : k;
                if (bias) {
                    float b = bias[first + p];
                    for (ptrdiff_t i = 0; i < f->run; i++)
                        y[i] = c[i] * both + b;
                } else
                    for (ptrdiff_t i = 0; i < f->run; i++)
                        y[i] = c[i] * both;
                c += f->run, y += f->run;
            }
        }
}

DEFINE_FOR(scale,
           (const Form *f, const float *c, const float *variance, const float *weight,
            const float *bias, float eps, float *y),
           (f, c, variance, weight, bias, eps, y))

/* The sums of g * c and of g over each run. */
INLINE void sums_body(const Form *f, const float *g, const float *c, double *products,
                      double *totals) {
    ptrdiff_t n = f->rows * f->parts;
    for (ptrdiff_t i = 0; i < n; i++) {
        products[i] = totals[i] = 0;
        for (ptrdiff_t a = 0; a < f->outer; a++) {
            ptrdiff_t start = (a * n + i) * f->run;
            add_dot(g + start, c + start, f->run, products + i);
            add_sum(g + start, f->run, totals + i);
        }
    }
}

DEFINE_FOR(sums, (const Form *f, const float *g, const float *c, double *products, double *totals),
           (f, g, c, products, totals))

/* g * k + (c * of_c + rest), with k for each run, and the others for each row. */
INLINE void combine_body(const Form *f, const float *g, const float *c, const float *k,
                         const float *of_c, const float *rest, float *y) {
    for (ptrdiff_t a = 0; a < f->outer; a++)
        for (ptrdiff_t r = 0; r < f->rows; r++)
            for (ptrdiff_t p = 0; p < f->parts; p++) {
                float k1 = k[r * f->parts + p], k2 = of_c[r], k3 = rest[r];
                for (ptrdiff_t i = 0; i < f->run; i++)
                    y[i] = g[i] * k1 + (c[i] * k2 + k3);
                g += f->run, c += f->run, y += f->run;
            }
}

DEFINE_FOR(combine,
           (const Form *f, const float *g, const float *c, const float *k, const float *of_c,
            const float *rest, float *y),
           (f, g, c, k, of_c, rest, y))

/* The same for weights along the rows, with the sums for these over the rows. */
INLINE void rows_back_body(const Form *f, const float *g, const float *c, const float *variance,
                           const float *weight, float eps, float *y, double *of_weight,
                           double *of_bias) {
    ptrdiff_t n = f->parts;
    double share = -1.0 / (double)n;
    for (ptrdiff_t i = 0; i < n; i++)
        of_weight[i] = of_bias[i] = 0;
    for (ptrdiff_t block = 0; block < f->rows; block += ROWS) {
        ptrdiff_t end = block + ROWS < f->rows ? block + ROWS : f->rows;
        float sum_w[MAX_COLUMNS], sum_b[MAX_COLUMNS];
        for (ptrdiff_t i = 0; i < n; i++)
            sum_w[i] = sum_b[i] = 0;
        for (ptrdiff_t r = block; r < end; r++) {
            float k = 1.0f / sqrtf(variance[r] + eps);
            double product = 0, total = 0;
            for (ptrdiff_t start = 0; start < n; start += CHUNK) {
                ptrdiff_t m = n - start < CHUNK ? n - start : CHUNK;
                const float *gp = g + start, *cp = c + start, *wp = weight + start;
                float *sw = sum_w + start, *sb = sum_b + start;
                Lane s[COUNT] = NOTHING, t[COUNT] = NOTHING;
                float products[LANES], totals[LANES];
                ptrdiff_t i = 0;
                for (; i + LANES <= m; i += LANES)
                    for (int j = 0; j < COUNT; j++) {
                        Lane q = AT(gp, i, j) * AT(cp, i, j);
                        s[j] += q * AT(wp, i, j);
                        t[j] += AT(gp, i, j) * AT(wp, i, j);
                        *(Lane *)(sw + i + j * WIDTH) += q * k;
                        *(Lane *)(sb + i + j * WIDTH) += AT(gp, i, j);
                    }
                memcpy(products, s, sizeof(products));
                memcpy(totals, t, sizeof(totals));
                for (int j = 0; i + j < m; j++) {
                    float q = gp[i + j] * cp[i + j];
                    products[j] += q * wp[i + j];
                    totals[j] += gp[i + j] * wp[i + j];
                    sw[i + j] += q * k;
                    sb[i + j] += gp[i + j];
                }
                product += folded(products);
                total += folded(totals);
            }
            double wide = k, by = wide * share;
            float k2 = (float)(product * by * wide * wide), k3 = (float)(total * by);
            for (ptrdiff_t i = 0; i < n; i++)
                y[i] = g[i] * (k * weight[i]) + (c[i] * k2 + k3);
            g += n, c += n, y += n;
        }
        for (ptrdiff_t i = 0; i < n; i++) {
            of_weight[i] += sum_w[i];
            of_bias[i] += sum_b[i];
        }
    }
}

DEFINE_FOR(rows_back,
           (const Form *f, const float *g, const float *c, const float *variance, const float *weight,
            float eps, float *y, double *of_weight, double *of_bias),
           (f, g, c, variance, weight, eps, y, of_weight, of_bias))
