import Sampling
import Training

extension InspectionText {
    /// The labels that the references hold and what becomes of each; none where references are probabilities.
    static func labels(_ task: TrainingTask) throws -> [String] {
        let data = task.configuration.data
        guard data.referenceKind == .labels else { return [] }
        var census = LabelCensus()
        for path in (task.subjects + task.heldOut).compactMap(\.reference) { try census.add(path) }
        return ["Labels of the references, and the class that each becomes:"]
            + census.lines(data.mergeLabels, classes: data.classes)
    }
}
