// Samples for Swift programs: copied from arrays, and kept with what is made of them.

extension SampleMatrix {
    /// A matrix of these values, row after row.
    ///
    /// - Throws: `EngineError.invalidArgument` where they are no whole rows of so many columns.
    public init(_ values: [Float], columns: Int) throws(EngineError) {
        let copy = CopiedArray(values)
        try self.init(.float32(copy.pointer), count: values.count, columns: columns, owner: copy)
    }

    /// A matrix of these values, row after row.
    ///
    /// - Throws: `EngineError.invalidArgument` where they are no whole rows of so many columns.
    public init(_ values: [Double], columns: Int) throws(EngineError) {
        let copy = CopiedArray(values)
        try self.init(.float64(copy.pointer), count: values.count, columns: columns, owner: copy)
    }

    private init(_ values: Values, count: Int, columns: Int, owner: AnyObject) throws(EngineError) {
        guard columns >= 1, count >= columns, count.isMultiple(of: columns) else {
            throw .invalidArgument("\(count) values are no whole rows of \(columns) columns")
        }
        self.init(values, rows: count / columns, columns: columns, owner: owner)
    }
}

extension Samples {
    /// Inputs, and the class of each row: the output unit that is to have the largest state.
    public init(inputs: SampleMatrix, classes: [Int]) {
        let copy = CopiedArray(classes.map { Int64($0) })
        self.init(inputs: inputs, targets: .classes(Labels(copy.pointer, count: classes.count, owner: copy)))
    }

    /// Inputs, and what the output units are to be for each row. The largest value names the class.
    public init(inputs: SampleMatrix, values: SampleMatrix) {
        self.init(inputs: inputs, targets: .values(values))
    }
}

/// Memory that a copy of an array stays in.
private final class CopiedArray<Value: BitwiseCopyable> {
    private let memory: UnsafeMutablePointer<Value>

    var pointer: UnsafePointer<Value> { UnsafePointer(memory) }

    init(_ values: [Value]) {
        memory = .allocate(capacity: values.count)
        memory.initialize(from: values, count: values.count)
    }

    deinit { memory.deallocate() }
}
