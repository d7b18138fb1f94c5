// The codes that functions of NVRTC return.
#pragma once

namespace fakecuda {

enum NvrtcResult {
  kNvrtcSuccess = 0,
  kNvrtcInvalidInput = 3,
  kNvrtcInvalidProgram = 4,
  kNvrtcInvalidOption = 5,
  kNvrtcCompilation = 6,
  kNvrtcNoNamesAfterCompilation = 8,
  kNvrtcNoLoweredNamesBeforeCompilation = 9,
  kNvrtcNameExpressionNotValid = 10,
  kNvrtcInternalError = 11,
};

}  // namespace fakecuda
