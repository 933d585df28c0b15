import CEPKernels

// Memory whose size depends on networks and data is allocated here (and in CEPKernels' PackedMatrix), because a failing
// allocation of an Array ends the process, while this one throws.

/// The memory of this machine in bytes.
let physicalMemory: Int = {
    let (bytes, overflow) = sysconf(Int32(_SC_PHYS_PAGES)).multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
    return overflow || bytes <= 0 ? Int.max : bytes
}()

/// Memory for `count` values, 64-byte aligned and zeroed, to be freed with `free`.
///
/// - Parameter purpose: What the memory is for, for the message: "a 3 × 5 matrix".
/// - Throws: `EngineError.outOfMemory` if the machine does not have it.
func allocate<Value>(
    _ count: Int, of type: Value.Type, for purpose: @autoclosure () -> String
) throws(EngineError) -> UnsafeMutablePointer<Value> {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.stride)
    // The kernel grants more than the machine has and kills the process later, so compare with the machine's memory
    // first.
    guard !overflow, bytes <= physicalMemory else {
        throw .outOfMemory("\(purpose()) does not fit into this machine's memory")
    }
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, max(bytes, 64)) == 0, let memory else {
        throw .outOfMemory("no memory for \(purpose()) (\(bytes) bytes)")
    }
    memset(memory, 0, max(bytes, 64))
    return memory.bindMemory(to: type, capacity: max(count, 1))
}

/// Checks the sum of several allocations: each alone may fit into the machine when all together do not, and the kernel
/// grants more than the machine has and kills the process later.
///
/// - Throws: `EngineError.outOfMemory` if the machine cannot hold the values.
func checkMemory<Value>(values: Double, of _: Value.Type, for purpose: String) throws(EngineError) {
    guard values * Double(MemoryLayout<Value>.stride) <= Double(physicalMemory) else {
        throw .outOfMemory("\(purpose) (\(values) values) does not fit into this machine's memory")
    }
}

/// Integers in checked memory, for one index per sample.
package final class Integers: MutableCollection, RandomAccessCollection {
    package let startIndex = 0
    package let endIndex: Int
    private let pointer: UnsafeMutablePointer<Int>

    /// The numbers 0 ..< count.
    ///
    /// - Throws: `EngineError.outOfMemory`.
    package init(upTo count: Int) throws(EngineError) {
        pointer = try allocate(count, of: Int.self, for: "\(count) indices")
        endIndex = count
        for i in 0..<count { pointer[i] = i }
    }

    deinit { free(pointer) }

    package subscript(position: Int) -> Int {
        get { pointer[position] }
        set { pointer[position] = newValue }
    }

    package func index(after i: Int) -> Int { i + 1 }
    package func index(before i: Int) -> Int { i - 1 }
}
