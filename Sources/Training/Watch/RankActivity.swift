/// What a rank is doing, as ranks tell each other.
struct RankActivity: Equatable, Sendable {
    /// Of the phase that it is in, such as "computing gradients": reads on from "it was".
    var operation = Phase.starting.operation ?? ""
    /// Optimiser step, 0 before the first.
    var step = 0
    /// The MPI call that it is in; empty where it computes.
    var call = ""
    /// Operations with other ranks that it has begun: a rank that has begun fewer is the one that others wait
    /// for.
    var operations = 0
    /// Seconds since the last change of the above.
    var idle = 0.0

    /// "computing gradients at step 5", "computing gradients at step 5, in MPI_Allgather"
    var description: String { "\(operation) at step \(step)\(call.isEmpty ? "" : ", in \(call)")" }
}

extension RankActivity {
    /// Fields separated by tabs.
    var message: String { "\(operations)\t\(step)\t\(idle)\t\(call)\t\(operation)" }

    /// Nil where `message` did not make it.
    init?(message: some StringProtocol) {
        let fields = message.split(separator: "\t", maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count == 5, let operations = Int(fields[0]), let step = Int(fields[1]),
            let idle = Double(fields[2])
        else { return nil }
        self.init(
            operation: String(fields[4]), step: step, call: String(fields[3]), operations: operations,
            idle: idle)
    }
}
