import CEPKernels
import Testing

/// The products with packed and with unpacked weights. CEP_INSTRUCTION_SET selects the instruction set.
@Suite struct WeightProductsEqualTheTripleLoop {
    /// Sizes around the widths of vectors and panels of every instruction set and the heights of tiles, and two that
    /// are divided among threads.
    static let shapes: [(m: Int, n: Int, k: Int)] = [
        (1, 1, 1), (1, 10, 33), (2, 16, 7), (3, 17, 20), (4, 32, 5), (5, 33, 64), (6, 8, 40), (7, 9, 3), (9, 31, 12),
        (10, 64, 16), (11, 65, 17), (20, 10, 100), (20, 48, 1), (23, 100, 50),
        (48, 130, 90), (1, 800, 700),
    ]

    init() { WorkerPool.shared.setThreadCount(max(2, WorkerPool.shared.threadCount)) }

    @Test(arguments: NumberType.allCases, [false, true])
    func packed(_ type: NumberType, _ transposing: Bool) {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            for (m, n, k) in Self.shapes {
                let matrices = Matrices<Element>(m, n, k)
                let packed = try #require(PackedMatrix<Element>(rows: k, columns: n))
                packed.pack(transposing ? matrices.bTransposed : matrices.b, transposing: transposing)
                // The same row for all, separate rows, and the result itself.
                let row = matrices.random(n)
                var result = matrices.random(m * n)
                packed.product.multiply(matrices.a, m: m, addingTo: row, baseStride: 0, into: &result)
                matrices.expect(result) { row[$1] }

                let base = matrices.random(m * n)
                packed.product.multiply(matrices.a, m: m, addingTo: base, baseStride: n, into: &result)
                matrices.expect(result) { base[$0 * n + $1] }

                result = base
                result.withUnsafeMutableBufferPointer { place in
                    guard let place = place.baseAddress else { return }
                    packed.product.multiply(matrices.a, m: m, addingTo: place, baseStride: n, into: place)
                }
                matrices.expect(result) { base[$0 * n + $1] }
            }
        }
        #expect(throws: Never.self) { try check(type.scalar) }
    }

    @Test(arguments: NumberType.allCases)
    func aRowDoesNotDependOnTheOthers(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            for (m, n, k) in Self.shapes {
                let matrices = Matrices<Element>(m, n, k)
                let packed = try #require(PackedMatrix<Element>(rows: k, columns: n))
                packed.pack(matrices.b, transposing: false)
                let zero = [Element](repeating: 0, count: n)
                var all = [Element](repeating: 0, count: m * n)
                packed.product.multiply(matrices.a, m: m, addingTo: zero, baseStride: 0, into: &all)
                for row in 0..<m {
                    var alone = [Element](repeating: 0, count: n)
                    let a = Array(matrices.a[row * k..<(row + 1) * k])
                    packed.product.multiply(a, m: 1, addingTo: zero, baseStride: 0, into: &alone)
                    #expect(alone == Array(all[row * n..<(row + 1) * n]), "row \(row) of \(m) × \(n) over \(k)")
                }
            }
        }
        #expect(throws: Never.self) { try check(type.scalar) }
    }

    /// Threads share rows: results must not depend on the height of a tile or of a part.
    @Test(arguments: NumberType.allCases)
    func rowsDoNotDependOnThePartTheyAreIn(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for (m, n, k) in Self.shapes {
                let matrices = Matrices<Element>(m, n, k)
                let base = matrices.random(m * n)
                func cut(intoRows height: Int) -> [Element] {
                    var result = base
                    for first in stride(from: 0, to: m, by: height) {
                        setToTransposedProduct(
                            matrices.aTransposed, matrices.b, m: m, n: n, k: k, rows: first..<min(first + height, m),
                            scale: 0.3, addingTo: base, into: &result)
                    }
                    return result
                }
                let whole = cut(intoRows: m)
                for height in 1...min(m, 12) {
                    #expect(cut(intoRows: height) == whole, "\(height) of the rows of \(m) × \(n) over \(k)")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func withTheTransposeAsItLies(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for (m, n, k) in Self.shapes {
                let matrices = Matrices<Element>(m, n, k)
                // No base, the same row for all, and the result itself.
                let row = matrices.random(n)
                let base = matrices.random(m * n)
                var result = base
                func multiply(addingTo base: UnsafePointer<Element>?, baseStride: Int) {
                    multiplyTransposed(
                        matrices.a, matrices.bTransposed, m: m, n: n, k: k, addingTo: base, baseStride: baseStride,
                        into: &result)
                }
                multiply(addingTo: nil, baseStride: 0)
                matrices.expect(result) { _, _ in 0 }
                multiply(addingTo: row, baseStride: 0)
                matrices.expect(result) { row[$1] }

                result = base
                result.withUnsafeMutableBufferPointer { place in
                    guard let place = place.baseAddress else { return }
                    multiplyTransposed(
                        matrices.a, matrices.bTransposed, m: m, n: n, k: k, addingTo: place, baseStride: n, into: place)
                }
                matrices.expect(result) { base[$0 * n + $1] }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, [false, true])
    func addedAsTheyLie(_ type: NumberType, _ transposed: Bool) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for (m, n, k) in Self.shapes {
                let matrices = Matrices<Element>(m, n, k)
                let before = matrices.random(m * n)
                var result = before
                if transposed {
                    addTransposedProduct(
                        matrices.aTransposed, matrices.b, m: m, n: n, k: k, scale: -0.5, to: &result)
                } else {
                    addProduct(matrices.a, matrices.b, m: m, n: n, k: k, scale: -0.5, to: &result)
                }
                matrices.expect(result, scale: -0.5) { before[$0 * n + $1] }
            }
        }
        check(type.scalar)
    }
}

/// Factors of a product of m × k and k × n, and the memory after them.
private final class Matrices<Element: KernelScalar> {
    let (m, n, k): (Int, Int, Int)
    let a: [Element]
    let b: [Element]
    private var stream: NumberStream

    init(_ m: Int, _ n: Int, _ k: Int) {
        var stream = NumberStream(UInt64(m * 10_000 + n * 100 + k))
        (self.m, self.n, self.k) = (m, n, k)
        a = stream.array(m * k)
        b = stream.array(k * n)
        self.stream = stream
    }

    var aTransposed: [Element] { (0..<k).flatMap { column in (0..<m).map { self.a[$0 * k + column] } } }
    var bTransposed: [Element] { (0..<n).flatMap { column in (0..<k).map { self.b[$0 * n + column] } } }

    /// Random numbers, and a few more after them that must not be changed.
    func random(_ count: Int) -> [Element] { stream.array(count) + [7, 7, 7] }

    func expect(_ result: [Element], scale: Double = 1, base: (_ row: Int, _ column: Int) -> Element) {
        for row in 0..<m {
            for column in 0..<n {
                let sum = (0..<k).reduce(0.0) { $0 + Double(a[row * k + $1]) * Double(b[$1 * n + column]) }
                let expected = Double(base(row, column)) + scale * sum
                #expect(
                    abs(Double(result[row * n + column]) - expected) <= Double(k + 1) * Element.tolerance,
                    "(\(row), \(column)) of \(m) × \(n) over \(k)")
            }
        }
        #expect(result.suffix(3) == [7, 7, 7], "what lies behind \(m) × \(n) is left alone")
    }
}
