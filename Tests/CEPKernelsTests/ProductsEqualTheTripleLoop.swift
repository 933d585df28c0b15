import CEPKernels
import Testing

@Suite struct ProductsEqualTheTripleLoop {
    struct Shape: Sendable, CustomTestStringConvertible {
        let m: Int
        let n: Int
        let k: Int

        var testDescription: String { "\(m) × \(n) over \(k)" }
    }

    static let shapes = [
        Shape(m: 1, n: 1, k: 1), Shape(m: 2, n: 3, k: 4), Shape(m: 1, n: 6, k: 5), Shape(m: 5, n: 1, k: 7),
        Shape(m: 7, n: 4, k: 1), Shape(m: 20, n: 33, k: 17), Shape(m: 40, n: 10, k: 65),
    ]

    @Test(arguments: NumberType.allCases, shapes)
    func forAllTranspositionsAndScales(_ type: NumberType, _ shape: Shape) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var stream = NumberStream(3)
            let (m, n, k) = (shape.m, shape.n, shape.k)
            let a = stream.array(m * k, of: Element.self)
            let b = stream.array(k * n, of: Element.self)
            let before = stream.array(m * n + 3, of: Element.self)
            for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
                for (alpha, beta) in [(1.0, 0.0), (1, 1), (-0.5, 1), (2, -3), (0, 0.5)] {
                    var c = before
                    Element.multiplyMatrices(
                        transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k,
                        alpha: Element(alpha), a: a, b: b, beta: Element(beta), c: &c)
                    for i in 0..<m {
                        for j in 0..<n {
                            var sum = 0.0
                            for p in 0..<k {
                                // Row-major: a transposed factor is stored as k × m or n × k.
                                let left = transposeA ? a[p * m + i] : a[i * k + p]
                                let right = transposeB ? b[j * k + p] : b[p * n + j]
                                sum += Double(left) * Double(right)
                            }
                            let expected = alpha * sum + beta * Double(before[i * n + j])
                            #expect(
                                abs(Double(c[i * n + j]) - expected) <= Double(k) * Element.tolerance,
                                "(\(i), \(j)), transposed \(transposeA) \(transposeB), α \(alpha), β \(beta)")
                        }
                    }
                    #expect(c.suffix(3) == before.suffix(3), "what lies behind the matrix is left alone")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func withBetaZeroTheOldResultIsNotRead(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var c = [Element](repeating: .nan, count: 4)
            Element.multiplyMatrices(
                transposeA: false, transposeB: false, m: 2, n: 2, k: 1, alpha: 1, a: [1, 2], b: [3, 4], beta: 0, c: &c)
            #expect(c == [3, 4, 6, 8])
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func resultsDoNotDependOnTheRun(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var stream = NumberStream(9)
            let a = stream.array(20 * 300, of: Element.self)
            let b = stream.array(300 * 40, of: Element.self)
            func product() -> [Element] {
                var c = [Element](repeating: 0, count: 20 * 40)
                Element.multiplyMatrices(
                    transposeA: false, transposeB: false, m: 20, n: 40, k: 300, alpha: 1, a: a, b: b, beta: 0, c: &c)
                return c
            }
            let first = product()
            for _ in 0..<5 { #expect(product() == first) }
        }
        check(type.scalar)
    }
}
