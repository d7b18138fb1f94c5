// cuFFT.
#include <cmath>
#include <complex>
#include <map>
#include <memory>
#include <vector>

#include "core.h"

#define API extern "C" __attribute__((visibility("default")))
typedef std::complex<double> Z;
typedef std::vector<Z> V;
enum { R2C = 0x2a, C2R = 0x2c, C2C = 0x29, D2Z = 0x6a, Z2D = 0x6c, Z2Z = 0x69 };

namespace {
struct Plan {
  std::vector<long long> n, in, out;
  long long in_stride = 1, in_distance = 0, out_stride = 1, out_distance = 0, batch = 1;
  int type = 0;
  void* stream = nullptr;
};
std::map<int, Plan> plans;
int next_plan = 1;

// Cooley and Tukey, by the smallest divisor.
void transform(Z* x, long n, long stride, Z* out, const V& roots, long step) {
  if (n == 1) {
    *out = *x;
    return;
  }
  long p = 2;
  while (p * p <= n && n % p) p += p == 2 ? 1 : 2;
  if (p * p > n || n % p) p = n;
  long m = n / p, N = long(roots.size());
  V parts(n);
  for (long r = 0; r < p; ++r) transform(x + r * stride, m, stride * p, &parts[r * m], roots, step * p);
  for (long k = 0; k < n; ++k) {
    Z sum = 0;
    for (long r = 0; r < p; ++r) sum += parts[r * m + k % m] * roots[(r * k % n) * step % N];
    out[k] = sum;
  }
}

void along(V& data, const std::vector<long long>& shape, size_t axis, int sign) {
  long n = long(shape[axis]), inner = 1, outer = 1;
  for (size_t i = 0; i < shape.size(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : long(shape[i]);
  V roots(n), line(n), out(n);
  for (long k = 0; k < n; ++k) roots[k] = Z(std::cos(2 * M_PI * k / n), sign * std::sin(2 * M_PI * k / n));
  for (long a = 0; a < outer; ++a)
    for (long b = 0; b < inner; ++b) {
      for (long k = 0; k < n; ++k) line[k] = data[(a * n + k) * inner + b];
      transform(line.data(), n, 1, out.data(), roots, 1);
      for (long k = 0; k < n; ++k) data[(a * n + k) * inner + b] = out[k];
    }
}

// Where an element lies: by the padded shape, or packed.
template <class F>
void each(const std::vector<long long>& shape, const std::vector<long long>& embed, long long stride, F f) {
  std::vector<long long> at(shape.size(), 0);
  long long total = 1;
  for (auto s : shape) total *= s;
  for (long long i = 0; i < total; ++i) {
    long long offset = 0;
    for (size_t d = 0; d < shape.size(); ++d) offset = offset * (d ? embed[d] : 1) + at[d];
    f(i, offset * stride);
    for (size_t d = shape.size(); d-- && ++at[d] == shape[d];) at[d] = 0;
  }
}

template <class T>
void execute(const Plan& p, const void* in, void* out, int direction) {
  bool to_real = p.type == C2R || p.type == Z2D, of_real = p.type == R2C || p.type == D2Z;
  auto half = p.n;
  half.back() = half.back() / 2 + 1;
  long long total = 1;
  for (auto s : p.n) total *= s;
  for (long long b = 0; b < p.batch; ++b) {
    V data(total);
    const auto& from = to_real ? half : p.n;
    if (of_real) {
      auto x = (const T*)in + b * p.in_distance;
      each(from, p.in, p.in_stride, [&](long long i, long long at) { data[i] = x[at]; });
    } else {
      auto x = (const std::complex<T>*)in + b * p.in_distance;
      V read(total);
      each(from, p.in, p.in_stride, [&](long long i, long long at) { read[i] = Z(x[at]); });
      if (!to_real) data = read;
      else {  // transform the other axes first; then the last by what is known of real signals
        V part(read.begin(), read.begin() + total / p.n.back() * half.back());
        for (size_t d = 0; d + 1 < p.n.size(); ++d) along(part, half, d, 1);
        long long n = p.n.back(), h = half.back();
        for (long long r = 0; r < total / n; ++r)
          for (long long k = 0; k < n; ++k) {
            Z v = k < h ? part[r * h + k] : std::conj(part[r * h + n - k]);
            if (k == 0 || 2 * k == n) v = v.real();
            data[r * n + k] = v;
          }
        along(data, p.n, p.n.size() - 1, 1);
      }
    }
    if (!to_real)
      for (size_t d = 0; d < p.n.size(); ++d) along(data, p.n, d, of_real ? -1 : direction);
    if (to_real) {
      auto y = (T*)out + b * p.out_distance;
      each(p.n, p.out, p.out_stride, [&](long long i, long long at) { y[at] = T(data[i].real()); });
    } else if (of_real) {
      auto y = (std::complex<T>*)out + b * p.out_distance;
      long long n = p.n.back(), h = half.back();
      each(half, p.out, p.out_stride,
           [&](long long i, long long at) { y[at] = std::complex<T>(data[i / h * n + i % h]); });
    } else {
      auto y = (std::complex<T>*)out + b * p.out_distance;
      each(p.n, p.out, p.out_stride, [&](long long i, long long at) { y[at] = std::complex<T>(data[i]); });
    }
  }
}

int go(int plan, const void* in, void* out, int direction) {
  if (!plans.count(plan)) return 1;
  Plan p = plans[plan];
  return fakecuda::enqueue(p.stream, "launch", [=] {
    if (p.type == R2C || p.type == C2R || p.type == C2C) execute<float>(p, in, out, direction);
    else execute<double>(p, in, out, direction);
  }) ? 6 : 0;
}
}  // namespace

API int cufftCreate(int* p) { return plans[*p = next_plan++], 0; }
API int cufftDestroy(int p) { return plans.erase(p), 0; }
API int cufftSetAutoAllocation(int, int) { return 0; }
API int cufftSetWorkArea(int, void*) { return 0; }
API int cufftSetStream(int p, void* s) { return plans[p].stream = s, 0; }
API int cufftGetVersion(int* v) { return *v = 11400, 0; }
API int cufftMakePlanMany(int plan, int rank, int* n, int* inembed, int is, int id, int* onembed, int os, int od, int type,
                          int batch, size_t* work) {
  Plan& p = plans[plan];
  bool to_real = type == C2R || type == Z2D, of_real = type == R2C || type == D2Z;
  p.n.assign(n, n + rank);
  for (auto s : p.n)
    if (s < 1) return 8;
  if (batch < 1 || rank > 3) return 4;
  auto half = p.n;
  half.back() = half.back() / 2 + 1;
  p.type = type;
  p.batch = batch;
  auto size = [](const std::vector<long long>& s) {
    long long total = 1;
    for (auto x : s) total *= x;
    return total;
  };
  if (inembed) {
    p.in.assign(inembed, inembed + rank);
    p.out.assign(onembed, onembed + rank);
    p.in_stride = is, p.in_distance = id, p.out_stride = os, p.out_distance = od;
  } else {
    p.in = to_real ? half : p.n;
    p.out = of_real ? half : p.n;
    p.in_stride = p.out_stride = 1;
    p.in_distance = size(p.in);
    p.out_distance = size(p.out);
  }
  return *work = 16, 0;
}
API int cufftMakePlan1d(int plan, int n, int type, int batch, size_t* work) {
  return cufftMakePlanMany(plan, 1, &n, nullptr, 1, 0, nullptr, 1, 0, type, batch, work);
}
API int cufftExecC2C(int p, void* i, void* o, int d) { return go(p, i, o, d); }
API int cufftExecZ2Z(int p, void* i, void* o, int d) { return go(p, i, o, d); }
API int cufftExecR2C(int p, void* i, void* o) { return go(p, i, o, -1); }
API int cufftExecD2Z(int p, void* i, void* o) { return go(p, i, o, -1); }
API int cufftExecC2R(int p, void* i, void* o) { return go(p, i, o, 1); }
API int cufftExecZ2D(int p, void* i, void* o) { return go(p, i, o, 1); }
