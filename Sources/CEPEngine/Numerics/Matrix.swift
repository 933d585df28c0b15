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
        // More than can be counted is asked for as the most that can be.
        pointer = try allocate(overflow ? .max : count, of: Element.self, for: "a \(rows) × \(columns) matrix")
        self.rows = rows
        self.columns = columns
    }

    deinit { free(pointer) }

    /// The whole matrix.
    public var view: MatrixView<Element> { rows(from: 0, count: rows) }

    /// `count` rows, the first of them at `start`.
    public func rows(from start: Int, count: Int) -> MatrixView<Element> {
        MatrixView(owner: self, pointer: pointer + start * columns, rows: count, columns: columns)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func copy(from other: Matrix) { pointer.update(from: other.pointer, count: count) }

    /// Takes as many columns of a wider matrix, the first of them at `start`.
    func copyColumns(of whole: Matrix, from start: Int) {
        for row in 0..<rows {
            (pointer + row * columns).update(from: whole.pointer + row * whole.columns + start, count: columns)
        }
    }

    /// Writes all columns to a wider matrix, the first of them to `start`.
    func copyToColumns(of whole: Matrix, from start: Int) {
        for row in 0..<rows {
            (whole.pointer + row * whole.columns + start).update(from: pointer + row * columns, count: columns)
        }
    }

    public func copied() throws(EngineError) -> Matrix {
        let copy = try Matrix(rows: rows, columns: columns)
        copy.copy(from: self)
        return copy
    }
}
