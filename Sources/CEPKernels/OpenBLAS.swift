import COpenBLAS

/// Prepares OpenBLAS before products: one thread, and memory.
enum OpenBLAS {
    /// The memory that OpenBLAS reserves, and keeps, for each thread that multiplies concurrently; with a margin.
    private static let bufferSize = 136 << 20

    private nonisolated(unsafe) static let mutex: UnsafeMutablePointer<pthread_mutex_t> = {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_atfork({ pthread_mutex_lock(OpenBLAS.mutex) }, { pthread_mutex_unlock(OpenBLAS.mutex) }) {
            pthread_mutex_unlock(OpenBLAS.mutex)
        }
        return mutex
    }()
    private nonisolated(unsafe) static var users = 0
    private nonisolated(unsafe) static var hasFirstBuffer = false
    private nonisolated(unsafe) static var threadsBefore: Int32 = 1

    /// Multiplies on one thread, and then restores the library's setting, because other code may share the library. By
    /// default OpenBLAS starts a thread for each core, which is slower on the matrices of a batch and makes results
    /// depend on the number of cores.
    ///
    /// - Returns: Whether memory for the product was available. Without it, the library would retry for ever.
    static func onOneThread(_ multiply: () -> Void) -> Bool {
        guard begin() else { return false }
        multiply()
        pthread_mutex_lock(mutex)
        end()
        pthread_mutex_unlock(mutex)
        return true
    }

    private static func begin() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        users += 1
        if users == 1 {
            threadsBefore = openblas_get_num_threads()
            if threadsBefore != 1 { openblas_set_num_threads(1) }
        }
        if !hasFirstBuffer { hasFirstBuffer = canHaveBuffer && takeFirstBuffer() }
        let isReady = hasFirstBuffer && (users == 1 || canHaveBuffer)
        if !isReady { end() }
        return isReady
    }

    private static func end() {
        users -= 1
        if users == 0, threadsBefore != 1 { openblas_set_num_threads(threadsBefore) }
    }

    private static var canHaveBuffer: Bool {
        let memory = mmap(nil, bufferSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let memory, memory != MAP_FAILED else { return false }
        munmap(memory, bufferSize)
        return true
    }

    /// Multiplies matrices that are large enough for OpenBLAS to allocate a buffer, which it keeps.
    private static func takeFirstBuffer() -> Bool {
        let extent = 128
        guard let memory = calloc(3 * extent * extent, MemoryLayout<Float>.stride) else { return false }
        defer { free(memory) }
        let a = memory.bindMemory(to: Float.self, capacity: 3 * extent * extent)
        let size = blasint(extent)
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, a, size, a + extent * extent, size, 0,
            a + 2 * extent * extent, size)
        return true
    }
}

/// C ← α op(A) op(B) + β C by plain loops, if OpenBLAS has no memory.
@specialized(where Element == Float)
@specialized(where Element == Double)
func multiplyPlainly<Element: KernelScalar>(
    transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Element, a: UnsafePointer<Element>,
    b: UnsafePointer<Element>, beta: Element, c: UnsafeMutablePointer<Element>
) {
    let (aRow, aColumn) = transposeA ? (1, m) : (k, 1)
    let (bRow, bColumn) = transposeB ? (1, k) : (n, 1)
    for i in 0..<m {
        for j in 0..<n {
            var sum: Element = 0
            for l in 0..<k { sum += a[i * aRow + l * aColumn] * b[l * bRow + j * bColumn] }
            c[i * n + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * n + j])
        }
    }
}
