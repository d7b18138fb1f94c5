cimport arraygrad._native as _native
