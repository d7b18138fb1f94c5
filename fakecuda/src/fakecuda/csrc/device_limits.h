// The limits of the emulated GPU: those of compute capability 9.0.
#pragma once

namespace fakecuda::limits {

constexpr int kWarp = 32;
constexpr int kThreadsPerBlock = 1024;
constexpr int kBlockZ = 64;
constexpr int kGridX = 2147483647;
constexpr int kGridYZ = 65535;
constexpr int kSharedPerBlock = 48 << 10;
constexpr int kSharedPerBlockOptin = 227 << 10;
constexpr int kSharedPerMultiprocessor = 228 << 10;
constexpr int kThreadsPerMultiprocessor = 2048;
constexpr int kMultiprocessors = 4;

// Of a kernel's parameters, in bytes: 4096 up to compute capability 6, and before CUDA 12.1.
constexpr int kParameters = 32764;
constexpr int kParametersBeforeVolta = 4096;

}  // namespace fakecuda::limits
