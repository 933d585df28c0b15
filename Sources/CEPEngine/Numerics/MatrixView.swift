import CEPKernels

/// Consecutive rows of a matrix, for products and elementwise functions. A view keeps the matrix alive.
package struct MatrixView<Element: KernelScalar> {
    private let owner: Matrix<Element>
    package let pointer: UnsafeMutablePointer<Element>
    package let rows: Int
    package let columns: Int

    init(owner: Matrix<Element>, pointer: UnsafeMutablePointer<Element>, rows: Int, columns: Int) {
        self.owner = owner
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
    }

    package var count: Int { rows * columns }

    /// Part of these rows.
    func rows(_ range: Range<Int>) -> MatrixView {
        MatrixView(owner: owner, pointer: pointer + range.lowerBound * columns, rows: range.count, columns: columns)
    }

    /// The first value of a row.
    func row(_ row: Int) -> UnsafeMutablePointer<Element> { pointer + row * columns }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func copy(from other: MatrixView) { pointer.update(from: other.pointer, count: count) }

    func setToZero() { CEPKernels.setToZero(pointer, count: count) }

    /// self ← α op(a) op(b) + β self.
    func setToProduct(
        of a: MatrixView, transposingFirst: Bool = false, and b: MatrixView, transposingSecond: Bool = false,
        scale alpha: Element = 1, keeping beta: Element = 0
    ) {
        Element.multiplyMatrices(
            transposeA: transposingFirst, transposeB: transposingSecond,
            m: rows, n: columns, k: transposingFirst ? a.rows : a.columns,
            alpha: alpha, a: a.pointer, b: b.pointer, beta: beta, c: pointer)
    }

    /// self ← self + a bᵀ.
    func addProduct(of a: MatrixView, andTransposed b: MatrixView) {
        multiplyTransposed(
            a.pointer, b.pointer, m: a.rows, n: b.rows, k: a.columns, addingTo: pointer, baseStride: columns,
            into: pointer)
    }

    /// self ← a bᵀ.
    func setToProduct(of a: MatrixView, andTransposed b: MatrixView) {
        multiplyTransposed(
            a.pointer, b.pointer, m: a.rows, n: b.rows, k: a.columns, addingTo: nil, baseStride: 0, into: pointer)
    }

    /// self ← a bᵀ, and `row` added to each row.
    func setToProduct(of a: MatrixView, andTransposed b: MatrixView, addingToEachRow row: MatrixView) {
        multiplyTransposed(
            a.pointer, b.pointer, m: a.rows, n: b.rows, k: a.columns, addingTo: row.pointer, baseStride: 0,
            into: pointer)
    }

    /// self ← self + scale · aᵀ b, for a and b with few rows.
    func addOuterProduct(of a: MatrixView, and b: MatrixView, scale: Element) {
        addTransposedProduct(
            a.pointer, b.pointer, m: a.columns, n: b.columns, k: a.rows, scale: scale, to: pointer)
    }

    /// self ← a − b.
    func setToDifference(of a: MatrixView, and b: MatrixView) {
        subtract(b.pointer, from: a.pointer, into: pointer, count: count)
    }

    /// self ← a + scale · b.
    func setToSum(of a: MatrixView, and b: MatrixView, scale: Element) {
        CEPKernels.setToSum(of: a.pointer, and: b.pointer, scale: scale, into: pointer, count: count)
    }

    /// self ← self + scale · other.
    func add(_ other: MatrixView, scale: Element) {
        CEPKernels.add(scale, times: other.pointer, to: pointer, count: count)
    }

    /// Adds the scaled sum of another matrix's rows to this single row.
    func addRowSums(of other: MatrixView, scale: Element) {
        addColumnSums(of: other.pointer, rows: other.rows, columns: other.columns, scale: scale, to: pointer)
    }
}
