import CCEP
import CEPEngine
import CEPKernels

// Converts the arguments of C functions (pointers, options, data and progress functions) to the engine's types.

/// - Throws: `EngineError.invalidArgument` for NULL.
func required<Pointer>(_ pointer: Pointer?, _ name: String) throws(EngineError) -> Pointer {
    guard let pointer else { throw .invalidArgument("\(name) is NULL") }
    return pointer
}

/// Data of the caller.
///
/// - Throws: `EngineError.invalidArgument` for NULL, and for an address that is not aligned.
private func data<Value>(_ pointer: UnsafeRawPointer?, _ name: String) throws(EngineError) -> UnsafePointer<Value> {
    let pointer = try required(pointer, name)
    guard UInt(bitPattern: pointer) % UInt(MemoryLayout<Value>.alignment) == 0 else {
        throw .invalidArgument(
            "\(name) is not aligned: its address is not a multiple of \(MemoryLayout<Value>.alignment)")
    }
    return pointer.assumingMemoryBound(to: Value.self)
}

/// - Throws: `EngineError.invalidArgument` for NULL.
func string(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(EngineError) -> String {
    String(cString: try required(pointer, name))
}

extension Options {
    init(_ options: UnsafePointer<cep_options>?, _ name: String) throws(EngineError) {
        let options = try required(options, name).pointee
        guard options.count >= 0, options.count <= 1000 else {
            throw .invalidArgument("\(name) has \(options.count) items; expected 0 to 1000")
        }
        let items = options.count == 0 ? nil : try required(options.items, "\(name).items")
        var values: [String: Value] = [:]
        for item in UnsafeBufferPointer(start: items, count: Int(options.count)) {
            let key = try string(item.name, "the name of an option")
            guard values.updateValue(try item.value(key), forKey: key) == nil else {
                throw .invalidArgument("\(name) has \(key) twice")
            }
        }
        self.init(values)
    }
}

extension cep_option {
    fileprivate func value(_ name: String) throws(EngineError) -> Options.Value {
        guard [text == nil, numbers == nil, integers == nil].count(where: { !$0 }) <= 1 else {
            throw .invalidArgument("\(name) has more than one kind of value; expected text, numbers or integers")
        }
        if let text { return .text(String(cString: text)) }
        // A network may have a million layers. A larger count is a mistake.
        guard count >= 0, count <= 4_000_000 else {
            throw .invalidArgument("\(name) has \(count) values; expected 0 to 4000000")
        }
        if let integers { return .integers(UnsafeBufferPointer(start: integers, count: Int(count)).map { Int($0) }) }
        let numbers = count == 0 ? nil : try required(numbers, name)
        return .numbers(Array(UnsafeBufferPointer(start: numbers, count: Int(count))))
    }
}

extension SampleMatrix {
    init(_ matrix: UnsafePointer<cep_matrix>?, _ name: String) throws(EngineError) {
        try self.init(try required(matrix, name).pointee, name)
    }

    fileprivate init(_ matrix: cep_matrix, _ name: String) throws(EngineError) {
        let (rows, columns) = (matrix.rows, matrix.columns)
        guard rows >= 1, columns >= 1 else {
            throw .invalidArgument("\(name) is \(rows) × \(columns); expected at least one row and column")
        }
        guard max(rows, columns) <= largestMatrixExtent else {
            throw .invalidArgument(
                "\(name) is \(rows) × \(columns); expected at most \(largestMatrixExtent) rows and columns")
        }
        let values: Values =
            switch Int(matrix.dtype) {
            case CEP_FLOAT32: .float32(try data(matrix.data, "\(name).data"))
            case CEP_FLOAT64: .float64(try data(matrix.data, "\(name).data"))
            default: throw .invalidArgument("\(name) has the unknown dtype \(matrix.dtype)")
            }
        self.init(values, rows: Int(rows), columns: Int(columns))
    }
}

extension Targets {
    init(_ targets: UnsafePointer<cep_targets>?) throws(EngineError) {
        let targets = try required(targets, "targets").pointee
        guard let labels = targets.labels else {
            self = .values(try SampleMatrix(targets.values, "y"))
            return
        }
        guard targets.label_count >= 1, targets.label_count <= largestMatrixExtent else {
            throw .invalidArgument("y has \(targets.label_count) labels; expected 1 to \(largestMatrixExtent)")
        }
        self = .classes(Labels(try data(labels, "y"), count: Int(targets.label_count)))
    }
}

extension Samples {
    init(_ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?) throws(EngineError) {
        self.init(inputs: try SampleMatrix(x, "x"), targets: try Targets(targets))
    }
}

extension ProgressMonitor {
    /// Called before the engine starts to work, so that the functions run with the floating-point mode that the thread
    /// has now.
    convenience init(_ progress: cep_progress, countsSteps: Bool = false) {
        let context = progress.context
        let observer = progress.step.map { CStepObserver($0, context: context) }
        guard let function = progress.function else {
            self.init(countsSteps: countsSteps, observer: observer)
            return
        }
        let arithmetic = Arithmetic.current
        self.init(countsSteps: countsSteps, observer: observer) { report in
            var report = cep_progress_report(
                done: Int64(report.done), total: Int64(report.total), errors: Int64(report.errors),
                loss_sum: report.lossSum)
            return arithmetic.during { function(&report, context) != 0 }
        }
    }
}
