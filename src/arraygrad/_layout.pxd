"""Where the slots of our classes lie in memory, so that compiled modules read them directly.

CPython lays them out in the order of their names, and checks at import that the size is right.
"""

cdef extern from *:
    """
    #if PY_VERSION_HEX < 0x030C0000
      #define ARRAYGRAD_WEAK PyObject *weak;
    #else
      #define ARRAYGRAD_WEAK
    #endif
    typedef struct {
        PyObject_HEAD
        PyObject *_data, *_device, *_trace, *_value, *_view;
        ARRAYGRAD_WEAK
    } arraygrad_tensor;
    typedef struct {
        PyObject_HEAD
        PyObject *_name, *array_type, *backend, *index, *ops, *type;
    } arraygrad_device;
    """
    ctypedef class arraygrad._tensor.Tensor [object arraygrad_tensor, check_size error]:
        cdef object _data, _device, _trace, _value, _view
    ctypedef class arraygrad._device.Device [object arraygrad_device, check_size error]:
        cdef object _name, array_type, backend, index, ops, type
