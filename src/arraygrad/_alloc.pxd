cpdef object new(object cls)
