import CEPEngine

// Functions that take a closure are declared `throws`, not `rethrows`: with `rethrows`, Swift 6.3.1 loses errors if the
// closure's argument is an enumeration with several payloads.

/// Samples in Swift arrays, and the number type in which they are passed to the engine.
struct Dataset: Sendable {
    enum Wanted: Sendable {
        case labels([Int64])
        case values([[Double]])
    }

    var inputs: [[Double]]
    var wanted: Wanted
    var type = NumberType.float64

    /// Random inputs in [0, 1] and random labels.
    static func random(_ rows: Int, inputs: Int, classes: Int, seed: UInt64 = 1) -> Dataset {
        var stream = NumberStream(seed)
        let x = stream.matrix(rows, inputs)
        let labels = (0..<rows).map { _ in Int64(stream.index(below: classes)) }
        return Dataset(inputs: x, wanted: .labels(labels))
    }

    /// The rows with these indices, in their order.
    func rows(_ indices: some Collection<Int>) -> Dataset {
        var part = self
        part.inputs = indices.map { inputs[$0] }
        switch wanted {
        case .labels(let labels): part.wanted = .labels(indices.map { labels[$0] })
        case .values(let values): part.wanted = .values(indices.map { values[$0] })
        }
        return part
    }

    /// The targets as numbers: one-hot for labels.
    func targetRows(units: Int) -> [[Double]] {
        switch wanted {
        case .values(let values): values
        case .labels(let labels): labels.map { label in (0..<units).map { $0 == Int(label) ? 1 : 0 } }
        }
    }

    func withSamples<Result>(_ body: (Samples) throws -> Result) throws -> Result {
        try withMatrix(inputs, type) { x in
            try wanted.withTargets(type) { try body(Samples(inputs: x, targets: $0)) }
        }
    }
}

extension Dataset.Wanted {
    func withTargets<Result>(_ type: NumberType, _ body: (Targets) throws -> Result) throws -> Result {
        switch self {
        case .values(let values): return try withMatrix(values, type) { try body(.values($0)) }
        case .labels(let labels):
            // One extra element, so that the pointer is valid if there are no labels.
            return try (labels + [0]).withUnsafeBufferPointer {
                try body(.classes(Labels($0.baseAddress.unsafelyUnwrapped, count: labels.count)))
            }
        }
    }
}

/// Passes rows of numbers as a matrix of the engine.
func withMatrix<Result>(
    _ rows: [[Double]], _ type: NumberType, _ body: (SampleMatrix) throws -> Result
) throws -> Result {
    let columns = rows.first?.count ?? 0
    let flat: [Double] = Array(rows.joined()) + [0]
    switch type {
    case .float32:
        return try flat.map { Float($0) }.withUnsafeBufferPointer {
            try body(SampleMatrix(.float32($0.baseAddress.unsafelyUnwrapped), rows: rows.count, columns: columns))
        }
    case .float64:
        return try flat.withUnsafeBufferPointer {
            try body(SampleMatrix(.float64($0.baseAddress.unsafelyUnwrapped), rows: rows.count, columns: columns))
        }
    }
}
