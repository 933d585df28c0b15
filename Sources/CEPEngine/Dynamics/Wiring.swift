import CEPKernels

/// Computes the preactivations in a phase.
protocol PhaseWeights<Element> {
    associatedtype Element: KernelScalar

    /// Computes the preactivation of a layer (1 ... L) from the current activities.
    func updatePreactivation(ofLayer layer: Int, _ rows: StateRows<Element>)
}

/// The connections into and out of each layer that moves.
///
/// The preactivation of a layer is the sum over its incoming connections (forward) and its outgoing ones (feedback).
/// Packed connections are called without reference counting, which would slow threads down.
final class Wiring<Element: KernelScalar>: PhaseWeights {
    /// A connection as seen from one of its layers.
    struct Link {
        let connection: Int
        /// The other layer, 1 ... L.
        let layer: Int
        let packed: PackedConnection<Element>?
    }

    private let connections: [any Connection<Element>]
    /// The links of all layers in order, incoming ones first.
    private let links: UnsafeMutableBufferPointer<Link>
    /// The ends of the incoming and the outgoing links of layer l, at 2 (l − 1) and 2 (l − 1) + 1.
    private let ends: UnsafeMutableBufferPointer<Int>

    init(of network: Network<Element>) {
        connections = network.connections
        var all: [Link] = []
        var places: [Int] = []
        var (incoming, outgoing) = ([[Link]](), [[Link]]())
        for _ in 0...network.lastLayer {
            incoming.append([])
            outgoing.append([])
        }
        for (k, edge) in network.edges.enumerated() where edge.from > 0 {
            let packed = network.connections[k].packed
            incoming[edge.to].append(Link(connection: k, layer: edge.from, packed: packed))
            outgoing[edge.from].append(Link(connection: k, layer: edge.to, packed: packed))
        }
        for layer in 1...network.lastLayer {
            for some in [incoming[layer], outgoing[layer]] {
                all += some
                places.append(all.count)
            }
        }
        links = .allocate(capacity: all.count)
        _ = links.initialize(from: all)
        ends = .allocate(capacity: places.count)
        _ = ends.initialize(from: places)
    }

    deinit {
        links.deallocate()
        ends.deallocate()
    }

    /// The links into a layer, and those out of it.
    func links(of layer: Int) -> (incoming: Range<Int>, outgoing: Range<Int>) {
        let place = 2 * (layer - 1)
        return ((place == 0 ? 0 : ends[place - 1])..<ends[place], ends[place]..<ends[place + 1])
    }

    subscript(link: Int) -> Link { links[link] }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func updatePreactivation(ofLayer number: Int, _ rows: StateRows<Element>) {
        let layer = rows.layers[number - 1]
        let (incoming, outgoing) = links(of: number)
        var base = UnsafePointer(layer.fromInput)
        for place in incoming {
            forward(links[place], rows, addingTo: base, into: layer.preactivation)
            base = UnsafePointer(layer.preactivation)
        }
        guard var sum = base else { return }
        for place in outgoing {
            feedback(links[place], below: number, rows, addingTo: sum, into: layer.preactivation)
            sum = UnsafePointer(layer.preactivation)
        }
        if sum != UnsafePointer(layer.preactivation) {
            layer.preactivation.update(from: sum, count: rows.count * layer.units)
        }
    }

    @inline(__always)
    private func forward(
        _ link: Link, _ rows: StateRows<Element>, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        let below = UnsafePointer(rows.layers[link.layer - 1].activity)
        if let packed = link.packed {
            packed.forward(below, rows: rows.count, addingTo: base, into: preactivation)
        } else {
            connections[link.connection].forward(
                below, rows: rows.count, addingTo: base, into: preactivation, keeping: rows.kept[link.connection].values
            )
        }
    }

    @inline(__always)
    private func feedback(
        _ link: Link, below layer: Int, _ rows: StateRows<Element>, addingTo base: UnsafePointer<Element>,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        let above = UnsafePointer(rows.layers[link.layer - 1].activity)
        if let packed = link.packed {
            packed.feedback(above, rows: rows.count, addingTo: base, into: preactivation)
        } else {
            connections[link.connection].feedback(
                above, at: rows.layers[layer - 1].activity, rows: rows.count, addingTo: base, into: preactivation,
                kept: rows.kept[link.connection].values)
        }
    }
}
