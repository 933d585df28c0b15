import CEPKernels

extension Network {
    /// The energy that the dynamics of a network with tied feedback descend, for each sample of the present states.
    ///
    /// Real-time setting: the energy E = ½ Σ s² − Σ ρ(s_above)ᵀ W ρ(s_below) − Σ bᵀ ρ(s) over layers 1 ... L and all
    /// connections. The free dynamics follow its negative gradient, except that the published output layer lacks the
    /// factor ρ′ (see `RealTime.followsEnergy`). Prototypical setting: −Φ, with the primitive function Φ = Σ s_aboveᵀ W
    /// s_below + Σ bᵀ s, to whose gradient the activation is applied. A readout is not part of it.
    ///
    /// - Returns: Batch × 1.
    /// - Throws: `EngineError.invalidArgument` with untied feedback, for which no energy exists; `.invalidState` before
    ///   any phase; `.busy` while a call uses the network.
    public func energy() throws(EngineError) -> Matrix<Double> {
        try exclusively { () throws(EngineError) in
            guard configuration.feedback == .tied else {
                throw .invalidArgument("a network with untied feedback has no energy; expected tied feedback")
            }
            guard let state else { throw .invalidState("there are no states yet: run a free phase first") }
            try preparePhase(of: state)
            let energies = try Matrix<Double>(rows: state.batch, columns: 1)
            for (connection, edge) in zip(connections, edges) {
                let (below, above) = (state.activities[edge.from], state.activities[edge.to])
                let preactivation = try Matrix<Element>(rows: state.batch, columns: above.columns)
                connection.forward(
                    below.pointer, rows: state.batch, addingTo: nil, into: preactivation.pointer, keeping: nil)
                addRowProducts(of: preactivation, and: above, factor: -1, to: energies)
            }
            if dynamics.couplesThroughActivation {
                for layer in state.layers.dropFirst() {
                    addRowProducts(of: layer, and: layer, factor: 0.5, to: energies)
                }
            }
            return energies
        }
    }

    /// Adds the dot product of each row with the same row of another matrix.
    private func addRowProducts(
        of a: Matrix<Element>, and b: Matrix<Element>, factor: Double, to sums: Matrix<Double>
    ) {
        for row in 0..<a.rows {
            sums.pointer[row] +=
                factor * dotProduct(a.pointer + row * a.columns, b.pointer + row * a.columns, count: a.columns)
        }
    }
}
