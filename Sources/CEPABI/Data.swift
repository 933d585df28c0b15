import CCEP
import CEPEngine
import CEPKernels

// Section 4 and 5 of cep.h: what callers hand in, checked and turned into what the engine takes.

extension Arguments {
    mutating func matrix(_ matrix: UnsafePointer<cep_matrix>?, _ name: String) throws(EngineError) -> SampleMatrix {
        try self.matrix(try reads(matrix, name).pointee, name)
    }

    private mutating func matrix(_ matrix: cep_matrix, _ name: String) throws(EngineError) -> SampleMatrix {
        guard matrix.rows >= 1, matrix.columns >= 1 else {
            throw .invalidArgument(
                "\(name) is \(matrix.rows) × \(matrix.columns); expected at least one row and column")
        }
        // So that a number gone wrong is not taken for memory.
        guard max(matrix.rows, matrix.columns) <= largestMatrixExtent else {
            throw .invalidArgument(
                "\(name) is \(matrix.rows) × \(matrix.columns); expected at most \(largestMatrixExtent) rows and columns"
            )
        }
        let count = Int(matrix.rows * matrix.columns)
        let values: SampleMatrix.Values
        switch Int(matrix.dtype) {
        case CEP_FLOAT32: values = .float32(try self.values(matrix.data, count, name))
        case CEP_FLOAT64: values = .float64(try self.values(matrix.data, count, name))
        default: throw .invalidArgument("\(name) has the unknown dtype \(matrix.dtype)")
        }
        return SampleMatrix(values, rows: Int(matrix.rows), columns: Int(matrix.columns))
    }

    private mutating func values<Value>(
        _ data: UnsafeRawPointer?, _ count: Int, _ name: String
    ) throws(EngineError) -> UnsafePointer<Value> {
        try reads(data?.assumingMemoryBound(to: Value.self), count: count, "\(name).data")
    }

    mutating func targets(_ targets: UnsafePointer<cep_targets>?) throws(EngineError) -> Targets {
        let targets = try reads(targets, "targets").pointee
        if let labels = targets.labels {
            guard targets.label_count >= 1, targets.label_count <= largestMatrixExtent else {
                throw .invalidArgument(
                    "y has \(targets.label_count) labels; expected 1 to \(largestMatrixExtent)")
            }
            let count = Int(targets.label_count)
            return .classes(Labels(try reads(labels, count: count, "y"), count: count))
        }
        return .values(try matrix(targets.values, "y"))
    }

    mutating func samples(
        _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?
    ) throws(EngineError) -> Samples {
        Samples(inputs: try matrix(x, "x"), targets: try self.targets(targets))
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
