import CEPKernels
import Testing

@Suite struct NonFiniteValuesAreFound {
    /// Lengths and indices around multiples of 1024, the block size of the search.
    static let lengths = [1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 3000]

    @Test(arguments: NumberType.allCases, lengths)
    func atEveryPlace(_ type: NumberType, _ length: Int) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var array = [Element](repeating: 0.5, count: length)
            for place in places(in: length) {
                for value in [Element.nan, .infinity, -.infinity] {
                    array[place] = value
                    #expect(firstNonFinite(in: array, count: length) == place, "\(value) at \(place)")
                    #expect(firstNonFinite(in: array, count: place) == nil, "no further than asked")
                }
                array[place] = 0.5
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func theFirstOfSeveral(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for (first, second) in [(3, 4), (3, 2000), (1023, 1024), (1500, 1501), (0, 2999)] {
                var array = [Element](repeating: 1, count: 3000)
                array[first] = .infinity
                array[second] = -.infinity
                #expect(firstNonFinite(in: array, count: 3000) == first)
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func finiteValuesAreNotTakenForThem(_ type: NumberType) {
        func check<Element: KernelScalar>(_: Element.Type) {
            let largest = Element.greatestFiniteMagnitude
            for value in [0, -0.0, largest, -largest, .leastNonzeroMagnitude] {
                #expect(firstNonFinite(in: [Element](repeating: value, count: 2049), count: 2049) == nil, "\(value)")
            }
            #expect(firstNonFinite(in: [Element](), count: 0) == nil)
        }
        check(type.scalar)
    }

    private func places(in length: Int) -> [Int] {
        [0, 1, 511, 1022, 1023, 1024, 1025, 2047, 2048, length - 2, length - 1].filter { (0..<length).contains($0) }
    }
}
