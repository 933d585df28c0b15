import CEPKernels
import Synchronization

/// Convolution of an image, with optional pooling and tied or untied feedback: up(s) = pool(W ∗ s + b),
/// cross-correlation as in PyTorch's conv2d. Its feedback is the derivative of ⟨up(s), a⟩ with respect to s: a is
/// routed to the pixels that pooling selected at this s, and passes through the transposed convolution. Untied feedback
/// uses V in place of W there.
///
/// States are channels × height × width. Internally, images are height × width × channels.
final class Convolution<Element: KernelScalar>: Connection, NamedConnection {
    static var name: String { "conv2d" }

    /// Filters × channels × kernel height × kernel width.
    let parameters: ConnectionParameters<Element>
    var productParameters: ConnectionParameters<Element>
    private let window: ConvolutionWindow
    private let shape: ConvolutionShape
    private let belowUnits: Int
    private let aboveUnits: Int
    private let forwardFilters: Filters
    /// The filters of the feedback: the same memory if feedback is tied.
    private let feedbackFilters: Filters
    private let hasFeedback: Bool
    private let isVectorField: Bool
    private let noBiases: Matrix<Element>
    /// One for each thread.
    private var scratches: [Scratch] = []
    /// Memory for gradients of parameters.
    private var pairs: [Pair] = []
    private let filterGradient: Matrix<Element>

    // MARK: - Making one

    static func shape(above kind: ConnectionKind, below: [Int]) throws(EngineError) -> [Int]? {
        try ConvolutionWindow(kind).shape(above: below)
    }

    static func parameterCount(_ place: ConnectionPlace) -> Double {
        guard let window = try? ConvolutionWindow(place.kind), place.below.shape.count == 3 else { return 0 }
        let filters = Double(window.channels)
        let weights =
            filters * Double(place.below.shape[0]) * Double(window.kernel.height) * Double(window.kernel.width)
        return weights * place.weightCopies + (place.hasBiases ? filters : 0)
    }

    static func make(_ place: ConnectionPlace) throws(EngineError) -> any Connection<Element> {
        try Convolution(place)
    }

    private init(_ place: ConnectionPlace) throws(EngineError) {
        window = try ConvolutionWindow(place.kind)
        guard try window.shape(above: place.below.shape) == place.above.shape else {
            throw .invalidArgument(
                "the convolution makes \(try window.shape(above: place.below.shape)) of \(place.below.shape); the layer "
                    + "above has the shape \(place.above.shape)")
        }
        shape = window.shape(of: place.below.shape)
        (belowUnits, aboveUnits) = (place.below.units, place.above.units)
        hasFeedback = !place.isFromInput
        isVectorField = place.feedback != .tied
        let isUntied = isVectorField && hasFeedback
        let weights = [shape.filters, shape.channels, shape.kernelHeight, shape.kernelWidth]
        parameters = try ConnectionParameters(
            weights: weights, biases: place.hasBiases ? shape.filters : nil, feedbackWeights: isUntied ? weights : nil)
        productParameters = parameters
        forwardFilters = try Filters(shape)
        feedbackFilters = isUntied ? try Filters(shape) : forwardFilters
        noBiases = try Matrix(rows: 1, columns: shape.filters)
        filterGradient = try Matrix(rows: shape.taps * shape.channels, columns: shape.filters)
    }

    // MARK: - Memory

    func prepare() throws(EngineError) {
        forwardFilters.pack(productParameters.weights)
        if let feedbackWeights = productParameters.feedbackWeights { feedbackFilters.pack(feedbackWeights) }
        while scratches.count < WorkerPool.shared.threadCount { scratches.append(try Scratch(shape)) }
        if pairs.isEmpty { try reserve(batch: 1) }
    }

    func reserve(batch: Int) throws(EngineError) {
        // A few samples at a time, so that they stay in the caches.
        while pairs.count < 2 * min(batch, 8) { pairs.append(try Pair(shape)) }
    }

    /// The positions of the maxima that pooling selected.
    var keptCount: Int { window.pooling == .max && hasFeedback ? aboveUnits : 0 }

    var multiplications: Int { 2 * shape.positions * shape.taps * shape.channels * shape.filters }

    var terms: Int { shape.positions }

    private func forEachSample(_ rows: Int, _ body: (Scratch, Int) -> Void) {
        let parts = partCount(units: rows, work: rows * multiplications / 2)
        WorkerPool.shared.run(parts: parts, of: rows) { _, samples in
            let scratch = takeScratch()
            for sample in samples { body(scratch, sample) }
            scratch.inUse.store(false, ordering: .releasing)
        }
    }

    /// There is one for each thread. If the number of threads has been raised since, some wait.
    private func takeScratch() -> Scratch {
        while true {
            for scratch in scratches
            where scratch.inUse.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged {
                return scratch
            }
        }
    }

    // MARK: - The preactivations of both layers

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func forward(
        _ below: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>, keeping kept: UnsafeMutablePointer<Element>?
    ) {
        forEachSample(rows) { scratch, row in
            let winners = kept.map { $0 + row * aboveUnits } ?? scratch.winners
            pool(below + row * belowUnits, forwardFilters, productParameters.biases, scratch, winners: winners)
            addPooled(scratch, to: base.map { $0 + row * aboveUnits }, into: preactivation + row * aboveUnits)
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func feedback(
        _ above: UnsafePointer<Element>, at below: UnsafePointer<Element>, rows: Int,
        addingTo base: UnsafePointer<Element>, into preactivation: UnsafeMutablePointer<Element>,
        kept: UnsafePointer<Element>?
    ) {
        let isKept = parameters.feedbackWeights == nil
        forEachSample(rows) { scratch, row in
            let winners =
                (isKept ? kept : nil).map { $0 + row * aboveUnits }
                ?? self.winners(at: below + row * belowUnits, feedbackFilters, scratch)
            sendBack(above + row * aboveUnits, feedbackFilters, winners: winners, scratch)
            addImage(scratch, to: base + row * belowUnits, into: preactivation + row * belowUnits)
        }
    }

    /// scratch.pooled ← pool(filters ∗ image + biases)
    private func pool(
        _ planes: UnsafePointer<Element>, _ filters: Filters, _ biases: Matrix<Element>?, _ scratch: Scratch,
        winners: UnsafeMutablePointer<Element>
    ) {
        load(planes, into: scratch.image)
        convolve(
            scratch.image, filters.up, shape: shape, biases: (biases ?? noBiases).pointer, into: scratch.result)
        window.pooling.pool(scratch.result, shape, into: scratch.pooled, winners: winners)
    }

    /// The pixels that pooling selects at a state of the layer below.
    private func winners(
        at below: UnsafePointer<Element>, _ filters: Filters, _ scratch: Scratch
    ) -> UnsafePointer<Element> {
        if window.pooling == .max {
            let biases = filters === forwardFilters ? productParameters.biases : nil
            pool(below, filters, biases, scratch, winners: scratch.winners)
        }
        return UnsafePointer(scratch.winners)
    }

    /// scratch.gradient ← the adjoint of pooled convolution, applied to values of the layer above.
    private func sendBack(
        _ above: UnsafePointer<Element>, _ filters: Filters, winners: UnsafePointer<Element>, _ scratch: Scratch
    ) {
        spread(above, winners: winners, scratch, into: scratch.result)
        setToZero(scratch.gradient, count: shape.imageCount)
        addTransposedConvolution(scratch.result, filters.down, shape: shape, to: scratch.gradient)
    }

    // MARK: - Equilibrium Propagation

    /// Tied: the derivative of ⟨up(s_b), s_a⟩ at the newer state minus that at the older one. Untied: for W the
    /// derivative of ⟨up(s_b), s′_a − s_a⟩ at the older s_b; for V that of ⟨up_V(s′_b), s_a⟩ − ⟨up_V(s_b), s_a⟩, at the
    /// older s_a.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addUpdate(
        from older: LayerPair<Element>, to newer: LayerPair<Element>, rates: UpdateRates<Element>,
        feedback: FeedbackUpdate, into accumulator: ConnectionParameters<Element>
    ) {
        let rows = newer.above.state.rows
        let isTied = !isVectorField || feedback == .shared
        let old = isTied ? older.above.activity : older.above.state
        let new = isTied ? newer.above.activity : newer.above.state
        accumulator.addPlaneSums(of: new, minus: old, scale: rates.biases)
        if !isTied || !hasFeedback {
            // The input is the same in both states.
            addToFilters([(accumulator.weights, rates.weights)], rows: rows, pairs: 1) { scratch, row, pair, _ in
                let below = older.below.activity.row(row)
                let winners = winners(at: below, forwardFilters, scratch)
                subtract(old.row(row), from: new.row(row), into: scratch.planes, count: aboveUnits)
                spread(scratch.planes, winners: winners, scratch, into: pair.result)
                load(below, into: pair.image)
            }
        } else {
            // With feedback weights, each set of filters gets the mean of the updates that both would get if they were
            // tied.
            let share: Element = accumulator.feedbackWeights == nil ? 1 : 0.5
            let all =
                [(accumulator.weights, share * rates.weights)]
                + (accumulator.feedbackWeights.map { [($0, share * rates.feedback)] } ?? [])
            for filters in accumulator.feedbackWeights == nil ? [forwardFilters] : [forwardFilters, feedbackFilters] {
                addToFilters(all, rows: rows, pairs: 2) { scratch, row, first, second in
                    for (pair, state) in [(first, newer), (second, older)] {
                        let winners = winners(at: state.below.activity.row(row), filters, scratch)
                        spread(state.above.activity.row(row), winners: winners, scratch, into: pair.result)
                        load(state.below.activity.row(row), into: pair.image)
                    }
                    makeDifference(of: first, and: second)
                }
            }
        }
        guard !isTied, let feedbackWeights = accumulator.feedbackWeights else { return }
        addToFilters([(feedbackWeights, rates.feedback)], rows: rows, pairs: 2) { scratch, row, first, second in
            for (pair, state) in [(first, newer), (second, older)] {
                let winners = winners(at: state.below.activity.row(row), feedbackFilters, scratch)
                spread(older.above.activity.row(row), winners: winners, scratch, into: pair.result)
                load(state.below.state.row(row), into: pair.image)
            }
            makeDifference(of: first, and: second)
        }
    }

    /// U′ X′ − U X as (U′ − U) X′ + U (X′ − X), to avoid cancellation of large terms.
    private func makeDifference(of newer: Pair, and older: Pair) {
        add(-1, times: older.result, to: newer.result, count: shape.resultCount)
        subtract(older.image, from: newer.image, into: older.image, count: shape.imageCount)
    }

    // MARK: - Gradients: the adjoints of both products

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addForwardAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>
    ) {
        forEachSample(activityGradient.rows) { scratch, row in
            let winners = winners(at: activities.below.row(row), forwardFilters, scratch)
            sendBack(preactivationGradient.row(row), forwardFilters, winners: winners, scratch)
            addImage(scratch, to: activityGradient.row(row), into: activityGradient.row(row))
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addFeedbackAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>
    ) {
        forEachSample(activityGradient.rows) { scratch, row in
            let winners = winners(at: activities.below.row(row), feedbackFilters, scratch)
            load(preactivationGradient.row(row), into: scratch.image)
            convolve(
                scratch.image, feedbackFilters.up, shape: shape, biases: noBiases.pointer, into: scratch.result)
            window.pooling.poolAgain(scratch.result, shape, winners: winners, into: scratch.pooled)
            addPooled(scratch, to: activityGradient.row(row), into: activityGradient.row(row))
        }
    }

    /// dL/dW = the derivative of ⟨up(r_b), δ_a⟩ and, with tied feedback, of ⟨up(r_b), r_a⟩ sent to δ_b; dL/dV is the
    /// latter with V.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, activities: ActivityPair<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>
    ) {
        accumulator.addPlaneSums(of: above, minus: nil, scale: rates.biases)
        addToFilters([(accumulator.weights, rates.weights)], rows: above.rows, pairs: 1) { scratch, row, pair, _ in
            let winners = winners(at: activities.below.row(row), forwardFilters, scratch)
            spread(above.row(row), winners: winners, scratch, into: pair.result)
            load(activities.below.row(row), into: pair.image)
        }
        guard let below else { return }
        let weights =
            accumulator.feedbackWeights.map { ($0, rates.feedback) } ?? (accumulator.weights, rates.weights)
        addToFilters([weights], rows: above.rows, pairs: 1) { scratch, row, pair, _ in
            let winners = winners(at: activities.below.row(row), feedbackFilters, scratch)
            spread(activities.above.row(row), winners: winners, scratch, into: pair.result)
            load(below.row(row), into: pair.image)
        }
    }

    /// Adds the derivative of ⟨filters ∗ image, result⟩ with respect to the filters, summed over all pairs of an image
    /// and a result.
    ///
    /// Threads first make the pairs of some samples each and then share the filters, so that the order of summation
    /// does not depend on the number of threads.
    private func addToFilters(
        _ weights: [(values: Matrix<Element>, rate: Element)], rows: Int, pairs count: Int,
        _ make: (Scratch, _ row: Int, _ first: Pair, _ second: Pair) -> Void
    ) {
        filterGradient.view.setToZero()
        let atOnce = pairs.count / count
        for first in stride(from: 0, to: rows, by: max(atOnce, 1)) {
            let samples = min(atOnce, rows - first)
            forEachSample(samples) { scratch, k in
                make(scratch, first + k, pairs[k * count], pairs[(k + 1) * count - 1])
            }
            let parts = partCount(units: filterGradient.rows, work: samples * count * multiplications / 2)
            WorkerPool.shared.run(parts: parts, of: filterGradient.rows) { _, filterRows in
                for pair in pairs.prefix(samples * count) {
                    addFilterGradient(
                        pair.image, pair.result, shape: shape, rows: filterRows, scale: 1, to: filterGradient.pointer)
                }
            }
        }
        for each in weights { forwardFilters.add(filterGradient, scale: each.rate, to: each.values) }
    }

    // MARK: - Conversion between planes (states) and images

    /// image ← planes, inside the padding.
    private func load(_ planes: UnsafePointer<Element>, into image: UnsafeMutablePointer<Element>) {
        forEachLine { count, plane, place in
            transpose(
                planes + plane, rows: shape.channels, columns: count, fromStride: belowUnits / shape.channels,
                into: image + place, toStride: shape.channels)
        }
    }

    /// planes ← base + scratch.gradient, without the padding.
    private func addImage(
        _ scratch: Scratch, to base: UnsafePointer<Element>, into planes: UnsafeMutablePointer<Element>
    ) {
        forEachLine { count, plane, place in
            transpose(
                scratch.gradient + place, rows: count, columns: shape.channels, into: scratch.planes + plane,
                toStride: belowUnits / shape.channels)
        }
        setToSum(of: base, and: scratch.planes, scale: 1, into: planes, count: belowUnits)
    }

    /// Calls the body for each run of pixels that is consecutive in a plane and in an image, with its length and its
    /// start in both.
    private func forEachLine(_ body: (_ count: Int, _ plane: Int, _ place: Int) -> Void) {
        let (top, left) = window.padding
        guard left > 0 else {
            return body(belowUnits / shape.channels, 0, top * shape.width * shape.channels)
        }
        let width = shape.width - 2 * left
        for row in 0..<shape.height - 2 * top {
            body(width, row * width, ((row + top) * shape.width + left) * shape.channels)
        }
    }

    /// planes ← base + scratch.pooled
    private func addPooled(
        _ scratch: Scratch, to base: UnsafePointer<Element>?, into planes: UnsafeMutablePointer<Element>
    ) {
        let positions = aboveUnits / shape.filters
        guard let base else {
            return transpose(scratch.pooled, rows: positions, columns: shape.filters, into: planes)
        }
        transpose(scratch.pooled, rows: positions, columns: shape.filters, into: scratch.planes)
        setToSum(of: base, and: scratch.planes, scale: 1, into: planes, count: aboveUnits)
    }

    /// result ← values of the layer above at the pixels that pooling selected.
    private func spread(
        _ above: UnsafePointer<Element>, winners: UnsafePointer<Element>, _ scratch: Scratch,
        into result: UnsafeMutablePointer<Element>
    ) {
        transpose(above, rows: shape.filters, columns: aboveUnits / shape.filters, into: scratch.pooled)
        window.pooling.spread(scratch.pooled, shape, winners: winners, into: result)
    }

    // MARK: - Feedback weights

    func drawFeedback(flipProbability: Double, using random: inout RandomSource) {
        guard let feedback = parameters.feedbackWeights else { return }
        for i in 0..<feedback.count {
            let weight = parameters.weights.pointer[i]
            feedback.pointer[i] = random.uniform() < flipProbability ? -weight : weight
        }
    }

    func feedbackAngle() -> Double {
        guard let feedback = parameters.feedbackWeights else { return 0 }
        let weights = parameters.weights
        return angle(
            product: dotProduct(feedback.pointer, weights.pointer, count: weights.count),
            squares: dotProduct(feedback.pointer, feedback.pointer, count: feedback.count),
            dotProduct(weights.pointer, weights.pointer, count: weights.count))
    }

    // MARK: - Memory of products

    /// The memory of one thread.
    private final class Scratch {
        let inUse = Atomic(false)
        /// The padded image, whose padding stays zero, and its gradient.
        let image: UnsafeMutablePointer<Element>
        let gradient: UnsafeMutablePointer<Element>
        /// The convolved image, the pooled one, and the positions of the selected pixels.
        let result: UnsafeMutablePointer<Element>
        let pooled: UnsafeMutablePointer<Element>
        let winners: UnsafeMutablePointer<Element>
        /// A state of either layer.
        let planes: UnsafeMutablePointer<Element>
        private let memory: Matrix<Element>

        init(_ shape: ConvolutionShape) throws(EngineError) {
            let (image, result) = (shape.imageCount, shape.resultCount)
            memory = try Matrix(rows: 1, columns: 3 * image + 4 * result)
            self.image = memory.pointer
            gradient = self.image + image
            self.result = gradient + image
            pooled = self.result + result
            winners = pooled + result
            planes = winners + result
        }
    }

    /// An image and a result; the gradient of the filters is a sum over such pairs.
    private final class Pair {
        let image: UnsafeMutablePointer<Element>
        let result: UnsafeMutablePointer<Element>
        private let memory: Matrix<Element>

        init(_ shape: ConvolutionShape) throws(EngineError) {
            memory = try Matrix(rows: 1, columns: shape.imageCount + shape.resultCount)
            image = memory.pointer
            result = image + shape.imageCount
        }
    }

    /// Filters laid out for products.
    private final class Filters {
        /// Taps · channels × filters, and taps · filters × channels.
        private let upMatrix: PackedMatrix<Element>
        private let downMatrix: PackedMatrix<Element>
        private let shape: ConvolutionShape
        private let first: Matrix<Element>
        private let second: Matrix<Element>

        var up: PackedProduct<Element> { upMatrix.product }
        var down: PackedProduct<Element> { downMatrix.product }

        init(_ shape: ConvolutionShape) throws(EngineError) {
            self.shape = shape
            let (taps, channels, filters) = (shape.taps, shape.channels, shape.filters)
            upMatrix = try .allocate(rows: taps * channels, columns: filters, layout: .panels)
            downMatrix = try .allocate(rows: taps * filters, columns: channels, layout: .panels)
            first = try Matrix(rows: 1, columns: taps * filters * channels)
            second = try Matrix(rows: 1, columns: taps * filters * channels)
        }

        /// - Parameter weights: Filters × channels × taps.
        func pack(_ weights: Matrix<Element>) {
            let (taps, channels, filters) = (shape.taps, shape.channels, shape.filters)
            transpose(weights.pointer, rows: filters * channels, columns: taps, into: first.pointer)
            downMatrix.pack(first.pointer, transposing: false)
            forEachTap { transpose($0, rows: filters, columns: channels, into: $1) }
            upMatrix.pack(second.pointer, transposing: false)
        }

        /// Adds a gradient, taps × channels × filters, to weights, filters × channels × taps.
        func add(_ gradient: Matrix<Element>, scale: Element, to weights: Matrix<Element>) {
            let (taps, channels, filters) = (shape.taps, shape.channels, shape.filters)
            first.pointer.update(from: gradient.pointer, count: gradient.count)
            forEachTap { transpose($0, rows: channels, columns: filters, into: $1) }
            transpose(second.pointer, rows: taps, columns: filters * channels, into: first.pointer)
            CEPKernels.add(scale, times: first.pointer, to: weights.pointer, count: weights.count)
        }

        /// From `first` to `second`.
        private func forEachTap(_ body: (UnsafePointer<Element>, UnsafeMutablePointer<Element>) -> Void) {
            let count = shape.channels * shape.filters
            for tap in 0..<shape.taps { body(first.pointer + tap * count, second.pointer + tap * count) }
        }
    }
}

/// The parameters of a convolution, from the word `conv2d:CHANNELS:HEIGHTxWIDTH`, followed by `stride=HEIGHTxWIDTH`,
/// `padding=HEIGHTxWIDTH` and `pool=max` or `average` if they are not 1, 0 and none.
struct ConvolutionWindow {
    let channels: Int
    let kernel: (height: Int, width: Int)
    let stride: (height: Int, width: Int)
    let padding: (height: Int, width: Int)
    let pooling: Pooling

    init(_ kind: ConnectionKind) throws(EngineError) {
        let words = kind.arguments
        guard words.count >= 2 else {
            throw .invalidArgument("conv2d must name its channels and kernel, like conv2d:32:5x5, got \(kind.rawValue)")
        }
        channels = try Self.number(words[0], name: "channels of a convolution", from: 1)
        kernel = try Self.pair(words[1], name: "kernel", from: 1)
        var (stride, padding, pooling) = ((height: 1, width: 1), (height: 0, width: 0), Pooling.none)
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            switch (parts[0], parts.last ?? "") {
            case ("stride", let value): stride = try Self.pair(value, name: "stride", from: 1)
            case ("padding", let value): padding = try Self.pair(value, name: "padding", from: 0)
            case ("pool", let value): pooling = try Pooling(named: String(value), option: "pool")
            default:
                throw .invalidArgument("the options of conv2d are stride, padding and pool, got \(word)")
            }
        }
        (self.stride, self.padding, self.pooling) = (stride, padding, pooling)
    }

    private static func number(_ word: Substring, name: String, from least: Int) throws(EngineError) -> Int {
        guard let number = Int(word), number >= least, number <= largestMatrixExtent else {
            throw .invalidArgument("the \(name) must be \(least) or more, got \(word)")
        }
        return number
    }

    private static func pair(
        _ word: Substring, name: String, from least: Int
    ) throws(EngineError) -> (height: Int, width: Int) {
        let words = word.split(separator: "x", omittingEmptySubsequences: false)
        guard words.count == 2 else {
            throw .invalidArgument("the \(name) must be height and width, like 5x5, got \(word)")
        }
        return (try number(words[0], name: name, from: least), try number(words[1], name: name, from: least))
    }

    /// - Parameter below: The shape of a layer.
    func shape(above below: [Int]) throws(EngineError) -> [Int] {
        guard below.count == 3 else {
            throw .invalidArgument(
                "a convolution needs channels × height × width below it, got a layer of \(text(below)) units")
        }
        guard below.allSatisfy({ (1...largestMatrixExtent).contains($0) }) else {
            throw .invalidArgument("the extents of an image must be 1 to \(largestMatrixExtent), got \(text(below))")
        }
        let padded = [below[1] + 2 * padding.height, below[2] + 2 * padding.width]
        guard kernel.height <= padded[0], kernel.width <= padded[1] else {
            throw .invalidArgument(
                "the kernel is \(kernel.height) × \(kernel.width), larger than the \(padded[0]) × \(padded[1]) pixels it "
                    + "moves over, padding included")
        }
        let (count, overflow) = padded[0].multipliedReportingOverflow(by: padded[1])
        let (values, overflows) = count.multipliedReportingOverflow(by: max(below[0], channels))
        guard !overflow, !overflows, values <= largestMatrixExtent else {
            throw .invalidArgument(
                "the convolution of \(text(below)) has images of more than \(largestMatrixExtent) values")
        }
        let full = shape(of: below)
        let pooled = [pooling.extent(of: full.resultHeight), pooling.extent(of: full.resultWidth)]
        guard pooled[0] > 0, pooled[1] > 0 else {
            throw .invalidArgument(
                "pooling takes windows of 2 × 2 pixels, got an image of \(full.resultHeight) × \(full.resultWidth)")
        }
        return [channels] + pooled
    }

    /// The convolution of images of this shape.
    func shape(of below: [Int]) -> ConvolutionShape {
        ConvolutionShape(
            channels: below[0], height: below[1] + 2 * padding.height, width: below[2] + 2 * padding.width,
            filters: channels, kernel: kernel, stride: stride)
    }

    private func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: " × ") }
}

extension Pooling: NamedChoice {}

extension ConnectionKind {
    /// Convolution (cross-correlation as in PyTorch's conv2d) of a layer of channels × height × width.
    ///
    /// - Parameters:
    ///   - channels: The channels of the layer above.
    ///   - kernel: Height and width in pixels.
    ///   - stride: Pixels from one position of the kernel to the next.
    ///   - padding: Zeros added on each side.
    ///   - pooling: `none`, `max` or `average`, over windows of 2 × 2 pixels.
    public static func conv2d(
        channels: Int, kernel: (height: Int, width: Int), stride: (height: Int, width: Int) = (1, 1),
        padding: (height: Int, width: Int) = (0, 0), pooling: String = "none"
    ) -> ConnectionKind {
        ConnectionKind(
            rawValue: "conv2d:\(channels):\(kernel.height)x\(kernel.width):stride=\(stride.height)x\(stride.width)"
                + ":padding=\(padding.height)x\(padding.width):pool=\(pooling)")
    }
}

extension ConnectionParameters {
    /// Adds the sum of each filter's plane to its bias, if there are biases.
    fileprivate func addPlaneSums(of newer: MatrixView<Element>, minus older: MatrixView<Element>?, scale: Element) {
        guard let biases else { return }
        let positions = newer.columns / biases.columns
        for row in 0..<newer.rows {
            for filter in 0..<biases.columns {
                let start = row * newer.columns + filter * positions
                var sum: Element = 0
                for place in start..<start + positions {
                    sum += newer.pointer[place] - (older?.pointer[place] ?? 0)
                }
                biases.pointer[filter] += scale * sum
            }
        }
    }
}
