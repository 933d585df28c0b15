import CVectorKernels

/// The activation functions σ (or ρ) a layer can have.
@frozen
public enum Activation: String, Sendable, CaseIterable {
    /// 1 / (1 + e^(−4(x − ½))): between 0 and 1, slope 1 at ½.
    case shiftedSigmoid = "shifted_sigmoid"
    /// min(max(x, 0), 1), with derivative 1 on the closed interval [0, 1].
    case hardSigmoid = "hard_sigmoid"
    case tanh
    /// 1 / (1 + e^−x).
    case sigmoid
    /// min(max(x / 2, 0), 1), with derivative ½ on the closed interval [0, 2].
    case halfHardSigmoid = "half_hard_sigmoid"
    /// x itself: the activation of the output layer with cross-entropy.
    case linear
    /// A measured curve, which the engine evaluates. It is not in `allCases`, because its points belong to a network.
    case tabulated

    /// The activations that the kernels implement.
    public static let allCases: [Activation] = [
        .shiftedSigmoid, .hardSigmoid, .tanh, .sigmoid, .halfHardSigmoid, .linear,
    ]

    /// Its number in the C kernels.
    public var kernel: Int32 {
        switch self {
        case .shiftedSigmoid: Int32(CEP_KERNEL_SHIFTED_SIGMOID)
        case .hardSigmoid: Int32(CEP_KERNEL_HARD_SIGMOID)
        case .tanh: Int32(CEP_KERNEL_TANH)
        case .sigmoid: Int32(CEP_KERNEL_SIGMOID)
        case .halfHardSigmoid: Int32(CEP_KERNEL_HALF_HARD_SIGMOID)
        case .linear, .tabulated: Int32(CEP_KERNEL_LINEAR)
        }
    }

    /// σ′(x) of one value, for adjoints.
    @inline(__always)
    func derivative<Element: KernelScalar>(_ x: Element) -> Element {
        switch self {
        case .shiftedSigmoid:
            let y = 1 / (1 + Element.exponential(2 - 4 * x))
            return 4 * y * (1 - y)
        case .hardSigmoid: return x >= 0 && x <= 1 ? 1 : 0
        case .tanh:
            let y = Element.hyperbolicTangent(x)
            return 1 - y * y
        case .sigmoid:
            let y = 1 / (1 + Element.exponential(-x))
            return y * (1 - y)
        case .halfHardSigmoid: return x >= 0 && x <= 2 ? 0.5 : 0
        case .linear, .tabulated: return 1
        }
    }

    /// σ″(x) of one value, for adjoints of the real-time setting.
    @inline(__always)
    func secondDerivative<Element: KernelScalar>(_ x: Element) -> Element {
        switch self {
        case .shiftedSigmoid:
            let y = 1 / (1 + Element.exponential(2 - 4 * x))
            return 16 * y * (1 - y) * (1 - 2 * y)
        case .tanh:
            let y = Element.hyperbolicTangent(x)
            return -2 * y * (1 - y * y)
        case .sigmoid:
            let y = 1 / (1 + Element.exponential(-x))
            return y * (1 - y) * (1 - 2 * y)
        case .hardSigmoid, .halfHardSigmoid, .linear, .tabulated: return 0
        }
    }
}
