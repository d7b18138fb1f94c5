cimport arraygrad._native as _native

cdef bint _by_product(object x1, object x2) except -1
