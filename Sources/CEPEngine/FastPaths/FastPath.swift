import CEPKernels

/// The fast paths. Each gives the results of the generic stepper in less time. For measurements
/// (benchmarks/ablation.py) the environment variable CEP_WITHOUT lists those to disable, separated by commas.
enum FastPath: String {
    /// Weights packed once a phase for the products.
    case packedWeights = "packed-weights"
    /// Samples that a step left unchanged take no further steps.
    case samplesAtRest = "samples-at-rest"
    /// C-EP without writing weights.
    case continualUpdates = "continual-updates"
    /// Weights to few units changed in the memory that products use.
    case updatesInPlace = "updates-in-place"

    private static let leftOut: [String] =
        getenv("CEP_WITHOUT").map {
            String(cString: $0).split(separator: ",").map(String.init)
        } ?? []

    var isOn: Bool { !Self.leftOut.contains(rawValue) }
}
