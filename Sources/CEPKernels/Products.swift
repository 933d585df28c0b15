import COpenBLAS
import CVectorKernels

// Matrix products: the layout of matrices for our own kernel, and the number of threads.
//
// Weights are constant during a phase, so it pays to pack them once and to multiply with our own kernel, which runs at
// nearly the processor's peak on the narrow matrices of a batch; a general library packs at every call. Updates of
// weights, and the gradients sent back through connections, use OpenBLAS (MatrixView.setToProduct).

/// The minimum number of multiplications of a part that is given to another thread: a few microseconds.
private let minimumTaskWork = 1 << 18

/// The layout of a matrix in memory for products.
public enum PackedLayout {
    /// Panels of a few columns, each in row-major order.
    case panels
    /// Row-major, for matrices with few rows and short sums.
    case rows
    /// Column-major, for matrices with few columns, which would leave a panel mostly empty.
    case columns

    public init(rows: Int, columns: Int) {
        let (few, many) = (16, 64)
        self = columns <= few && rows >= many ? .columns : rows <= few && columns >= many ? .rows : .panels
    }
}

/// A matrix packed for products.
public final class PackedMatrix<Element: KernelScalar> {
    /// Its products. Valid while this object is alive.
    public let product: PackedProduct<Element>

    /// - Parameter layout: nil to choose it by the shape.
    /// - Returns: nil if memory is not available.
    public init?(rows: Int, columns: Int, layout: PackedLayout? = nil) {
        let layout = layout ?? PackedLayout(rows: rows, columns: columns)
        let bytes = Self.byteCount(rows: rows, columns: columns, layout: layout)
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, max(bytes, 64)) == 0, let memory else { return nil }
        // The last panel may have columns that are read but never written.
        memset(memory, 0, max(bytes, 64))
        product = PackedProduct(
            rows: rows, columns: columns, panels: Self.panels(columns: columns),
            layout: layout, memory: memory)
    }

    deinit { free(product.memory) }

    /// The memory that a matrix of this shape needs.
    public static func byteCount(rows: Int, columns: Int, layout: PackedLayout) -> Int {
        let width = layout == .panels ? panels(columns: columns) * Element.vectorKernels.panel_columns : columns
        return width * rows * MemoryLayout<Element>.stride
    }

    private static func panels(columns: Int) -> Int {
        let width = Element.vectorKernels.panel_columns
        return (columns + width - 1) / width
    }

    /// Packs a matrix of this shape, or its transpose if `transposing`.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func pack(_ matrix: UnsafePointer<Element>, transposing: Bool) {
        let kernels = Element.vectorKernels
        let (rows, columns, panels) = (product.rows, product.columns, product.panels)
        let memory = product.memory
        guard product.layout == .panels else {
            let isAsItLies = transposing == (product.layout == .columns)
            let (lines, length) = product.layout == .columns ? (columns, rows) : (rows, columns)
            let place = memory.assumingMemoryBound(to: Element.self)
            if isAsItLies {
                place.update(from: matrix, count: lines * length)
            } else {
                transpose(matrix, rows: length, columns: lines, into: place)
            }
            return
        }
        let parts = partCount(units: panels, work: rows * columns)
        WorkerPool.shared.run(parts: parts, of: panels) { _, panels in
            kernels.pack(
                matrix, rows, columns, transposing ? rows : columns, transposing ? 1 : 0, memory, panels.lowerBound,
                panels.upperBound)
        }
    }
}

/// Products with a packed matrix. It holds no reference, so that threads can share it without reference counting.
public struct PackedProduct<Element: KernelScalar> {
    public let rows: Int
    public let columns: Int
    @usableFromInline let panels: Int
    public let layout: PackedLayout
    public let memory: UnsafeMutableRawPointer

    /// Products with the transposed matrix, in the same memory; nil for panels.
    public var transposed: PackedProduct? {
        layout == .panels
            ? nil
            : PackedProduct(
                rows: columns, columns: rows, panels: panels, layout: layout == .rows ? .columns : .rows,
                memory: memory)
    }

    /// c[m × columns] ← base + a[m × rows] · self
    ///
    /// - Parameter baseStride: The distance between rows of the base: 0 if all rows use the same one.
    @inlinable
    public func multiply(
        _ a: UnsafePointer<Element>, m: Int, addingTo base: UnsafePointer<Element>, baseStride: Int,
        into c: UnsafeMutablePointer<Element>
    ) {
        let kernels = Element.vectorKernels
        switch layout {
        case .panels:
            let parts = partCount(units: panels, work: m * rows * columns)
            WorkerPool.shared.run(parts: parts, of: panels) { _, panels in
                kernels.multiply(
                    m, columns, rows, a, memory, base, baseStride, c, panels.lowerBound, panels.upperBound)
            }
        case .columns:
            kernels.multiply_transposed(m, columns, rows, a, memory, base, baseStride, c, 0, columns)
        case .rows:
            kernels.add_product(m, columns, rows, 1, a, rows, 1, memory, base, baseStride, c)
        }
    }
}

/// c[m × n] ← base + a[m × k] · b[n × k] transposed, with b in row-major order.
///
/// - Parameters:
///   - base: May be c itself; nil for zeros.
///   - baseStride: The distance between rows of the base: 0 if all rows use the same one.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func multiplyTransposed<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, m: Int, n: Int, k: Int,
    addingTo base: UnsafePointer<Element>?, baseStride: Int, into c: UnsafeMutablePointer<Element>
) {
    let kernels = Element.vectorKernels
    // Columns are computed in groups of four.
    let fours = (n + 3) / 4
    let parts = partCount(units: fours, work: m * n * k)
    WorkerPool.shared.run(parts: parts, of: fours) { _, fours in
        kernels.multiply_transposed(
            m, n, k, a, b, base, baseStride, c, fours.lowerBound * 4, min(fours.upperBound * 4, n))
    }
}

/// c[m × n] ← c + scale · a[m × k] · b[k × n], both in row-major order: for b with few rows.
public func addProduct<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, m: Int, n: Int, k: Int, scale: Element,
    to c: UnsafeMutablePointer<Element>
) {
    addProduct(a, strides: (row: k, column: 1), b, m: m, n: n, k: k, scale: scale, to: c)
}

/// c[m × n] ← c + scale · a[k × m] transposed · b[k × n], both in row-major order: for a and b with few rows.
public func addTransposedProduct<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, m: Int, n: Int, k: Int, scale: Element,
    to c: UnsafeMutablePointer<Element>
) {
    addProduct(a, strides: (row: 1, column: m), b, m: m, n: n, k: k, scale: scale, to: c)
}

/// Rows `rows` of c ← base + scale · a[k × m] transposed · b[k × n], on this thread.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func setToTransposedProduct<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, m: Int, n: Int, k: Int, rows: Range<Int>,
    scale: Element, addingTo base: UnsafePointer<Element>, into c: UnsafeMutablePointer<Element>
) {
    let first = rows.lowerBound
    Element.vectorKernels.add_product(
        rows.count, n, k, Double(scale), a + first, 1, m, b, base + first * n, n, c + first * n)
}

/// to[columns × rows] ← from[rows × columns] transposed.
///
/// - Parameters:
///   - fromStride: The distance between rows; nil for `columns`.
///   - toStride: The same for the result; nil for `rows`.
public func transpose<Element: KernelScalar>(
    _ from: UnsafePointer<Element>, rows: Int, columns: Int, fromStride: Int? = nil,
    into to: UnsafeMutablePointer<Element>, toStride: Int? = nil
) {
    Element.vectorKernels.transpose(from, rows, columns, fromStride ?? columns, to, toStride ?? rows)
}

@specialized(where Element == Float)
@specialized(where Element == Double)
private func addProduct<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, strides: (row: Int, column: Int), _ b: UnsafePointer<Element>, m: Int, n: Int,
    k: Int, scale: Element, to c: UnsafeMutablePointer<Element>
) {
    let kernels = Element.vectorKernels
    let parts = partCount(units: m, work: m * n * k)
    WorkerPool.shared.run(parts: parts, of: m) { _, rows in
        let first = rows.lowerBound
        kernels.add_product(
            rows.count, n, k, Double(scale), a + first * strides.row, strides.row, strides.column,
            b, c + first * n, n, c + first * n)
    }
}

/// The number of parts into which a loop over `units` with this many multiplications is divided.
@usableFromInline
package func partCount(units: Int, work: Int) -> Int {
    max(1, min(WorkerPool.shared.threadCount, units, work / minimumTaskWork))
}

extension Float {
    public static func multiplyMatrices(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
        alpha: Float, a: UnsafePointer<Float>, b: UnsafePointer<Float>,
        beta: Float, c: UnsafeMutablePointer<Float>
    ) {
        let isDone = OpenBLAS.onOneThread {
            cblas_sgemm(
                CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
                blasint(m), blasint(n), blasint(k),
                alpha, a, blasint(transposeA ? m : k), b, blasint(transposeB ? k : n), beta, c, blasint(n))
        }
        if !isDone {
            multiplyPlainly(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: alpha, a: a, b: b, beta: beta,
                c: c)
        }
    }
}

extension Double {
    public static func multiplyMatrices(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
        alpha: Double, a: UnsafePointer<Double>, b: UnsafePointer<Double>,
        beta: Double, c: UnsafeMutablePointer<Double>
    ) {
        let isDone = OpenBLAS.onOneThread {
            cblas_dgemm(
                CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
                blasint(m), blasint(n), blasint(k),
                alpha, a, blasint(transposeA ? m : k), b, blasint(transposeB ? k : n), beta, c, blasint(n))
        }
        if !isDone {
            multiplyPlainly(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: alpha, a: a, b: b, beta: beta,
                c: c)
        }
    }
}

/// The largest extent of a matrix in a product: OpenBLAS uses 32-bit integers.
public let largestMatrixExtent = Int(Int32.max)
