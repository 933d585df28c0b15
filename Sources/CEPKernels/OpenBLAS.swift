import COpenBLAS
import Glibc
import Synchronization

/// What the library needs before it multiplies.
public enum OpenBLAS {
    /// It starts one thread a core by default, which costs more than it brings on the skinny products of a batch, and
    /// makes results depend on the number of cores.
    static let singleThreaded: Void = openblas_set_num_threads(1)

    /// What it has of a thread's own variables (61 kB), and a little more. The loader takes it when a thread first
    /// multiplies, and ends the process where there is none.
    private static let threadMemory = 96 << 10

    /// Addresses it takes, and keeps, for each thread that multiplies at the same time as others; and a little more.
    private static let bufferSize = 136 << 20

    private static let users = Atomic(0)
    private static let hasFirstBuffer = Atomic(false)

    /// To be called before products, and `end` after them: where it finds no memory, OpenBLAS tries again for ever.
    ///
    /// - Returns: Whether there is memory to multiply in.
    public static func begin() -> Bool {
        let count = users.add(1, ordering: .relaxed).newValue
        let isReady =
            isRoom(bytes: threadMemory)
            && (hasFirstBuffer.load(ordering: .acquiring)
                ? count == 1 || canHaveBuffer : canHaveBuffer && takeFirstBuffer())
        if !isReady { end() }
        return isReady
    }

    public static func end() { users.subtract(1, ordering: .relaxed) }

    private static var canHaveBuffer: Bool {
        let memory = mmap(nil, bufferSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let memory, memory != MAP_FAILED else { return false }
        munmap(memory, bufferSize)
        return true
    }

    /// Multiplies matrices that are large enough for a buffer to be taken.
    private static func takeFirstBuffer() -> Bool {
        let extent = 128
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, 3 * extent * extent * MemoryLayout<Float>.stride) == 0, let memory else {
            return false
        }
        defer { free(memory) }
        let a = memory.bindMemory(to: Float.self, capacity: 3 * extent * extent)
        a.update(repeating: 0, count: 3 * extent * extent)
        Float.multiplyMatrices(
            transposeA: false, transposeB: false, m: extent, n: extent, k: extent, alpha: 1, a: a,
            b: a + extent * extent, beta: 0, c: a + 2 * extent * extent)
        hasFirstBuffer.store(true, ordering: .releasing)
        return true
    }
}
