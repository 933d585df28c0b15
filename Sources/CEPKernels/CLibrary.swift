// Exports the C library to this module and those above it.

#if canImport(Glibc)
    @_exported import Glibc
#else
    @_exported import Musl
#endif
