import CEPKernels

/// L = ½ ‖s_L − y‖² for each sample; the pull is y − s_L.
struct SquaredError<Element: KernelScalar>: NamedObjective {
    static var name: String { "squared_error" }
    static var outputActivation: Activation? { nil }

    let classes: Int

    func score(_ states: UnsafePointer<Element>, rows: Int, into scores: UnsafeMutablePointer<Element>) {
        scores.update(from: states, count: rows * classes)
    }

    func loss(scores: MatrixView<Element>, targets: MatrixView<Element>) -> Double {
        squaredDistance(scores.pointer, targets.pointer, count: scores.count) / 2
    }

    func pull(
        _ states: UnsafePointer<Element>, rows: Int, targets: UnsafePointer<Element>,
        scores: UnsafeMutablePointer<Element>, into pull: UnsafeMutablePointer<Element>
    ) {
        subtract(states, from: targets, into: pull, count: rows * classes)
    }
}
