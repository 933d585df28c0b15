import CEPKernels
import Glibc

/// A row-major matrix in memory of its own, 64-byte aligned, zero at first.
///
/// A class, because parameters and states are looked at from outside while the engine works on them: whoever
/// holds the matrix keeps the memory.
public final class Matrix<Element: KernelScalar> {
    public let rows: Int
    public let columns: Int
    public let pointer: UnsafeMutablePointer<Element>

    public var count: Int { rows * columns }

    /// - Throws: `EngineError.outOfMemory` where the machine cannot hold it.
    public init(rows: Int, columns: Int) throws(EngineError) {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        let (bytes, byteOverflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        // The kernel grants more than there is and kills the process later, so ask about the machine first.
        guard !overflow, !byteOverflow, bytes <= physicalMemory else {
            throw .outOfMemory("a \(rows) × \(columns) matrix does not fit into this machine's memory")
        }
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, max(bytes, 64)) == 0, let memory else {
            throw .outOfMemory("no memory for a \(rows) × \(columns) matrix (\(bytes) bytes)")
        }
        memset(memory, 0, max(bytes, 64))
        self.rows = rows
        self.columns = columns
        self.pointer = memory.bindMemory(to: Element.self, capacity: max(count, 1))
    }

    deinit { free(pointer) }

    /// The whole matrix.
    public var view: MatrixView<Element> { rows(from: 0, count: rows) }

    /// `count` rows, the first of them at `start`.
    public func rows(from start: Int, count: Int) -> MatrixView<Element> {
        MatrixView(owner: self, pointer: pointer + start * columns, rows: count, columns: columns)
    }

    /// The first of its memory as a matrix of as many rows, and of fewer columns.
    func reshaped(columns: Int) -> MatrixView<Element> {
        MatrixView(owner: self, pointer: pointer, rows: rows, columns: columns)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func copy(from other: Matrix) { pointer.update(from: other.pointer, count: count) }

    public func copied() throws(EngineError) -> Matrix {
        let copy = try Matrix(rows: rows, columns: columns)
        copy.copy(from: self)
        return copy
    }
}

/// Asks for what is taken in several pieces: each alone may fit into the machine where all of them do not, and the kernel
/// grants more than there is and kills the process later.
///
/// - Throws: `EngineError.outOfMemory` where the machine cannot hold so many values.
func checkMemory<Value>(values: Double, of _: Value.Type, for purpose: String) throws(EngineError) {
    guard values * Double(MemoryLayout<Value>.stride) <= Double(physicalMemory) else {
        throw .outOfMemory("\(purpose) (\(values) values) does not fit into this machine's memory")
    }
}

/// Bytes of memory of this machine.
private let physicalMemory: Int = {
    let (bytes, overflow) = sysconf(Int32(_SC_PHYS_PAGES)).multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
    return overflow || bytes <= 0 ? Int.max : bytes
}()
