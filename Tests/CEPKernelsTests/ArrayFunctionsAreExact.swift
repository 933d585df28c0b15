import CEPKernels
import Testing

// The numbers are small integers and halves, so results are exact in both number types.

@Suite struct ArrayFunctionsAreExact {
    @Test(arguments: NumberType.allCases)
    func columnSumsAreScaledAndAdded(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var sums: [Element] = [10, 20, 30, 9]
            addColumnSums(of: [1, 2, 3, 4, 5, 6], rows: 2, columns: 3, scale: -0.5, to: &sums)
            #expect(sums == [7.5, 16.5, 25.5, 9])
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func differencesHaveTheRightSign(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var output = [Element](repeating: 9, count: 4)
            subtract([1, 2, 3], from: [10, 20, 40], into: &output, count: 3)
            #expect(output == [9, 18, 37, 9])
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func multiplesAreAdded(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var output: [Element] = [1, 2, 3, 9]
            add(-2, times: [10, 20, 30], to: &output, count: 3)
            #expect(output == [-19, -38, -57, 9])
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func theLargestIsTheFirstOfEquals(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            let cases: [([Element], Int)] = [
                ([4], 0), ([1, 2, 3], 2), ([3, 2, 1], 0), ([1, 3, 3, 2], 1), ([2, 2, 2], 0), ([-3, -1, -1, -2], 1),
                ([-.infinity, -5], 1), ([0, .infinity, .infinity], 1), ([-0.0, 0.0], 0),
            ]
            for (array, place) in cases {
                #expect(indexOfLargest(in: array, count: array.count) == place, "\(array)")
            }
            #expect(indexOfLargest(in: [1, 2, 9] as [Element], count: 2) == 1, "no further than asked")
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func squaredDistancesAreSummed(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            #expect(squaredDistance([1, 5, -2] as [Element], [4, 1, -2], count: 3) == 25)
            #expect(squaredDistance([1, 5] as [Element], [1, 7], count: 1) == 0, "no further than asked")
            // float32 would lose the small terms when they are added to the large one.
            let far = [Element(4096)] + [Element](repeating: 1 / 64, count: 1024)
            let origin = [Element](repeating: 0, count: 1025)
            #expect(squaredDistance(far, origin, count: 1025) == 16_777_216 + 0.25)
        }
        check(type.scalar)
    }

    @Test func conversionToFloat64IsExact() {
        let input: [Float] = [0.1, -3e38, .leastNonzeroMagnitude, .infinity, -0.0]
        var output = [Double](repeating: 9, count: 6)
        convert(input, into: &output, count: 5)
        #expect(output.prefix(5).map { Float($0) } == input)
        #expect(output[0] == 0.100000001490116119384765625, "0.1 in float32 is this number")
        #expect(output[4].sign == .minus && output[5] == 9)
    }

    @Test func conversionToFloat32RoundsToNearestEven() {
        let ulp = 0x1p-23
        let input = [0.1, 1 + 0.25 * ulp, 1 + 0.5 * ulp, 1 + 0.75 * ulp, 1 + 1.5 * ulp, 1e300, -1e300, .nan]
        var output = [Float](repeating: 9, count: 9)
        convert(input, into: &output, count: 8)
        let next = (1 as Float).nextUp
        let expected: [Float] = [0.1, 1, 1, next, next.nextUp, .infinity, -.infinity]
        #expect(Array(output.prefix(7)) == expected)
        #expect(output[7].isNaN && output[8] == 9)
    }

    @Test func conversionToTheSameTypeIsACopy() {
        let input = [0.1, -0.0, .greatestFiniteMagnitude]
        var output = [0.0, 0.0, 0.0]
        convert(input, into: &output, count: 3)
        #expect(output.map(\.bitPattern) == input.map(\.bitPattern))
    }
}
