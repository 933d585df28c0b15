import Glibc

/// Whether so much memory can be had, for what asks for it next and may not be refused.
public func isRoom(bytes: Int) -> Bool {
    var memory: UnsafeMutableRawPointer?
    // Aligned as numbers are: of this nothing is kept back (python/src/reserve.c).
    guard posix_memalign(&memory, 64, bytes) == 0 else { return false }
    free(memory)
    return true
}
