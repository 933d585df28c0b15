import CEPKernels

/// A row-major matrix of numbers, zero at first.
///
/// It is a class: parameters and states of a network are matrices that the engine works on, and whoever holds one keeps
/// its memory. `matrix[row, column]` is one number, `matrix[row]` one row, and `Array(matrix)` has all numbers, row after
/// row.
public final class Matrix<Element: KernelScalar> {
    /// The number of rows: of samples, or of units above.
    public let rows: Int
    /// The number of columns: of units, or of units below.
    public let columns: Int
    /// 64-byte aligned.
    package let pointer: UnsafeMutablePointer<Element>

    /// The number of all values, rows × columns.
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
        // More than can be counted is asked for as the most that can be.
        pointer = try allocate(overflow ? .max : count, of: Element.self, for: "a \(rows) × \(columns) matrix")
        self.rows = rows
        self.columns = columns
    }

    /// A copy of arrays of numbers, one a row.
    ///
    /// - Parameter rows: Rows of the same length. Without any, the matrix is 0 × 0.
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

    /// One number. A row or column that does not exist traps, as an index of an array does.
    ///
    /// - Parameters:
    ///   - row: 0 or more, less than `rows`.
    ///   - column: 0 or more, less than `columns`.
    public subscript(row: Int, column: Int) -> Element {
        get { pointer[place(row, column)] }
        set { pointer[place(row, column)] = newValue }
    }

    /// A copy of one row. A row that does not exist, or a new one that is not as long, traps.
    ///
    /// - Parameter row: 0 or more, less than `rows`.
    public subscript(row: Int) -> [Element] {
        get {
            precondition(0..<rows ~= row, "the matrix has \(rows) rows, there is no row \(row)")
            return Array(UnsafeBufferPointer(start: pointer + row * columns, count: columns))
        }
        set {
            precondition(0..<rows ~= row, "the matrix has \(rows) rows, there is no row \(row)")
            precondition(newValue.count == columns, "a row has \(columns) values, got \(newValue.count)")
            (pointer + row * columns).update(from: newValue, count: columns)
        }
    }

    private func place(_ row: Int, _ column: Int) -> Int {
        precondition(
            0..<rows ~= row && 0..<columns ~= column, "the matrix is \(rows) × \(columns), got [\(row), \(column)]")
        return row * columns + column
    }

    /// Takes the values of another matrix; one that is not of the same shape traps.
    ///
    /// - Parameter other: A matrix of as many rows and columns.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func copy(from other: Matrix) {
        precondition(rows == other.rows && columns == other.columns, "the matrices have different shapes")
        pointer.update(from: other.pointer, count: count)
    }

    /// A matrix of the same values in memory of its own.
    ///
    /// - Throws: `EngineError.outOfMemory`.
    public func copied() throws(EngineError) -> Matrix {
        let copy = try Matrix(rows: rows, columns: columns)
        copy.copy(from: self)
        return copy
    }

    /// The whole matrix.
    package var view: MatrixView<Element> { rows(from: 0, count: rows) }

    /// `count` rows, the first of them at `start`.
    package func rows(from start: Int, count: Int) -> MatrixView<Element> {
        MatrixView(owner: self, pointer: pointer + start * columns, rows: count, columns: columns)
    }

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
}

extension Array where Element: KernelScalar {
    /// All numbers of a matrix, row after row.
    ///
    /// - Parameter matrix: What is copied.
    public init(_ matrix: Matrix<Element>) {
        self.init(UnsafeBufferPointer(start: matrix.pointer, count: matrix.count))
    }
}
