/* Written by c_code.py from formulas.py; do not edit.

   Each function makes one pass over arrays, and does with each element what the formula says, step
   by step. No step may be left out, merged or moved: the results are those of NumPy's functions. */

#include <stdint.h>

#include "_lanes.h"

/* Arrays do not overlap, or are the same: no element depends on another one. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define INDEPENDENT __pragma(loop(ivdep))
#else
#define INDEPENDENT
#endif

#define DEFINE(name) DEFINE_FOR(name, (char **a, size_t n), (a, n))

INLINE int32_t as_int(float x) {
    int32_t y;
    memcpy(&y, &x, 4);
    return y;
}

INLINE float as_float(int32_t x) {
    float y;
    memcpy(&y, &x, 4);
    return y;
}

INLINE void formula_erf_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = x < -0x1.0000000000000p+2f ? -0x1.0000000000000p+2f : x;
        float v1 = v0 > 0x1.0000000000000p+2f ? 0x1.0000000000000p+2f : v0;
        float v2 = v1 * v1;
        float v3 = 0x1.30a0fe0000000p-23f * v2;
        float v4 = v3 + -0x1.7c68040000000p-18f;
        float v5 = v4 * v2;
        float v6 = v5 + 0x1.6f93ee0000000p-14f;
        float v7 = v6 * v2;
        float v8 = v7 + -0x1.44f2160000000p-11f;
        float v9 = v8 * v2;
        float v10 = v9 + -0x1.924c8a0000000p-13f;
        float v11 = v10 * v2;
        float v12 = v11 + 0x1.a4f12a0000000p-4f;
        float v13 = v12 * v2;
        float v14 = v13 + 0x1.20dd760000000p+0f;
        float v15 = v14 * v1;
        float v16 = v15 * v15;
        float v17 = -0x1.830ba60000000p-8f * v16;
        float v18 = v17 + 0x1.54e0080000000p-6f;
        float v19 = v18 * v16;
        float v20 = v19 + -0x1.b89ed60000000p-5f;
        float v21 = v20 * v16;
        float v22 = v21 + 0x1.1109dc0000000p-3f;
        float v23 = v22 * v16;
        float v24 = v23 + -0x1.55553e0000000p-2f;
        float v25 = v15 * v16;
        float v26 = v24 * v25;
        float v27 = v26 + v15;
        float v28 = fabsf(v15);
        float v29 = v28 * -0x1.0000000000000p+1f;
        float v30 = v29 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v29;
        float v31 = v30 * 0x1.7154760000000p+0f;
        float v32 = v31 + 0x1.80012e0000000p+23f;
        float v33 = v32 - 0x1.80012e0000000p+23f;
        float v34 = v33 * 0x1.6300000000000p-1f;
        float v35 = v30 - v34;
        float v36 = v33 * -0x1.bd01060000000p-13f;
        float v37 = v35 - v36;
        float v38 = v37 * v37;
        float v39 = 0x1.123a0c0000000p-7f * v38;
        float v40 = v39 + 0x1.5554920000000p-3f;
        float v41 = v40 * v37;
        float v42 = 0x1.6a23ee0000000p-10f * v38;
        float v43 = v42 + 0x1.5558f20000000p-5f;
        float v44 = v43 * v38;
        float v45 = v44 + 0x1.fffffc0000000p-2f;
        float v46 = v41 + v45;
        float v47 = v46 * v38;
        float v48 = v47 + v37;
        float v49 = v48 + 0x1.0000000000000p+0f;
        int32_t v50 = as_int(v32);
        int32_t v51 = (int32_t)((uint32_t)v50 << 23);
        float v52 = as_float(v51);
        float v53 = v49 * v52;
        float v54 = v53 * 0x1.0000000000000p-24f;
        float v55 = 0x1.0000000000000p+0f - v54;
        float v56 = v54 + 0x1.0000000000000p+0f;
        float v57 = v55 / v56;
        int v58 = v28 < 0x1.3333340000000p-1f;
        int v59 = x < 0x0.0p+0f;
        float v60 = -v57;
        float v61 = v59 ? v60 : v57;
        float v62 = v58 ? v27 : v61;
        y0[i] = v62;
    }
}

DEFINE(formula_erf)

INLINE void formula_exp_of_negative_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = x < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : x;
        float v1 = v0 * 0x1.7154760000000p+0f;
        float v2 = v1 + 0x1.80012e0000000p+23f;
        float v3 = v2 - 0x1.80012e0000000p+23f;
        float v4 = v3 * 0x1.6300000000000p-1f;
        float v5 = v0 - v4;
        float v6 = v3 * -0x1.bd01060000000p-13f;
        float v7 = v5 - v6;
        float v8 = v7 * v7;
        float v9 = 0x1.123a0c0000000p-7f * v8;
        float v10 = v9 + 0x1.5554920000000p-3f;
        float v11 = v10 * v7;
        float v12 = 0x1.6a23ee0000000p-10f * v8;
        float v13 = v12 + 0x1.5558f20000000p-5f;
        float v14 = v13 * v8;
        float v15 = v14 + 0x1.fffffc0000000p-2f;
        float v16 = v11 + v15;
        float v17 = v16 * v8;
        float v18 = v17 + v7;
        float v19 = v18 + 0x1.0000000000000p+0f;
        int32_t v20 = as_int(v2);
        int32_t v21 = (int32_t)((uint32_t)v20 << 23);
        float v22 = as_float(v21);
        float v23 = v19 * v22;
        float v24 = v23 * 0x1.0000000000000p-24f;
        y0[i] = v24;
    }
}

DEFINE(formula_exp_of_negative)

INLINE void formula_relu_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = x < 0x0.0p+0f ? 0x0.0p+0f : x;
        float v1 = v0 + 0x0.0p+0f;
        y0[i] = v1;
    }
}

DEFINE(formula_relu)

INLINE void formula_sigmoid_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = fabsf(x);
        float v1 = -v0;
        float v2 = v1 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v1;
        float v3 = v2 * 0x1.7154760000000p+0f;
        float v4 = v3 + 0x1.80012e0000000p+23f;
        float v5 = v4 - 0x1.80012e0000000p+23f;
        float v6 = v5 * 0x1.6300000000000p-1f;
        float v7 = v2 - v6;
        float v8 = v5 * -0x1.bd01060000000p-13f;
        float v9 = v7 - v8;
        float v10 = v9 * v9;
        float v11 = 0x1.123a0c0000000p-7f * v10;
        float v12 = v11 + 0x1.5554920000000p-3f;
        float v13 = v12 * v9;
        float v14 = 0x1.6a23ee0000000p-10f * v10;
        float v15 = v14 + 0x1.5558f20000000p-5f;
        float v16 = v15 * v10;
        float v17 = v16 + 0x1.fffffc0000000p-2f;
        float v18 = v13 + v17;
        float v19 = v18 * v10;
        float v20 = v19 + v9;
        float v21 = v20 + 0x1.0000000000000p+0f;
        int32_t v22 = as_int(v4);
        int32_t v23 = (int32_t)((uint32_t)v22 << 23);
        float v24 = as_float(v23);
        float v25 = v21 * v24;
        float v26 = v25 * 0x1.0000000000000p-24f;
        float v27 = v26 + 0x1.0000000000000p+0f;
        float v28 = 0x1.0000000000000p+0f / v27;
        float v29 = v26 * v28;
        int v30 = x < 0x0.0p+0f;
        float v31 = v30 ? v29 : v28;
        y0[i] = v31;
    }
}

DEFINE(formula_sigmoid)

INLINE void formula_gelu_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        int v0 = x < 0x0.0p+0f;
        float v1 = fabsf(x);
        float v2 = v1 > 0x1.ce66660000000p+3f ? 0x1.ce66660000000p+3f : v1;
        int32_t v3 = as_int(v2);
        int32_t v4 = v3 & -4096;
        float v5 = as_float(v4);
        float v6 = v5 * v5;
        float v7 = v6 * -0x1.0000000000000p-1f;
        float v8 = v5 - v2;
        float v9 = v5 + v2;
        float v10 = v8 * v9;
        float v11 = v10 * 0x1.0000000000000p-1f;
        float v12 = v7 * 0x1.7154760000000p+0f;
        float v13 = v12 + 0x1.80012e0000000p+23f;
        float v14 = v13 - 0x1.80012e0000000p+23f;
        float v15 = v14 * 0x1.6300000000000p-1f;
        float v16 = v7 - v15;
        float v17 = v14 * -0x1.bd01060000000p-13f;
        float v18 = v16 - v17;
        float v19 = v18 + v11;
        float v20 = v19 * v19;
        float v21 = 0x1.123a0c0000000p-7f * v20;
        float v22 = v21 + 0x1.5554920000000p-3f;
        float v23 = v22 * v19;
        float v24 = 0x1.6a23ee0000000p-10f * v20;
        float v25 = v24 + 0x1.5558f20000000p-5f;
        float v26 = v25 * v20;
        float v27 = v26 + 0x1.fffffc0000000p-2f;
        float v28 = v23 + v27;
        float v29 = v28 * v20;
        float v30 = v29 + v19;
        float v31 = v30 + 0x1.0000000000000p+0f;
        int32_t v32 = as_int(v13);
        int32_t v33 = (int32_t)((uint32_t)v32 << 23);
        float v34 = as_float(v33);
        float v35 = v31 * v34;
        float v36 = v35 * 0x1.0000000000000p-24f;
        float v37 = v2 * v2;
        float v38 = 0x1.f7c95a0000000p+1f * v37;
        float v39 = v38 + 0x1.535e7a0000000p+5f;
        float v40 = v39 * v2;
        float v41 = 0x1.9885840000000p-2f * v37;
        float v42 = v41 + 0x1.1bdb540000000p+4f;
        float v43 = v42 * v37;
        float v44 = v43 + 0x1.82f7f40000000p+5f;
        float v45 = v40 + v44;
        float v46 = v37 + 0x1.6ba5900000000p+5f;
        float v47 = v46 * v37;
        float v48 = v47 + 0x1.4410100000000p+7f;
        float v49 = v48 * v2;
        float v50 = 0x1.3bb89c0000000p+3f * v37;
        float v51 = v50 + 0x1.d192500000000p+6f;
        float v52 = v51 * v37;
        float v53 = v52 + 0x1.82f7f40000000p+6f;
        float v54 = v49 + v53;
        float v55 = v45 / v54;
        float v56 = v55 * v36;
        float v57 = v0 ? -0x0.0p+0f : x;
        float v58 = v2 * v56;
        float v59 = v57 - v58;
        y0[i] = v59;
    }
}

DEFINE(formula_gelu)

INLINE void formula_gelu_and_slope_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    float *y1 = (float *)a[2];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        int v0 = x < 0x0.0p+0f;
        float v1 = fabsf(x);
        float v2 = v1 > 0x1.ce66660000000p+3f ? 0x1.ce66660000000p+3f : v1;
        int32_t v3 = as_int(v2);
        int32_t v4 = v3 & -4096;
        float v5 = as_float(v4);
        float v6 = v5 * v5;
        float v7 = v6 * -0x1.0000000000000p-1f;
        float v8 = v5 - v2;
        float v9 = v5 + v2;
        float v10 = v8 * v9;
        float v11 = v10 * 0x1.0000000000000p-1f;
        float v12 = v7 * 0x1.7154760000000p+0f;
        float v13 = v12 + 0x1.80012e0000000p+23f;
        float v14 = v13 - 0x1.80012e0000000p+23f;
        float v15 = v14 * 0x1.6300000000000p-1f;
        float v16 = v7 - v15;
        float v17 = v14 * -0x1.bd01060000000p-13f;
        float v18 = v16 - v17;
        float v19 = v18 + v11;
        float v20 = v19 * v19;
        float v21 = 0x1.123a0c0000000p-7f * v20;
        float v22 = v21 + 0x1.5554920000000p-3f;
        float v23 = v22 * v19;
        float v24 = 0x1.6a23ee0000000p-10f * v20;
        float v25 = v24 + 0x1.5558f20000000p-5f;
        float v26 = v25 * v20;
        float v27 = v26 + 0x1.fffffc0000000p-2f;
        float v28 = v23 + v27;
        float v29 = v28 * v20;
        float v30 = v29 + v19;
        float v31 = v30 + 0x1.0000000000000p+0f;
        int32_t v32 = as_int(v13);
        int32_t v33 = (int32_t)((uint32_t)v32 << 23);
        float v34 = as_float(v33);
        float v35 = v31 * v34;
        float v36 = v35 * 0x1.0000000000000p-24f;
        float v37 = v2 * v2;
        float v38 = 0x1.f7c95a0000000p+1f * v37;
        float v39 = v38 + 0x1.535e7a0000000p+5f;
        float v40 = v39 * v2;
        float v41 = 0x1.9885840000000p-2f * v37;
        float v42 = v41 + 0x1.1bdb540000000p+4f;
        float v43 = v42 * v37;
        float v44 = v43 + 0x1.82f7f40000000p+5f;
        float v45 = v40 + v44;
        float v46 = v37 + 0x1.6ba5900000000p+5f;
        float v47 = v46 * v37;
        float v48 = v47 + 0x1.4410100000000p+7f;
        float v49 = v48 * v2;
        float v50 = 0x1.3bb89c0000000p+3f * v37;
        float v51 = v50 + 0x1.d192500000000p+6f;
        float v52 = v51 * v37;
        float v53 = v52 + 0x1.82f7f40000000p+6f;
        float v54 = v49 + v53;
        float v55 = v45 / v54;
        float v56 = v55 * v36;
        float v57 = v0 ? -0x0.0p+0f : x;
        float v58 = v2 * v56;
        float v59 = v57 - v58;
        float v60 = v2 * v36;
        float v61 = v60 * 0x1.9884540000000p-2f;
        float v62 = v56 - v61;
        float v63 = 0x1.0000000000000p+0f - v62;
        float v64 = v0 ? v62 : v63;
        y0[i] = v59;
        y1[i] = v64;
    }
}

DEFINE(formula_gelu_and_slope)

INLINE void formula_gelu_tanh_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = x < -0x1.9000000000000p+4f ? -0x1.9000000000000p+4f : x;
        float v1 = v0 > 0x1.9000000000000p+4f ? 0x1.9000000000000p+4f : v0;
        float v2 = v1 * v1;
        float v3 = v2 * 0x1.2444f20000000p-4f;
        float v4 = v3 + 0x1.9884540000000p+0f;
        float v5 = v4 * v1;
        float v6 = fabsf(v5);
        float v7 = -v6;
        float v8 = v7 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v7;
        float v9 = v8 * 0x1.7154760000000p+0f;
        float v10 = v9 + 0x1.80012e0000000p+23f;
        float v11 = v10 - 0x1.80012e0000000p+23f;
        float v12 = v11 * 0x1.6300000000000p-1f;
        float v13 = v8 - v12;
        float v14 = v11 * -0x1.bd01060000000p-13f;
        float v15 = v13 - v14;
        float v16 = v15 * v15;
        float v17 = 0x1.123a0c0000000p-7f * v16;
        float v18 = v17 + 0x1.5554920000000p-3f;
        float v19 = v18 * v15;
        float v20 = 0x1.6a23ee0000000p-10f * v16;
        float v21 = v20 + 0x1.5558f20000000p-5f;
        float v22 = v21 * v16;
        float v23 = v22 + 0x1.fffffc0000000p-2f;
        float v24 = v19 + v23;
        float v25 = v24 * v16;
        float v26 = v25 + v15;
        float v27 = v26 + 0x1.0000000000000p+0f;
        int32_t v28 = as_int(v10);
        int32_t v29 = (int32_t)((uint32_t)v28 << 23);
        float v30 = as_float(v29);
        float v31 = v27 * v30;
        float v32 = v31 * 0x1.0000000000000p-24f;
        float v33 = v32 + 0x1.0000000000000p+0f;
        float v34 = 0x1.0000000000000p+0f / v33;
        float v35 = v32 * v34;
        int v36 = v5 < 0x0.0p+0f;
        float v37 = v36 ? v35 : v34;
        float v39 = v0 * v37;
        y0[i] = v39;
    }
}

DEFINE(formula_gelu_tanh)

INLINE void formula_gelu_tanh_and_slope_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    float *y1 = (float *)a[2];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = x < -0x1.9000000000000p+4f ? -0x1.9000000000000p+4f : x;
        float v1 = v0 > 0x1.9000000000000p+4f ? 0x1.9000000000000p+4f : v0;
        float v2 = v1 * v1;
        float v3 = v2 * 0x1.2444f20000000p-4f;
        float v4 = v3 + 0x1.9884540000000p+0f;
        float v5 = v4 * v1;
        float v6 = fabsf(v5);
        float v7 = -v6;
        float v8 = v7 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v7;
        float v9 = v8 * 0x1.7154760000000p+0f;
        float v10 = v9 + 0x1.80012e0000000p+23f;
        float v11 = v10 - 0x1.80012e0000000p+23f;
        float v12 = v11 * 0x1.6300000000000p-1f;
        float v13 = v8 - v12;
        float v14 = v11 * -0x1.bd01060000000p-13f;
        float v15 = v13 - v14;
        float v16 = v15 * v15;
        float v17 = 0x1.123a0c0000000p-7f * v16;
        float v18 = v17 + 0x1.5554920000000p-3f;
        float v19 = v18 * v15;
        float v20 = 0x1.6a23ee0000000p-10f * v16;
        float v21 = v20 + 0x1.5558f20000000p-5f;
        float v22 = v21 * v16;
        float v23 = v22 + 0x1.fffffc0000000p-2f;
        float v24 = v19 + v23;
        float v25 = v24 * v16;
        float v26 = v25 + v15;
        float v27 = v26 + 0x1.0000000000000p+0f;
        int32_t v28 = as_int(v10);
        int32_t v29 = (int32_t)((uint32_t)v28 << 23);
        float v30 = as_float(v29);
        float v31 = v27 * v30;
        float v32 = v31 * 0x1.0000000000000p-24f;
        float v33 = v32 + 0x1.0000000000000p+0f;
        float v34 = 0x1.0000000000000p+0f / v33;
        float v35 = v32 * v34;
        int v36 = v5 < 0x0.0p+0f;
        float v37 = v36 ? v35 : v34;
        float v38 = v36 ? v34 : v35;
        float v39 = v0 * v37;
        float v40 = v1 * v37;
        float v41 = v40 * v38;
        float v42 = v2 * 0x1.b6676c0000000p-3f;
        float v43 = v42 + 0x1.9884540000000p+0f;
        float v44 = v41 * v43;
        float v45 = v44 + v37;
        y0[i] = v39;
        y1[i] = v45;
    }
}

DEFINE(formula_gelu_tanh_and_slope)

INLINE void formula_silu_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = fabsf(x);
        float v1 = -v0;
        float v2 = v1 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v1;
        float v3 = v2 * 0x1.7154760000000p+0f;
        float v4 = v3 + 0x1.80012e0000000p+23f;
        float v5 = v4 - 0x1.80012e0000000p+23f;
        float v6 = v5 * 0x1.6300000000000p-1f;
        float v7 = v2 - v6;
        float v8 = v5 * -0x1.bd01060000000p-13f;
        float v9 = v7 - v8;
        float v10 = v9 * v9;
        float v11 = 0x1.123a0c0000000p-7f * v10;
        float v12 = v11 + 0x1.5554920000000p-3f;
        float v13 = v12 * v9;
        float v14 = 0x1.6a23ee0000000p-10f * v10;
        float v15 = v14 + 0x1.5558f20000000p-5f;
        float v16 = v15 * v10;
        float v17 = v16 + 0x1.fffffc0000000p-2f;
        float v18 = v13 + v17;
        float v19 = v18 * v10;
        float v20 = v19 + v9;
        float v21 = v20 + 0x1.0000000000000p+0f;
        int32_t v22 = as_int(v4);
        int32_t v23 = (int32_t)((uint32_t)v22 << 23);
        float v24 = as_float(v23);
        float v25 = v21 * v24;
        float v26 = v25 * 0x1.0000000000000p-24f;
        float v27 = v26 + 0x1.0000000000000p+0f;
        float v28 = 0x1.0000000000000p+0f / v27;
        float v29 = v26 * v28;
        int v30 = x < 0x0.0p+0f;
        float v31 = v30 ? v29 : v28;
        float v33 = x < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : x;
        float v34 = v33 * v31;
        y0[i] = v34;
    }
}

DEFINE(formula_silu)

INLINE void formula_silu_and_slope_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    float *y1 = (float *)a[2];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = fabsf(x);
        float v1 = -v0;
        float v2 = v1 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v1;
        float v3 = v2 * 0x1.7154760000000p+0f;
        float v4 = v3 + 0x1.80012e0000000p+23f;
        float v5 = v4 - 0x1.80012e0000000p+23f;
        float v6 = v5 * 0x1.6300000000000p-1f;
        float v7 = v2 - v6;
        float v8 = v5 * -0x1.bd01060000000p-13f;
        float v9 = v7 - v8;
        float v10 = v9 * v9;
        float v11 = 0x1.123a0c0000000p-7f * v10;
        float v12 = v11 + 0x1.5554920000000p-3f;
        float v13 = v12 * v9;
        float v14 = 0x1.6a23ee0000000p-10f * v10;
        float v15 = v14 + 0x1.5558f20000000p-5f;
        float v16 = v15 * v10;
        float v17 = v16 + 0x1.fffffc0000000p-2f;
        float v18 = v13 + v17;
        float v19 = v18 * v10;
        float v20 = v19 + v9;
        float v21 = v20 + 0x1.0000000000000p+0f;
        int32_t v22 = as_int(v4);
        int32_t v23 = (int32_t)((uint32_t)v22 << 23);
        float v24 = as_float(v23);
        float v25 = v21 * v24;
        float v26 = v25 * 0x1.0000000000000p-24f;
        float v27 = v26 + 0x1.0000000000000p+0f;
        float v28 = 0x1.0000000000000p+0f / v27;
        float v29 = v26 * v28;
        int v30 = x < 0x0.0p+0f;
        float v31 = v30 ? v29 : v28;
        float v32 = v30 ? v28 : v29;
        float v33 = x < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : x;
        float v34 = v33 * v31;
        float v35 = v33 > 0x1.a200000000000p+6f ? 0x1.a200000000000p+6f : v33;
        float v36 = v35 * v31;
        float v37 = v36 * v32;
        float v38 = v37 + v31;
        y0[i] = v34;
        y1[i] = v38;
    }
}

DEFINE(formula_silu_and_slope)

INLINE void formula_softplus_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = fabsf(x);
        float v1 = -v0;
        float v2 = v1 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v1;
        float v3 = v2 * 0x1.7154760000000p+0f;
        float v4 = v3 + 0x1.80012e0000000p+23f;
        float v5 = v4 - 0x1.80012e0000000p+23f;
        float v6 = v5 * 0x1.6300000000000p-1f;
        float v7 = v2 - v6;
        float v8 = v5 * -0x1.bd01060000000p-13f;
        float v9 = v7 - v8;
        float v10 = v9 * v9;
        float v11 = 0x1.123a0c0000000p-7f * v10;
        float v12 = v11 + 0x1.5554920000000p-3f;
        float v13 = v12 * v9;
        float v14 = 0x1.6a23ee0000000p-10f * v10;
        float v15 = v14 + 0x1.5558f20000000p-5f;
        float v16 = v15 * v10;
        float v17 = v16 + 0x1.fffffc0000000p-2f;
        float v18 = v13 + v17;
        float v19 = v18 * v10;
        float v20 = v19 + v9;
        float v21 = v20 + 0x1.0000000000000p+0f;
        int32_t v22 = as_int(v4);
        int32_t v23 = (int32_t)((uint32_t)v22 << 23);
        float v24 = as_float(v23);
        float v25 = v21 * v24;
        float v26 = v25 * 0x1.0000000000000p-24f;
        float v27 = v26 + 0x1.0000000000000p+1f;
        float v28 = v26 / v27;
        float v29 = v28 * v28;
        float v30 = v28 + v28;
        float v31 = x < 0x0.0p+0f ? 0x0.0p+0f : x;
        float v32 = v29 * v29;
        float v33 = 0x1.1ef8980000000p-3f * v32;
        float v34 = v33 + 0x1.99d27c0000000p-3f;
        float v35 = v34 * v29;
        float v36 = 0x1.1eb60a0000000p-3f * v32;
        float v37 = v36 + 0x1.5555000000000p-2f;
        float v38 = v35 + v37;
        float v39 = v30 * v29;
        float v40 = v38 * v39;
        float v41 = v40 + v30;
        float v42 = v31 + v41;
        y0[i] = v42;
    }
}

DEFINE(formula_softplus)

INLINE void formula_softplus_and_slope_body(char **a, size_t n) {
    const float *in = (const float *)a[0];
    float *y0 = (float *)a[1];
    float *y1 = (float *)a[2];
    INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        float x = in[i];
        float v0 = fabsf(x);
        float v1 = -v0;
        float v2 = v1 < -0x1.a200000000000p+6f ? -0x1.a200000000000p+6f : v1;
        float v3 = v2 * 0x1.7154760000000p+0f;
        float v4 = v3 + 0x1.80012e0000000p+23f;
        float v5 = v4 - 0x1.80012e0000000p+23f;
        float v6 = v5 * 0x1.6300000000000p-1f;
        float v7 = v2 - v6;
        float v8 = v5 * -0x1.bd01060000000p-13f;
        float v9 = v7 - v8;
        float v10 = v9 * v9;
        float v11 = 0x1.123a0c0000000p-7f * v10;
        float v12 = v11 + 0x1.5554920000000p-3f;
        float v13 = v12 * v9;
        float v14 = 0x1.6a23ee0000000p-10f * v10;
        float v15 = v14 + 0x1.5558f20000000p-5f;
        float v16 = v15 * v10;
        float v17 = v16 + 0x1.fffffc0000000p-2f;
        float v18 = v13 + v17;
        float v19 = v18 * v10;
        float v20 = v19 + v9;
        float v21 = v20 + 0x1.0000000000000p+0f;
        int32_t v22 = as_int(v4);
        int32_t v23 = (int32_t)((uint32_t)v22 << 23);
        float v24 = as_float(v23);
        float v25 = v21 * v24;
        float v26 = v25 * 0x1.0000000000000p-24f;
        float v27 = v26 + 0x1.0000000000000p+1f;
        float v28 = v26 / v27;
        float v29 = v28 * v28;
        float v30 = v28 + v28;
        float v31 = x < 0x0.0p+0f ? 0x0.0p+0f : x;
        float v32 = v29 * v29;
        float v33 = 0x1.1ef8980000000p-3f * v32;
        float v34 = v33 + 0x1.99d27c0000000p-3f;
        float v35 = v34 * v29;
        float v36 = 0x1.1eb60a0000000p-3f * v32;
        float v37 = v36 + 0x1.5555000000000p-2f;
        float v38 = v35 + v37;
        float v39 = v30 * v29;
        float v40 = v38 * v39;
        float v41 = v40 + v30;
        float v42 = v31 + v41;
        float v43 = v26 + 0x1.0000000000000p+0f;
        float v44 = 0x1.0000000000000p+0f / v43;
        float v45 = v26 * v44;
        int v46 = x < 0x0.0p+0f;
        float v47 = v46 ? v45 : v44;
        y0[i] = v42;
        y1[i] = v47;
    }
}

DEFINE(formula_softplus_and_slope)

typedef void (*Function)(char **, size_t);

typedef struct {
    const char *name;
    Function function;
    int n_results;
} Formula;

static const Formula formulas[] = {
    {"erf", formula_erf, 1},
    {"exp_of_negative", formula_exp_of_negative, 1},
    {"relu", formula_relu, 1},
    {"sigmoid", formula_sigmoid, 1},
    {"gelu", formula_gelu, 1},
    {"gelu_and_slope", formula_gelu_and_slope, 2},
    {"gelu_tanh", formula_gelu_tanh, 1},
    {"gelu_tanh_and_slope", formula_gelu_tanh_and_slope, 2},
    {"silu", formula_silu, 1},
    {"silu_and_slope", formula_silu_and_slope, 2},
    {"softplus", formula_softplus, 1},
    {"softplus_and_slope", formula_softplus_and_slope, 2},
};

enum { N_FORMULAS = 12 };
