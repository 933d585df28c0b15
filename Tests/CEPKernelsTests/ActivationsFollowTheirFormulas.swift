import Testing

@testable import CEPKernels

@Suite struct ActivationsFollowTheirFormulas {
    @Test(arguments: NumberType.allCases, Activation.allCases)
    func valuesEqualTheFormula(_ type: NumberType, _ activation: Activation) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for x in stride(from: -6.0, through: 6.0, by: 0.0625) {
                let value = Double(activation.value(Element(x)))
                #expect(abs(value - activation.reference(x)) <= Element.tolerance, "at \(x)")
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func smallSigmoidsHaveRelativePrecision(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for activation in [Activation.shiftedSigmoid, .sigmoid] {
                for x in stride(from: -8.0, through: 0.0, by: 0.25) {
                    let expected = activation.reference(x)
                    let value = Double(activation.value(Element(x)))
                    #expect(abs(value - expected) <= 2 * Element.tolerance * expected, "\(activation) at \(x)")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func theSigmoidIsOneHalfAtOneHalf(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            #expect(Activation.shiftedSigmoid.value(Element(0.5)) == 0.5)
            #expect(Activation.shiftedSigmoid.derivative(Element(0.5)) == 1)
            #expect(Activation.shiftedSigmoid.secondDerivative(Element(0.5)) == 0)
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Activation.allCases)
    func derivativesEqualCentralDifferences(_ type: NumberType, _ activation: Activation) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for x in smoothPoints {
                let derivative = Double(activation.derivative(Element(x)))
                #expect(
                    abs(derivative - activation.referenceDerivative(x)) <= max(Element.tolerance, 1e-9), "at \(x)")
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Activation.allCases)
    func secondDerivativesEqualSecondDifferences(_ type: NumberType, _ activation: Activation) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for x in smoothPoints {
                let second = Double(activation.secondDerivative(Element(x)))
                let expected = activation.referenceSecondDerivative(x)
                #expect(abs(second - expected) <= max(8 * Element.tolerance, 1e-6), "at \(x)")
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func theHardSigmoidHasSlopeOneOnTheClosedInterval(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            let hard = Activation.hardSigmoid
            for inside in [0, Element.leastNonzeroMagnitude, 0.5, 1 - Element.ulpOfOne, 1] {
                #expect(hard.derivative(inside) == 1, "at \(inside)")
                #expect(hard.value(inside) == inside)
            }
            for outside in [-Element.leastNonzeroMagnitude, -1, 1 + Element.ulpOfOne, 2] {
                #expect(hard.derivative(outside) == 0, "at \(outside)")
            }
            for (x, slope) in [(0, 0.5), (2, 0.5), (-0.5, 0), (2.5, 0)] as [(Element, Element)] {
                #expect(Activation.halfHardSigmoid.derivative(x) == slope, "at \(x)")
            }
            #expect(hard.value(-Element.leastNonzeroMagnitude) == 0)
            #expect(hard.value(1 + Element.ulpOfOne) == 1)
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func extremesGoToTheLimits(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for large in [Element.infinity, Element.greatestFiniteMagnitude, 1000] {
                for activation in Activation.allCases where activation != .linear {
                    #expect(activation.value(large) == 1, "\(activation) at \(large)")
                    #expect(activation.value(-large) == (activation == .tanh ? -1 : 0), "\(activation) at \(-large)")
                    for x in [large, -large] {
                        #expect(activation.derivative(x) == 0, "\(activation) at \(x)")
                        #expect(activation.secondDerivative(x) == 0, "\(activation) at \(x)")
                    }
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Activation.allCases)
    func notANumberStaysNotANumber(_ type: NumberType, _ activation: Activation) {
        func check<Element: KernelScalar>(_: Element.Type) {
            #expect(activation.value(Element.nan).isNaN)
            var output: [Element] = [0, 0, 0]
            activate(activation, [0, Element.nan, 0], into: &output, count: 3)
            #expect(!output[0].isNaN && output[1].isNaN && !output[2].isNaN)
        }
        check(type.scalar)
    }

    /// Every 4093rd float32 number, including infinities and denormals of both signs.
    @Test(arguments: Activation.allCases.filter { $0 != .linear })
    func errorsAreBelowTwoUnitsInTheLastPlace(_ activation: Activation) {
        var input = stride(from: UInt32(0), to: .max - 4093, by: 4093).map { Float(bitPattern: $0) }
        input = input.filter { !$0.isNaN } + [.infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude]
        var output = [Float](repeating: .nan, count: input.count)
        activate(activation, input, into: &output, count: input.count)
        // Results are between −1 and 1, so the last place is half the ulp of 1. Written so that NaN fails.
        let worst = zip(input, output).max { !(error($0) >= error($1)) }
        #expect(worst.map { error($0) <= 2 * Double(Float.ulpOfOne / 2) } == true, "at \(String(describing: worst))")
        #expect(!output.contains { $0.isNaN })

        func error(_ pair: (Float, Float)) -> Double { abs(Double(pair.1) - activation.wideReference(Double(pair.0))) }
    }

    @Test(arguments: NumberType.allCases)
    func denormalsAreKept(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            let tiny = Element.leastNonzeroMagnitude
            #expect(Activation.hardSigmoid.value(tiny) == tiny)
            #expect(Activation.tanh.value(tiny) == tiny)
            #expect(Activation.tanh.value(-tiny) == -tiny)
            #expect(Activation.shiftedSigmoid.value(tiny) == Activation.shiftedSigmoid.value(0))
        }
        check(type.scalar)
    }

    /// Points away from the corners of the hard sigmoid.
    private var smoothPoints: [Double] {
        stride(from: -2.9375, through: 2.9375, by: 0.125).map { $0 }
    }

    @Test(arguments: NumberType.allCases, Activation.allCases)
    func arraysOfAnyLengthAreActivated(_ type: NumberType, _ activation: Activation) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var stream = NumberStream()
            for count in [0, 1, 3, 16, 17, 100] {
                let input = stream.array(count, in: -2...2, of: Element.self)
                var output = [Element](repeating: 7, count: count + 1)
                activate(activation, input, into: &output, count: count)
                for i in 0..<count {
                    #expect(abs(Double(output[i]) - activation.reference(Double(input[i]))) <= Element.tolerance)
                }
                #expect(output[count] == 7, "what lies behind the array is left alone")
            }
        }
        check(type.scalar)
    }
}

extension Activation {
    fileprivate func value<Element: KernelScalar>(_ x: Element) -> Element {
        var result = Element.zero
        activate(self, [x], into: &result, count: 1)
        return result
    }
}
