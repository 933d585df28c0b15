// Sums, copies and searches over whole arrays.

/// `array[i] = 0`.
public func setToZero<Element: KernelScalar>(_ array: UnsafeMutablePointer<Element>, count: Int) {
    memset(array, 0, count * MemoryLayout<Element>.stride)
}

/// `array[i] = factor · array[i] + summand`.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func scale<Element: KernelScalar>(
    _ array: UnsafeMutablePointer<Element>, by factor: Element, adding summand: Element, count: Int
) {
    for i in 0..<count { array[i] = factor * array[i] + summand }
}

/// `sums[j] += scale · Σ_r matrix[r, j]`.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func addColumnSums<Element: KernelScalar>(
    of matrix: UnsafePointer<Element>, rows: Int, columns: Int, scale: Element,
    to sums: UnsafeMutablePointer<Element>
) {
    for r in 0..<rows {
        let row = matrix + r * columns
        for j in 0..<columns { sums[j] += scale * row[j] }
    }
}

/// `output[i] = minuend[i] − subtrahend[i]`.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func subtract<Element: KernelScalar>(
    _ subtrahend: UnsafePointer<Element>, from minuend: UnsafePointer<Element>,
    into output: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { output[i] = minuend[i] - subtrahend[i] }
}

/// `output[i] = a[i] + scale · b[i]`.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func setToSum<Element: KernelScalar>(
    of a: UnsafePointer<Element>, and b: UnsafePointer<Element>, scale: Element,
    into output: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { output[i] = a[i] + scale * b[i] }
}

/// `output[columns × rows] += scale ·` the transpose of `input[rows × columns]`.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func addTransposed<Element: KernelScalar>(
    _ input: UnsafePointer<Element>, rows: Int, columns: Int, scale: Element, to output: UnsafeMutablePointer<Element>
) {
    for column in 0..<columns {
        for row in 0..<rows { output[column * rows + row] += scale * input[row * columns + column] }
    }
}

/// Swaps the values of two arrays.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func exchange<Element: KernelScalar>(
    _ first: UnsafeMutablePointer<Element>, _ second: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { (first[i], second[i]) = (second[i], first[i]) }
}

/// `output[i] += scale · input[i]`.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func add<Element: KernelScalar>(
    _ scale: Element, times input: UnsafePointer<Element>, to output: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { output[i] += scale * input[i] }
}

/// Converts an array from one number type to another, rounding to nearest.
@specialized(where Source == Float, Element == Float)
@specialized(where Source == Double, Element == Double)
@specialized(where Source == Float, Element == Double)
@specialized(where Source == Double, Element == Float)
public func convert<Source: KernelScalar, Element: KernelScalar>(
    _ input: UnsafePointer<Source>, into output: UnsafeMutablePointer<Element>, count: Int
) {
    if Source.self == Element.self {
        memmove(output, input, count * MemoryLayout<Element>.stride)
    } else {
        for i in 0..<count { output[i] = Element(input[i]) }
    }
}

/// The number of parts in which to copy this many values: large arrays are limited by memory, not by the caches.
public func sharedCopyParts(of count: Int) -> Int {
    max(1, min(WorkerPool.shared.threadCount, count / 4096))
}

/// The index of the first value that is infinite or not a number.
public func firstNonFinite<Element: KernelScalar>(in array: UnsafePointer<Element>, count: Int) -> Int? {
    firstNonFinite(in: array, count: count, as: Element.self)
}

/// The index of the first value that is infinite or not a number, or becomes so when converted to `Element`.
@specialized(where Source == Float, Element == Float)
@specialized(where Source == Float, Element == Double)
@specialized(where Source == Double, Element == Float)
@specialized(where Source == Double, Element == Double)
public func firstNonFinite<Source: KernelScalar, Element: KernelScalar>(
    in array: UnsafePointer<Source>, count: Int, as _: Element.Type
) -> Int? {
    // The index is searched only if there is one. A value is not converted to its own type.
    if Source.self == Element.self, Source.vectorKernels.largest_magnitude(array, count).isFinite { return nil }
    // Check a block at a time, without a branch for each value.
    let block = 1024
    for start in stride(from: 0, to: count, by: block) {
        let end = min(start + block, count)
        var poison: Element = 0
        for i in start..<end { poison += Element(array[i]) * 0 }
        if poison != 0 { return (start..<end).first { !Element(array[$0]).isFinite } }
    }
    return nil
}

/// The index of the largest value; the first one if several are equal.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func indexOfLargest<Element: KernelScalar>(in array: UnsafePointer<Element>, count: Int) -> Int {
    var best = 0
    for i in 1..<max(count, 1) where array[i] > array[best] { best = i }
    return best
}

/// max |array[i]|; NaN if a value is infinite or NaN.
public func largestMagnitude<Element: KernelScalar>(in array: UnsafePointer<Element>, count: Int) -> Element {
    Element(Element.vectorKernels.largest_magnitude(array, count))
}

/// Σ (a[i] − b[i])², in float64.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func squaredDistance<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, count: Int
) -> Double {
    var sum = 0.0
    for i in 0..<count {
        let difference = Double(a[i]) - Double(b[i])
        sum += difference * difference
    }
    return sum
}

/// Σ a[i] b[i], in float64.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func dotProduct<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, count: Int
) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += Double(a[i]) * Double(b[i]) }
    return sum
}
