/// The activation functions σ (or ρ) a layer can have.
@frozen
public enum Activation: Int32, Sendable, CaseIterable {
    /// 1 / (1 + e^(−4(x − ½))): between 0 and 1, slope 1 at ½.
    case shiftedSigmoid = 0
    /// min(max(x, 0), 1), with derivative 1 on the closed interval [0, 1].
    case hardSigmoid = 1
    case tanh = 2
}

/// The derivatives of an activation function as loops see them: a type, so that each loop is compiled for each function.
protocol ActivationFunction {
    static func derivative<Element: KernelScalar>(_ x: Element) -> Element
    static func secondDerivative<Element: KernelScalar>(_ x: Element) -> Element
}

enum ShiftedSigmoid: ActivationFunction {
    @inline(__always)
    private static func value<Element: KernelScalar>(_ x: Element) -> Element {
        1 / (1 + Element.exponential(2 - 4 * x))
    }

    @inline(__always)
    static func derivative<Element: KernelScalar>(_ x: Element) -> Element {
        let y = value(x)
        return 4 * y * (1 - y)
    }

    @inline(__always)
    static func secondDerivative<Element: KernelScalar>(_ x: Element) -> Element {
        let y = value(x)
        return 16 * y * (1 - y) * (1 - 2 * y)
    }
}

enum HardSigmoid: ActivationFunction {
    @inline(__always)
    static func derivative<Element: KernelScalar>(_ x: Element) -> Element {
        x >= 0 && x <= 1 ? 1 : 0
    }

    @inline(__always)
    static func secondDerivative<Element: KernelScalar>(_ x: Element) -> Element { 0 }
}

enum HyperbolicTangent: ActivationFunction {
    @inline(__always)
    private static func value<Element: KernelScalar>(_ x: Element) -> Element {
        Element.hyperbolicTangent(x)
    }

    @inline(__always)
    static func derivative<Element: KernelScalar>(_ x: Element) -> Element {
        let y = value(x)
        return 1 - y * y
    }

    @inline(__always)
    static func secondDerivative<Element: KernelScalar>(_ x: Element) -> Element {
        let y = value(x)
        return -2 * y * (1 - y * y)
    }
}
