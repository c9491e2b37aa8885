import Engine

/// Something that runs: a pass over tensors, named for profiles and errors.
struct Step {
    let name: String
    let kind: OperationKind
    /// How it is done, where there is a choice.
    var algorithm = ""
    /// Of the direct sum, a multiplication and an addition counted as two.
    var operations = 0
    /// When it runs, on the schedule's axis.
    var time = 0
    let run: () throws -> Void
}
