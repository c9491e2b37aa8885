import Foundation

extension Communicator {
    /// The largest `value` of all ranks, for ranks that may wait for each other for long: they sleep
    /// meanwhile, where other operations keep a core busy. Collective. The corresponding C function is
    /// `MPI_Iallreduce`.
    public func idleMaximum(_ value: Float) throws(MPIError) -> Float {
        let store = FloatStore([value])
        let request = try startAllReduce(store.values, .maximum, owner: store)
        while try !request.test() { Thread.sleep(forTimeInterval: 0.01) }
        return store.values[0]
    }
}
