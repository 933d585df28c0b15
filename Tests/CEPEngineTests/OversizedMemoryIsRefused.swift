import CEPEngine
import CEPKernels
import Testing

@Suite struct OversizedMemoryIsRefused {
    /// From 4 terabytes to sizes that overflow.
    @Test(arguments: [
        [2_000_000_000, 2_000_000_000, 10], [10, 2_000_000_000, 2_000_000_000], [1_000_000, 1_000_000, 10],
        [Int(Int32.max), Int(Int32.max), Int(Int32.max)],
    ])
    func networksThatCannotBeHadAreRefused(_ sizes: [Int]) {
        let parts = [sizes[0], sizes[1], sizes[2]].filter { $0 > 10 }.map { "\($0)" }
        for feedback in [Feedback.tied, .untied(angle: 0)] {
            let configuration = NetworkConfiguration(sizes: sizes, feedback: feedback)
            expectError(EngineError.outOfMemory, saying: parts) { _ = try Network<Float>(configuration) }
            expectError(EngineError.outOfMemory, saying: parts) { _ = try Network<Double>(configuration) }
        }
    }

    @Test func oversizedMatricesAreRefused() {
        for (rows, columns) in [(Int.max, 2), (Int.max, 1), (1 << 40, 1 << 10), (3_037_000_500, 3_037_000_500)] {
            expectError(EngineError.outOfMemory, saying: ["\(rows) × \(columns)"]) {
                _ = try Matrix<Double>(rows: rows, columns: columns)
            }
        }
    }

    @Test(arguments: NumberType.allCases)
    func matricesAreZeroAndAligned(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            for (rows, columns) in [(1, 1), (3, 5), (100, 33), (0, 4), (4, 0)] {
                let matrix = try Matrix<Element>(rows: rows, columns: columns)
                #expect(matrix.rows == rows && matrix.columns == columns && matrix.count == rows * columns)
                #expect(matrix.values.allSatisfy { $0 == 0 })
                #expect(Int(bitPattern: matrix.pointer) % 64 == 0)
            }
        }
        try check(type.scalar)
    }
}
