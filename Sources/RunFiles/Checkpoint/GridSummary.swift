import Foundation
import Sampling

/// Orientation and spacing that the subjects of a data set have, as a network meets them. A checkpoint keeps
/// those of the subjects that it was trained on.
public struct GridSummary: Sendable, Equatable {
    /// Subjects of each orientation: three letters as in "RAS"; of slices the two of their rows and columns.
    public let orientations: [String: Int]
    /// Millimetres along the same axes: of each the median, of an even number the smaller of the two in the
    /// middle.
    public let spacing: [Double]

    /// - Parameter grids: at least one.
    public init(_ grids: [SubjectGrid], view: GridView) {
        precondition(!grids.isEmpty, "a summary of no subject")
        orientations = grids.reduce(into: [:]) { $0[$1.orientation(view), default: 0] += 1 }
        let lengths = grids.map { $0.millimetres(view) }
        spacing = lengths[0].indices.map { axis in
            lengths.map { $0[axis] }.sorted()[(lengths.count - 1) / 2]
        }
    }

    /// What most subjects have; of equally many the first by the alphabet.
    public var usualOrientation: String {
        orientations.min { ($1.value, $0.key) < ($0.value, $1.key) }?.key ?? ""
    }

    /// "38 RAS and 2 LAS".
    package var orientationsText: String {
        listed(
            orientations.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" })
    }

    /// Whether lengths are those of most subjects: no axis differs by more than ``tolerance``.
    package func agrees(_ lengths: [Double]) -> Bool {
        lengths.count == spacing.count
            && zip(lengths, spacing).allSatisfy { abs($0 - $1) <= (Self.tolerance + 1e-4) * $1 }
    }

    /// Part of a length by which spacings may differ without a warning.
    public static let tolerance = 0.1
}

// MARK: - Metadata

extension GridSummary {
    private static let keys = (orientations: "orientations", spacing: "spacing_mm")

    /// As a checkpoint's metadata.
    var metadata: [String: String] {
        [
            Self.keys.orientations: orientations.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                .joined(separator: "\n"),
            Self.keys.spacing: spacing.map { "\($0)" }.joined(separator: " "),
        ]
    }

    /// - Returns: nil where the metadata do not have them.
    init?(metadata: [String: String]) {
        guard let orientations = metadata[Self.keys.orientations],
            let spacing = metadata[Self.keys.spacing]
        else { return nil }
        var counts: [String: Int] = [:]
        for line in orientations.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let count = Int(words[1]), count > 0 else { return nil }
            counts[String(words[0])] = count
        }
        let lengths = spacing.split(separator: " ").compactMap { Double($0) }
        guard !counts.isEmpty, [2, 3].contains(lengths.count),
            counts.keys.allSatisfy({ $0.count == lengths.count })
        else { return nil }
        (self.orientations, self.spacing) = (counts, lengths)
    }
}
