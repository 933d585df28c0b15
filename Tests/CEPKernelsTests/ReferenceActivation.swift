import CEPKernels
import Glibc

// The activation functions in float64, by other formulas than in the kernels.

extension Activation {
    func reference(_ x: Double) -> Double {
        switch self {
        case .shiftedSigmoid:
            // 1 / (1 + e^(−4(x − ½))) with numerator and denominator multiplied by e^(4(x − ½)) if that is small.
            let odds = exp(4 * (x - 0.5))
            return odds < 1 ? odds / (1 + odds) : 1 - 1 / (1 + odds)
        case .hardSigmoid: return min(max(x, 0), 1)
        case .tanh: return sinh(x) / cosh(x)
        case .sigmoid:
            let odds = exp(x)
            return odds < 1 ? odds / (1 + odds) : 1 - 1 / (1 + odds)
        case .halfHardSigmoid: return min(max(x / 2, 0), 1)
        case .linear, .tabulated: return x
        }
    }

    /// The same for all numbers, including those that make the exponentials overflow.
    func wideReference(_ x: Double) -> Double {
        abs(x) < 100 ? reference(x) : self == .tanh ? (x < 0 ? -1 : 1) : (x < 0 ? 0 : 1)
    }

    /// Fourth-order central difference.
    func referenceDerivative(_ x: Double) -> Double {
        let h = 1e-3
        return (8 * (reference(x + h) - reference(x - h)) - (reference(x + 2 * h) - reference(x - 2 * h))) / (12 * h)
    }

    func referenceSecondDerivative(_ x: Double) -> Double {
        let h = 1e-2
        func difference(_ h: Double) -> Double { (reference(x + h) - 2 * reference(x) + reference(x - h)) / (h * h) }
        return (4 * difference(h / 2) - difference(h)) / 3
    }
}
