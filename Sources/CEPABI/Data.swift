import CCEP
import CEPEngine
import CEPKernels

// Section 4 and 5 of cep.h: what callers hand in, checked and turned into what the engine takes.

extension SampleMatrix {
    init(_ matrix: UnsafePointer<cep_matrix>?, name: String) throws(EngineError) {
        try self.init(try required(matrix, name).pointee, name: name)
    }

    init(_ matrix: cep_matrix, name: String) throws(EngineError) {
        guard matrix.rows >= 1, matrix.columns >= 1 else {
            throw .invalidArgument(
                "\(name) is \(matrix.rows) × \(matrix.columns); expected at least one row and column")
        }
        guard !matrix.rows.multipliedReportingOverflow(by: matrix.columns).overflow else {
            throw .invalidArgument("\(name) is \(matrix.rows) × \(matrix.columns), more than can be addressed")
        }
        let data = try required(matrix.data, "\(name).data")
        let values: Values
        switch Int(matrix.dtype) {
        case CEP_FLOAT32: values = .float32(try aligned(data, name))
        case CEP_FLOAT64: values = .float64(try aligned(data, name))
        default: throw .invalidArgument("\(name) has the unknown dtype \(matrix.dtype)")
        }
        self.init(values, rows: Int(matrix.rows), columns: Int(matrix.columns))
    }
}

private func aligned<Value>(_ data: UnsafeRawPointer, _ name: String) throws(EngineError) -> UnsafePointer<Value> {
    guard Int(bitPattern: data) % MemoryLayout<Value>.alignment == 0 else {
        throw .invalidArgument("\(name) is not aligned to its \(MemoryLayout<Value>.size)-byte values")
    }
    return data.assumingMemoryBound(to: Value.self)
}

extension Targets {
    init(_ targets: UnsafePointer<cep_targets>?) throws(EngineError) {
        let targets = try required(targets, "targets").pointee
        if let labels = targets.labels {
            guard targets.label_count >= 1 else {
                throw .invalidArgument("y has \(targets.label_count) labels; expected at least one")
            }
            self = .classes(try aligned(labels, "y"), count: Int(targets.label_count))
        } else {
            self = .values(try SampleMatrix(targets.values, name: "y"))
        }
    }
}

extension Samples {
    init(_ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?) throws(EngineError) {
        self.init(inputs: try SampleMatrix(x, name: "x"), targets: try Targets(targets))
    }
}

extension ProgressMonitor {
    /// To be made before the engine is at work: the function is called with the arithmetic that the thread has now.
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
