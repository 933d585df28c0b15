import CEPKernels

/// Consecutive rows of a matrix, which they keep alive: what products and elementwise functions work on.
public struct MatrixView<Element: KernelScalar> {
    private let owner: Matrix<Element>
    public let pointer: UnsafeMutablePointer<Element>
    public let rows: Int
    public let columns: Int

    init(owner: Matrix<Element>, pointer: UnsafeMutablePointer<Element>, rows: Int, columns: Int) {
        self.owner = owner
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
    }

    public var count: Int { rows * columns }

    /// Part of these rows.
    func rows(from start: Int, count: Int) -> MatrixView {
        MatrixView(owner: owner, pointer: pointer + start * columns, rows: count, columns: columns)
    }

    func copy(from other: MatrixView) { pointer.update(from: other.pointer, count: count) }

    func fill(with value: Element) { pointer.update(repeating: value, count: count) }

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

    /// self ← a − b.
    func setToDifference(of a: MatrixView, and b: MatrixView) {
        subtract(b.pointer, from: a.pointer, into: pointer, count: count)
    }

    /// self ← self + scale · other.
    func add(_ other: MatrixView, scale: Element) {
        CEPKernels.add(scale, times: other.pointer, to: pointer, count: count)
    }

    /// Adds the sum of another matrix's rows, scaled, to this one row.
    func addRowSums(of other: MatrixView, scale: Element) {
        addColumnSums(of: other.pointer, rows: other.rows, columns: other.columns, scale: scale, to: pointer)
    }
}
