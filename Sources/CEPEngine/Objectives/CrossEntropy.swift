import CEPKernels

/// L = −Σ_j y_j log softmax(s_L)_j for each sample, on a linear output layer; the pull is y − (Σ y) softmax(s_L).
struct CrossEntropy<Element: KernelScalar>: NamedObjective {
    static var name: String { "cross_entropy" }
    static var outputActivation: Activation? { .linear }

    let classes: Int

    func score(_ states: UnsafePointer<Element>, rows: Int, into scores: UnsafeMutablePointer<Element>) {
        scores.update(from: states, count: rows * classes)
    }

    func loss(scores: MatrixView<Element>, targets: MatrixView<Element>) -> Double {
        crossEntropy(scores: scores, targets: targets)
    }

    func pull(
        _ states: UnsafePointer<Element>, rows: Int, targets: UnsafePointer<Element>,
        scores: UnsafeMutablePointer<Element>, into pull: UnsafeMutablePointer<Element>
    ) {
        setToSoftmaxPull(states, targets: targets, rows: rows, classes: classes, into: pull)
    }
}

/// −Σ y log softmax(scores) over all samples.
@specialized(where Element == Float)
@specialized(where Element == Double)
func crossEntropy<Element: KernelScalar>(scores: MatrixView<Element>, targets: MatrixView<Element>) -> Double {
    let classes = scores.columns
    var sum = 0.0
    for row in 0..<scores.rows {
        let (score, target) = (scores.pointer + row * classes, targets.pointer + row * classes)
        let largest = Double(score[indexOfLargest(in: score, count: classes)])
        var (total, weighted, mass) = (0.0, 0.0, 0.0)
        for j in 0..<classes {
            total += exp(Double(score[j]) - largest)
            weighted += Double(target[j]) * (Double(score[j]) - largest)
            mass += Double(target[j])
        }
        sum += mass * log(total) - weighted
    }
    return sum
}

/// `pull ← y − (Σ y) softmax(scores)`, one row per sample. `pull` may be `scores`.
@specialized(where Element == Float)
@specialized(where Element == Double)
func setToSoftmaxPull<Element: KernelScalar>(
    _ scores: UnsafePointer<Element>, targets: UnsafePointer<Element>, rows: Int, classes: Int,
    into pull: UnsafeMutablePointer<Element>
) {
    for row in 0..<rows {
        let (score, target, pull) = (scores + row * classes, targets + row * classes, pull + row * classes)
        let largest = score[indexOfLargest(in: score, count: classes)]
        var (total, mass): (Element, Element) = (0, 0)
        for j in 0..<classes {
            pull[j] = Element.exponential(score[j] - largest)
            total += pull[j]
            mass += target[j]
        }
        for j in 0..<classes { pull[j] = target[j] - mass * (pull[j] / total) }
    }
}
