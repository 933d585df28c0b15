// The C library, for this module and those above it.

#if canImport(Glibc)
    @_exported import Glibc
#else
    @_exported import Musl
#endif
