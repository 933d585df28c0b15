import CEPKernels

/// A row-major matrix of numbers, zero at first.
///
/// It is a class: parameters and states of a network are matrices that the engine works on, and a reference to one
/// keeps its memory alive. `matrix[row, column]` is one number, `matrix[row]` one row, and `Array(matrix)` has all
/// numbers in row-major order.
public final class Matrix<Element: KernelScalar> {
    /// The number of rows: samples, or units above.
    public let rows: Int
    /// The number of columns: units, or units below.
    public let columns: Int
    /// 64-byte aligned.
    package let pointer: UnsafeMutablePointer<Element>

    /// The number of values, rows × columns.
    public var count: Int { rows * columns }

    /// Zeros.
    ///
    /// - Parameters:
    ///   - rows: 0 or more.
    ///   - columns: 0 or more.
    /// - Throws: `EngineError.outOfMemory` if the machine cannot hold it; `.invalidArgument` for a negative extent.
    public init(rows: Int, columns: Int) throws(EngineError) {
        guard rows >= 0, columns >= 0 else {
            throw .invalidArgument("a matrix cannot have \(rows) rows and \(columns) columns")
        }
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        // A count that overflows is replaced by the largest one, which is refused.
        pointer = try allocate(overflow ? .max : count, of: Element.self, for: "a \(rows) × \(columns) matrix")
        self.rows = rows
        self.columns = columns
    }

    /// A copy of arrays of numbers, one for each row.
    ///
    /// - Parameter rows: Rows of the same length. The matrix of an empty list is 0 × 0.
    /// - Throws: `EngineError.invalidArgument` for rows of different lengths; `.outOfMemory`.
    public convenience init(_ rows: [[Element]]) throws(EngineError) {
        let columns = rows.first?.count ?? 0
        if let row = rows.firstIndex(where: { $0.count != columns }) {
            throw .invalidArgument("row \(row) has \(rows[row].count) values, row 0 has \(columns)")
        }
        try self.init(rows: rows.count, columns: columns)
        for (row, values) in rows.enumerated() { self[row] = values }
    }

    deinit { free(pointer) }

    /// One number. An index out of range traps, as with an array.
    ///
    /// - Parameters:
    ///   - row: 0 or more, less than `rows`.
    ///   - column: 0 or more, less than `columns`.
    public subscript(row: Int, column: Int) -> Element {
        get { pointer[place(row, column)] }
        set { pointer[place(row, column)] = newValue }
    }

    /// A copy of one row. An index out of range, or a new row of another length, traps.
    ///
    /// - Parameter row: 0 or more, less than `rows`.
    public subscript(row: Int) -> [Element] {
        get {
            precondition(0..<rows ~= row, "row \(row) does not exist; the matrix has \(rows) rows")
            return Array(UnsafeBufferPointer(start: pointer + row * columns, count: columns))
        }
        set {
            precondition(0..<rows ~= row, "row \(row) does not exist; the matrix has \(rows) rows")
            precondition(newValue.count == columns, "a row has \(columns) values, got \(newValue.count)")
            (pointer + row * columns).update(from: newValue, count: columns)
        }
    }

    private func place(_ row: Int, _ column: Int) -> Int {
        precondition(
            0..<rows ~= row && 0..<columns ~= column, "the matrix is \(rows) × \(columns), got [\(row), \(column)]")
        return row * columns + column
    }

    /// Copies the values of another matrix. A matrix of another shape traps.
    ///
    /// - Parameter other: A matrix of the same shape.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func copy(from other: Matrix) {
        precondition(rows == other.rows && columns == other.columns, "the matrices have different shapes")
        pointer.update(from: other.pointer, count: count)
    }

    /// A copy with its own memory.
    ///
    /// - Throws: `EngineError.outOfMemory`.
    public func copied() throws(EngineError) -> Matrix {
        let copy = try Matrix(rows: rows, columns: columns)
        copy.copy(from: self)
        return copy
    }

    /// The whole matrix.
    package var view: MatrixView<Element> { rows(from: 0, count: rows) }

    /// `count` rows from row `start` on.
    package func rows(from start: Int, count: Int) -> MatrixView<Element> {
        MatrixView(owner: self, pointer: pointer + start * columns, rows: count, columns: columns)
    }

    /// Copies columns of a wider matrix, from column `start` on.
    func copyColumns(of whole: Matrix, from start: Int) {
        for row in 0..<rows {
            (pointer + row * columns).update(from: whole.pointer + row * whole.columns + start, count: columns)
        }
    }

    /// Writes all columns to a wider matrix, from column `start` on.
    func copyToColumns(of whole: Matrix, from start: Int) {
        for row in 0..<rows {
            (whole.pointer + row * whole.columns + start).update(from: pointer + row * columns, count: columns)
        }
    }
}

extension Array where Element: KernelScalar {
    /// All numbers of a matrix in row-major order.
    ///
    /// - Parameter matrix: The matrix to copy.
    public init(_ matrix: Matrix<Element>) {
        self.init(UnsafeBufferPointer(start: matrix.pointer, count: matrix.count))
    }
}
