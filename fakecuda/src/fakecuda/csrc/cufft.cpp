// cuFFT: complex and real transforms of one to three dimensions.
//
// All transforms are computed in double precision and rounded once at the end. A relative error of
// about 1e-16 log2(n) for double precision and of half a unit for single precision is therefore
// smaller than a GPU's. Sizes are split into prime factors; a size with a large prime factor is a
// convolution (Bluestein's algorithm), so that every size takes O(n log n) steps.
#include <cmath>
#include <map>
#include <memory>
#include <vector>

#include "library.h"

namespace fakecuda::cufft {
namespace {

enum Result {
  CUFFT_SUCCESS = 0,
  CUFFT_INVALID_PLAN = 1,
  CUFFT_INVALID_TYPE = 3,
  CUFFT_INVALID_VALUE = 4,
  CUFFT_EXEC_FAILED = 6,
  CUFFT_INVALID_SIZE = 8,
};
enum Type {
  CUFFT_R2C = 0x2a,
  CUFFT_C2R = 0x2c,
  CUFFT_C2C = 0x29,
  CUFFT_D2Z = 0x6a,
  CUFFT_Z2D = 0x6c,
  CUFFT_Z2Z = 0x69,
};
enum Direction { CUFFT_FORWARD = -1, CUFFT_INVERSE = 1 };

using Sizes = std::vector<size_t>;
using Signal = std::vector<Complex128>;

size_t product(const Sizes& sizes) {
  size_t total = 1;
  for (size_t size : sizes) total *= size;
  return total;
}

// The n-th root of unity to the power k, from an angle of at most an eighth of the circle.
Complex128 root_of_unity(size_t k, size_t n) {
  k %= n;
  const size_t octant = 8 * k / n;
  const auto circle = [n](double part) { return 2 * M_PI * part / double(n); };
  const double k_ = double(k), n_ = double(n);
  switch (octant) {
    case 0:
      return {std::cos(circle(k_)), std::sin(circle(k_))};
    case 1:
    case 2:
      return {-std::sin(circle(k_ - n_ / 4)), std::cos(circle(k_ - n_ / 4))};
    case 3:
    case 4:
      return {-std::cos(circle(k_ - n_ / 2)), -std::sin(circle(k_ - n_ / 2))};
    case 5:
    case 6:
      return {std::sin(circle(k_ - 3 * n_ / 4)), -std::cos(circle(k_ - 3 * n_ / 4))};
    default:
      return {std::cos(circle(k_ - n_)), std::sin(circle(k_ - n_))};
  }
}

Complex128 swap_parts(Complex128 value) { return {value.imag(), value.real()}; }

// The forward transform of one line of n numbers. (The inverse one, not scaled, is the forward one
// of numbers whose real and imaginary parts are exchanged before and after.)
class Transform {
 public:
  explicit Transform(size_t n) : n_(n), roots_(n) {
    for (size_t k = 0; k < n; ++k) roots_[k] = std::conj(root_of_unity(k, n));
    size_t rest = n;
    for (size_t p = 2; p * p <= rest; ++p) {
      for (; rest % p == 0; rest /= p) factors_.push_back(p);
    }
    if (rest > 1) factors_.push_back(rest);
    if (!factors_.empty() && factors_.back() > kLargestFactor) prepare_convolution();
  }

  void run(const Complex128* in, Complex128* out) const {
    if (longer_) {
      convolve(in, out);
    } else {
      split(in, 1, out, n_, 0);
    }
  }

 private:
  // Above it a convolution is faster than the sum over a prime factor.
  static constexpr size_t kLargestFactor = 61;

  // Cooley and Tukey: p transforms of every p-th number, then sums over those. `step` is the
  // distance of the numbers, and of the roots of unity of this size.
  void split(const Complex128* in, size_t step, Complex128* out, size_t n, size_t level) const {
    if (n == 1) {
      *out = *in;
      return;
    }
    const size_t p = factors_[level], m = n / p;
    for (size_t r = 0; r < p; ++r) split(in + r * step, step * p, out + r * m, m, level + 1);
    Complex128 terms[kLargestFactor];
    for (size_t k = 0; k < m; ++k) {
      for (size_t r = 0; r < p; ++r) terms[r] = times(out[r * m + k], roots_[r * k * step]);
      for (size_t q = 0; q < p; ++q) {
        Complex128 sum = terms[0];
        for (size_t r = 1; r < p; ++r) sum += times(terms[r], roots_[r * q % p * (n_ / p)]);
        out[q * m + k] = sum;
      }
    }
  }

  // Without the checks for infinities that the operator makes.
  static Complex128 times(Complex128 a, Complex128 b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }

  // Bluestein: with jk = (j^2 + k^2 - (k - j)^2) / 2 the transform is a convolution with a chirp,
  // which is done by transforms of a power of two.
  void prepare_convolution() {
    size_t size = 1;
    while (size < 2 * n_ - 1) size *= 2;
    longer_ = std::make_unique<Transform>(size);
    chirp_.resize(n_);
    Signal kernel(size);
    for (size_t k = 0; k < n_; ++k) {
      chirp_[k] = std::conj(root_of_unity(k * k % (2 * n_), 2 * n_));
      kernel[k] = kernel[(size - k) % size] = std::conj(chirp_[k]) / double(size);
    }
    kernel_.resize(size);
    longer_->run(kernel.data(), kernel_.data());
  }

  void convolve(const Complex128* in, Complex128* out) const {
    Signal signal(kernel_.size()), spectrum(kernel_.size());
    for (size_t k = 0; k < n_; ++k) signal[k] = times(in[k], chirp_[k]);
    longer_->run(signal.data(), spectrum.data());
    for (size_t k = 0; k < kernel_.size(); ++k) {
      spectrum[k] = swap_parts(times(spectrum[k], kernel_[k]));
    }
    longer_->run(spectrum.data(), signal.data());
    for (size_t k = 0; k < n_; ++k) out[k] = times(swap_parts(signal[k]), chirp_[k]);
  }

  const size_t n_;
  Signal roots_;
  Sizes factors_;
  std::unique_ptr<Transform> longer_;  // of the convolution
  Signal chirp_, kernel_;
};

// Transforms every line along one axis.
void transform_axis(Signal& data, const Sizes& shape, size_t axis, const Transform& transform,
                    int direction) {
  const auto turned = [=](Complex128 value) {
    return direction == CUFFT_INVERSE ? swap_parts(value) : value;
  };
  const size_t n = shape[axis];
  size_t inner = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  Signal line(n), result(n);
  for (size_t block = 0; block < data.size(); block += n * inner) {
    for (size_t i = block; i < block + inner; ++i) {
      for (size_t k = 0; k < n; ++k) line[k] = turned(data[i + k * inner]);
      transform.run(line.data(), result.data());
      for (size_t k = 0; k < n; ++k) data[i + k * inner] = turned(result[k]);
    }
  }
}

// How numbers lie in memory: cuFFT's "advanced data layout".
struct Layout {
  Sizes embed;  // the sizes of the array that holds a signal; the first has no effect
  ptrdiff_t stride = 1, distance = 0;

  // Calls `f(packed index, offset)` for all numbers of a signal of this shape.
  template <class F>
  void for_each(const Sizes& shape, F f) const {
    Sizes position(shape.size());
    const size_t total = product(shape);
    for (size_t i = 0; i < total; ++i) {
      size_t offset = 0;
      for (size_t d = 0; d < shape.size(); ++d) offset = offset * embed[d] + position[d];
      f(i, ptrdiff_t(offset) * stride);
      for (size_t d = shape.size(); d-- > 0 && ++position[d] == shape[d];) position[d] = 0;
    }
  }
};

struct Plan {
  Sizes shape;  // of the transform, that is of the real signal
  std::shared_ptr<const std::vector<Transform>> transforms;  // one for each axis
  Layout in, out;
  int type = 0;
  ptrdiff_t batch = 1;
  void* stream = nullptr;
  void* work_area = nullptr;
  size_t work_size = 0;

  // The shape of the complex half of a real signal's transform.
  Sizes half_shape() const {
    Sizes half = shape;
    half.back() = half.back() / 2 + 1;
    return half;
  }

  void transform(Signal& data, const Sizes& data_shape, size_t axis, int direction) const {
    transform_axis(data, data_shape, axis, (*transforms)[axis], direction);
  }
};

template <class T>
Signal read(const T* in, const Layout& layout, const Sizes& shape) {
  Signal data(product(shape));
  layout.for_each(shape, [&](size_t i, ptrdiff_t offset) { data[i] = Complex128(in[offset]); });
  return data;
}

template <class T>
void complex_to_complex(const Plan& plan, const std::complex<T>* in, std::complex<T>* out,
                        int direction) {
  Signal data = read(in, plan.in, plan.shape);
  for (size_t axis = 0; axis < plan.shape.size(); ++axis) {
    plan.transform(data, plan.shape, axis, direction);
  }
  plan.out.for_each(plan.shape,
                    [&](size_t i, ptrdiff_t offset) { out[offset] = std::complex<T>(data[i]); });
}

template <class T>
void real_to_complex(const Plan& plan, const T* in, std::complex<T>* out) {
  Signal data = read(in, plan.in, plan.shape);
  for (size_t axis = plan.shape.size(); axis-- > 0;) {
    plan.transform(data, plan.shape, axis, CUFFT_FORWARD);
  }
  const Sizes half = plan.half_shape();
  plan.out.for_each(half, [&](size_t i, ptrdiff_t offset) {
    out[offset] = std::complex<T>(data[i / half.back() * plan.shape.back() + i % half.back()]);
  });
}

// The last axis is completed by what is known of a real signal's transform. The imaginary parts of
// its first number and of its middle one only change the imaginary parts of the result, which are
// dropped.
template <class T>
void complex_to_real(const Plan& plan, std::complex<T>* in, T* out) {
  const Sizes half = plan.half_shape();
  const size_t last = plan.shape.size() - 1, n = plan.shape.back(), h = half.back();
  Signal part = read(in, plan.in, half);
  for (size_t axis = 0; axis < last; ++axis) plan.transform(part, half, axis, CUFFT_INVERSE);
  // cuFFT may overwrite the input of this transform, also when the output is elsewhere.
  plan.in.for_each(half, [&](size_t, ptrdiff_t offset) { spoil(in + offset, sizeof *in); });
  Signal data(product(plan.shape));
  for (size_t line = 0; line < data.size() / n; ++line) {
    for (size_t k = 0; k < n; ++k) {
      data[line * n + k] = k < h ? part[line * h + k] : std::conj(part[line * h + n - k]);
    }
  }
  plan.transform(data, plan.shape, last, CUFFT_INVERSE);
  plan.out.for_each(plan.shape,
                    [&](size_t i, ptrdiff_t offset) { out[offset] = T(data[i].real()); });
}

std::map<int, Plan> plans;
int last_plan = 0;

Plan* find_plan(int handle) {
  Lock lock(mutex);
  auto found = plans.find(handle);
  return found == plans.end() ? nullptr : &found->second;
}

// Runs `execute(plan, batch)` for all signals of the plan's batch.
template <class Execute>
int submit(int handle, int type, const void* in, const void* out, Execute execute) {
  const Plan* plan = find_plan(handle);
  if (!plan || plan->shape.empty() || plan->type != type) return CUFFT_INVALID_PLAN;
  if (!in || !out) return CUFFT_INVALID_VALUE;
  const auto task = [plan = *plan, execute] {
    spoil(plan.work_area, plan.work_size);
    for (ptrdiff_t i = 0; i < plan.batch; ++i) execute(plan, i);
  };
  return enqueue(plan->stream, "launch", task) ? CUFFT_EXEC_FAILED : CUFFT_SUCCESS;
}

template <class T>
int submit_complex(int handle, int type, std::complex<T>* in, std::complex<T>* out, int direction) {
  if (direction != CUFFT_FORWARD && direction != CUFFT_INVERSE) return CUFFT_INVALID_VALUE;
  return submit(handle, type, in, out, [=](const Plan& plan, ptrdiff_t i) {
    complex_to_complex(plan, in + i * plan.in.distance, out + i * plan.out.distance, direction);
  });
}

template <class T>
int submit_real_to_complex(int handle, int type, T* in, std::complex<T>* out) {
  return submit(handle, type, in, out, [=](const Plan& plan, ptrdiff_t i) {
    real_to_complex(plan, in + i * plan.in.distance, out + i * plan.out.distance);
  });
}

template <class T>
int submit_complex_to_real(int handle, int type, std::complex<T>* in, T* out) {
  return submit(handle, type, in, out, [=](const Plan& plan, ptrdiff_t i) {
    complex_to_real(plan, in + i * plan.in.distance, out + i * plan.out.distance);
  });
}

Layout packed(const Sizes& shape) { return {shape, 1, ptrdiff_t(product(shape))}; }

bool is_type(int type) {
  switch (type) {
    case CUFFT_R2C:
    case CUFFT_C2R:
    case CUFFT_C2C:
    case CUFFT_D2Z:
    case CUFFT_Z2D:
    case CUFFT_Z2Z:
      return true;
    default:
      return false;
  }
}

}  // namespace

C_API int cufftCreate(int* handle) {
  Lock lock(mutex);
  *handle = ++last_plan;
  plans[*handle];
  return CUFFT_SUCCESS;
}

C_API int cufftDestroy(int handle) {
  Lock lock(mutex);
  return plans.erase(handle) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN;
}

// CuPy turns it off and gives each plan memory from its pool.
C_API int cufftSetAutoAllocation(int handle, int) {
  return find_plan(handle) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN;
}

C_API int cufftSetWorkArea(int handle, void* work_area) {
  Plan* plan = find_plan(handle);
  if (!plan) return CUFFT_INVALID_PLAN;
  plan->work_area = work_area;
  return CUFFT_SUCCESS;
}

C_API int cufftSetStream(int handle, void* stream) {
  Plan* plan = find_plan(handle);
  if (!plan) return CUFFT_INVALID_PLAN;
  plan->stream = stream;
  return CUFFT_SUCCESS;
}

C_API int cufftGetVersion(int* version) {
  *version = 11400;
  return CUFFT_SUCCESS;
}

// Without `inembed` or `onembed` the data are packed, and strides and distances have no effect.
C_API int cufftMakePlanMany(int handle, int rank, int* n, int* inembed, int istride, int idist,
                            int* onembed, int ostride, int odist, int type, int batch,
                            size_t* work_size) {
  Plan* plan = find_plan(handle);
  if (!plan || !plan->shape.empty()) return CUFFT_INVALID_PLAN;
  if (!is_type(type)) return CUFFT_INVALID_TYPE;
  if (rank < 1 || rank > 3 || !n || !work_size) return CUFFT_INVALID_VALUE;
  for (int d = 0; d < rank; ++d) {
    if (n[d] < 1) return CUFFT_INVALID_SIZE;
  }
  if (batch < 1) return CUFFT_INVALID_SIZE;
  plan->shape.assign(n, n + rank);
  std::vector<Transform> transforms;
  transforms.reserve(rank);
  for (size_t size : plan->shape) transforms.emplace_back(size);
  plan->transforms = std::make_shared<const std::vector<Transform>>(std::move(transforms));
  plan->type = type;
  plan->batch = batch;
  if (inembed && onembed) {
    plan->in = {Sizes(inembed, inembed + rank), istride, idist};
    plan->out = {Sizes(onembed, onembed + rank), ostride, odist};
  } else {
    const Sizes half = plan->half_shape();
    plan->in = packed(type == CUFFT_C2R || type == CUFFT_Z2D ? half : plan->shape);
    plan->out = packed(type == CUFFT_R2C || type == CUFFT_D2Z ? half : plan->shape);
  }
  // About what cuFFT asks for where it needs a second copy of the data.
  const bool is_double = type == CUFFT_D2Z || type == CUFFT_Z2D || type == CUFFT_Z2Z;
  plan->work_size = product(plan->shape) * batch * (is_double ? 16 : 8);
  *work_size = plan->work_size;
  return CUFFT_SUCCESS;
}

C_API int cufftMakePlan1d(int handle, int n, int type, int batch, size_t* work_size) {
  return cufftMakePlanMany(handle, 1, &n, nullptr, 1, 0, nullptr, 1, 0, type, batch, work_size);
}

C_API int cufftExecC2C(int handle, Complex64* in, Complex64* out, int direction) {
  return submit_complex(handle, CUFFT_C2C, in, out, direction);
}
C_API int cufftExecZ2Z(int handle, Complex128* in, Complex128* out, int direction) {
  return submit_complex(handle, CUFFT_Z2Z, in, out, direction);
}
C_API int cufftExecR2C(int handle, float* in, Complex64* out) {
  return submit_real_to_complex(handle, CUFFT_R2C, in, out);
}
C_API int cufftExecD2Z(int handle, double* in, Complex128* out) {
  return submit_real_to_complex(handle, CUFFT_D2Z, in, out);
}
C_API int cufftExecC2R(int handle, Complex64* in, float* out) {
  return submit_complex_to_real(handle, CUFFT_C2R, in, out);
}
C_API int cufftExecZ2D(int handle, Complex128* in, double* out) {
  return submit_complex_to_real(handle, CUFFT_Z2D, in, out);
}

}  // namespace fakecuda::cufft
