from arraygrad._array cimport Array
from arraygrad._dispatch cimport binary, inplace, unary

cdef class Operators(Array):
    pass
