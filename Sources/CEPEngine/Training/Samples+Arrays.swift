import CEPKernels

// Samples for Swift programs, copied from arrays.

extension SampleMatrix {
    /// A copy of these values, row after row.
    ///
    /// - Parameters:
    ///   - values: One sample after another.
    ///   - columns: Values of a sample, 1 or more.
    /// - Throws: `EngineError.invalidArgument` if the number of values is not a multiple of `columns`; `.outOfMemory`.
    public init<Value: KernelScalar>(_ values: [Value], columns: Int) throws(EngineError) {
        guard columns >= 1, values.count >= columns, values.count.isMultiple(of: columns) else {
            throw .invalidArgument("\(values.count) values are not whole rows of \(columns) columns")
        }
        let matrix = try Matrix<Value>(rows: values.count / columns, columns: columns)
        matrix.pointer.update(from: values, count: values.count)
        self.init(matrix)
    }

    /// A copy of arrays of numbers, one sample each.
    ///
    /// - Parameter rows: Samples of the same length.
    /// - Throws: `EngineError.invalidArgument` for samples of different lengths; `.outOfMemory`.
    public init<Value: KernelScalar>(_ rows: [[Value]]) throws(EngineError) { self.init(try Matrix(rows)) }

    /// The rows of a matrix, which is not copied: later changes of the matrix change the samples.
    ///
    /// - Parameter matrix: One sample a row.
    public init<Value: KernelScalar>(_ matrix: Matrix<Value>) {
        let memory = UnsafeRawPointer(matrix.pointer)
        let values: Values =
            Value.self == Float.self
            ? .float32(memory.assumingMemoryBound(to: Float.self))
            : .float64(memory.assumingMemoryBound(to: Double.self))
        self.init(values, rows: matrix.rows, columns: matrix.columns, owner: matrix)
    }
}

extension Labels: ExpressibleByArrayLiteral {
    /// A copy of the class of each sample.
    ///
    /// - Parameter classes: 0 or more, less than the classes of the network.
    public init(_ classes: [Int]) {
        let copy = LabelArray(classes)
        self.init(copy.memory, count: classes.count, owner: copy)
    }

    /// The class of each sample.
    ///
    /// - Parameter classes: 0 or more, less than the classes of the network.
    public init(arrayLiteral classes: Int...) { self.init(classes) }
}

extension Samples {
    /// Inputs and the class of each row: the output unit that should have the largest state.
    ///
    /// - Parameters:
    ///   - inputs: Samples × units of the input layer.
    ///   - classes: One for each row of the inputs.
    public init(inputs: SampleMatrix, classes: [Int]) {
        self.init(inputs: inputs, targets: .classes(Labels(classes)))
    }

    /// Inputs and the target values of the output units for each row. The largest value names the class.
    ///
    /// - Parameters:
    ///   - inputs: Samples × units of the input layer.
    ///   - values: Samples × output units.
    public init(inputs: SampleMatrix, values: SampleMatrix) {
        self.init(inputs: inputs, targets: .values(values))
    }
}

/// Owns a copy of labels.
private final class LabelArray {
    let memory: UnsafeMutablePointer<Int64>

    init(_ classes: [Int]) {
        memory = .allocate(capacity: classes.count)
        for (row, label) in classes.enumerated() { (memory + row).initialize(to: Int64(label)) }
    }

    deinit { memory.deallocate() }
}
