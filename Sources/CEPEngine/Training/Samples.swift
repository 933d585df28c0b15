import CEPKernels

/// One sample per row, in either number type, which may differ from the network's.
///
/// It is created from arrays or a `Matrix`, and keeps their memory.
public struct SampleMatrix {
    package enum Values {
        case float32(UnsafePointer<Float>)
        case float64(UnsafePointer<Double>)
    }

    package let values: Values
    /// The number of samples.
    public let rows: Int
    /// The number of values of a sample.
    public let columns: Int
    /// Keeps the memory alive; nil if the caller does.
    private let owner: AnyObject?

    /// A matrix in the caller's memory, which must stay valid while the matrix is used.
    package init(_ values: Values, rows: Int, columns: Int) {
        self.init(values, rows: rows, columns: columns, owner: nil)
    }

    init(_ values: Values, rows: Int, columns: Int, owner: AnyObject?) {
        self.values = values
        self.rows = rows
        self.columns = columns
        self.owner = owner
    }

    /// Writes one row, converted to the number type of the network.
    func copyRow<Element: KernelScalar>(_ row: Int, into destination: UnsafeMutablePointer<Element>) {
        switch values {
        case .float32(let pointer): convert(pointer + row * columns, into: destination, count: columns)
        case .float64(let pointer): convert(pointer + row * columns, into: destination, count: columns)
        }
    }

    /// - Parameters:
    ///   - name: The caller's name of this matrix.
    ///   - layer: The layer it belongs to, for messages: "input" or "output".
    ///   - type: The number type of the network, in which every value must be finite.
    func validate<Element: KernelScalar>(
        name: String, layer: String, units: Int, as type: Element.Type
    ) throws(EngineError) {
        try validateShape(name: name, layer: layer, units: units)
        try validateValues(of: SampleRows(0..<rows), name: name, as: type)
    }

    func validateShape(name: String, layer: String, units: Int) throws(EngineError) {
        guard rows >= 1, rows <= largestMatrixExtent else {
            throw .invalidArgument("\(name) has \(rows) rows; expected 1 to \(largestMatrixExtent)")
        }
        guard columns == units else {
            throw .invalidArgument("\(name) has \(columns) columns; the network's \(layer) layer has \(units) units")
        }
    }

    func validateValues<Element: KernelScalar>(
        of rows: SampleRows, name: String, as type: Element.Type
    ) throws(EngineError) {
        let parts = sharedCopyParts(of: rows.count * columns)
        let smallest = try Integers(upTo: parts)
        WorkerPool.shared.run(parts: parts, of: rows.count) { part, range in
            smallest[part] = rows.smallest(in: range) { firstNonFinite(inRow: $0, as: type) != nil } ?? .max
        }
        if let first = smallest.min(), first < .max, let column = firstNonFinite(inRow: first, as: type) {
            throw .invalidArgument(
                "\(name) has a value that is not finite (NaN or infinity, or too large for the network's dtype), "
                    + "in row \(first), column \(column)")
        }
    }

    private func firstNonFinite<Element: KernelScalar>(inRow row: Int, as type: Element.Type) -> Int? {
        switch values {
        case .float32(let pointer):
            CEPKernels.firstNonFinite(in: pointer + row * columns, count: columns, as: type)
        case .float64(let pointer):
            CEPKernels.firstNonFinite(in: pointer + row * columns, count: columns, as: type)
        }
    }
}

/// The class of each sample: `[3, 0, 9]`, or `Labels(classes)` for an array.
public struct Labels {
    let pointer: UnsafePointer<Int64>
    /// The number of samples.
    public let count: Int
    private let owner: AnyObject?

    /// Labels in the caller's memory, which must stay valid while they are used.
    package init(_ pointer: UnsafePointer<Int64>, count: Int) { self.init(pointer, count: count, owner: nil) }

    init(_ pointer: UnsafePointer<Int64>, count: Int, owner: AnyObject?) {
        self.pointer = pointer
        self.count = count
        self.owner = owner
    }
}

/// The targets of the samples.
public enum Targets {
    /// The class of each sample: the target is 1 at that unit and 0 elsewhere.
    case classes(Labels)
    /// Target values, samples × output units.
    case values(SampleMatrix)

    var count: Int {
        switch self {
        case .classes(let labels): labels.count
        case .values(let matrix): matrix.rows
        }
    }

    /// - Throws: `EngineError.invalidArgument` for a label out of range: labels have been checked, but the progress
    ///   function or another thread may have changed them since.
    func copyRow<Element: KernelScalar>(
        _ row: Int, into destination: UnsafeMutablePointer<Element>, units: Int
    ) throws(EngineError) {
        switch self {
        case .classes(let labels):
            let label = Int(labels.pointer[row])
            guard label >= 0, label < units else { throw wrongLabel(label, row: row, units: units) }
            destination.update(repeating: 0, count: units)
            destination[label] = 1
        case .values(let matrix): matrix.copyRow(row, into: destination)
        }
    }

    func validate<Element: KernelScalar>(rows: Int, units: Int, as type: Element.Type) throws(EngineError) {
        try validateShape(rows: rows, units: units)
        try validateValues(of: SampleRows(0..<rows), units: units, as: type)
    }

    func validateShape(rows: Int, units: Int) throws(EngineError) {
        guard count == rows else {
            throw .invalidArgument("y has \(count) targets for the \(rows) rows of x")
        }
        if case .values(let matrix) = self { try matrix.validateShape(name: "y", layer: "output", units: units) }
    }

    func validateValues<Element: KernelScalar>(
        of rows: SampleRows, units: Int, as type: Element.Type
    ) throws(EngineError) {
        switch self {
        case .classes(let labels):
            let row = rows.smallest(in: 0..<rows.count) { labels.pointer[$0] < 0 || labels.pointer[$0] >= units }
            if let row {
                throw wrongLabel(Int(labels.pointer[row]), row: row, units: units)
            }
        case .values(let matrix): try matrix.validateValues(of: rows, name: "y", as: type)
        }
    }

    private func wrongLabel(_ label: Int, row: Int, units: Int) -> EngineError {
        .invalidArgument(
            "y has the label \(label) in row \(row); the network's \(units) output units stand for the labels 0 to "
                + "\(units - 1)")
    }
}

/// Samples for training or evaluation.
public struct Samples {
    /// Samples × units of the input layer.
    public let inputs: SampleMatrix
    /// The target of each sample.
    public let targets: Targets

    /// - Parameters:
    ///   - inputs: Samples × units of the input layer.
    ///   - targets: One for each row of the inputs.
    public init(inputs: SampleMatrix, targets: Targets) {
        self.inputs = inputs
        self.targets = targets
    }

    /// Checks shapes and all numbers.
    ///
    /// - Parameter network: The network that will use the samples.
    /// - Throws: `EngineError.invalidArgument` if they do not fit the network.
    public func validate<Element>(for network: Network<Element>) throws(EngineError) {
        try validateShape(for: network)
        try validateValues(of: SampleRows(0..<inputs.rows), for: network)
    }

    func validateShape<Element>(for network: Network<Element>) throws(EngineError) {
        try inputs.validateShape(name: "x", layer: "input", units: network.sizes[0])
        try targets.validateShape(rows: inputs.rows, units: network.outputSize)
    }

    /// - Parameter rows: The rows about to be used, so that a few rows of a large data set are checked quickly.
    func validateValues<Element>(of rows: SampleRows, for network: Network<Element>) throws(EngineError) {
        try inputs.validateValues(of: rows, name: "x", as: Element.self)
        try targets.validateValues(of: rows, units: network.outputSize, as: Element.self)
    }
}

/// A batch: a state with the input clamped, and the targets.
public struct ClampedBatch<Element: KernelScalar> {
    /// The states that phases move.
    public let state: NetworkState<Element>
    /// Batch × output units.
    public let target: Matrix<Element>
}

extension SampleMatrix {
    /// Writes the given rows into the input layer of a state.
    func clamp<Element>(_ rows: SampleRows, into state: NetworkState<Element>) {
        let destination = state.layers[0].pointer
        let parts = sharedCopyParts(of: rows.count * columns)
        WorkerPool.shared.run(parts: parts, of: rows.count) { _, range in
            for i in range { copyRow(rows[i], into: destination + i * columns) }
        }
    }
}

extension Targets {
    /// The targets of the given rows, rows × units.
    func matrix<Element>(of rows: SampleRows, units: Int) throws(EngineError) -> Matrix<Element> {
        let target = try Matrix<Element>(rows: rows.count, columns: units)
        for i in 0..<rows.count { try copyRow(rows[i], into: target.pointer + i * units, units: units) }
        return target
    }
}
