cimport arraygrad._backends._ndarray as _ndarray
