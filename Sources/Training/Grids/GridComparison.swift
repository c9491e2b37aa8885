import Foundation
import RunFiles
import Sampling

/// What sets the grids of subjects apart, as sentences for warnings: images are given to the network as they
/// are stored.
public struct GridComparison {
    private let grids: [SubjectGrid]
    private let view: GridView

    public init(_ grids: [SubjectGrid], view: GridView) { (self.grids, self.view) = (grids, view) }

    /// Subjects that differ from most, and those whose header contradicts itself.
    public var warnings: [String] {
        guard !grids.isEmpty else { return [] }
        let all = GridSummary(grids, view: view)
        return [
            orientation(than: all, "as the others"), spacing(than: all, "from the median"),
            Self.pixdimWarning(grids),
        ].compactMap { $0 }
    }

    /// Subjects that differ from those of a training, and those whose header contradicts itself.
    public func warnings(against training: GridSummary) -> [String] {
        let most =
            training.orientations.count > 1
            ? "as the most frequent of the training (\(training.orientationsText))" : "as in the training"
        return [
            orientation(than: training, most), spacing(than: training, "from the training's median"),
            Self.pixdimWarning(grids),
        ].compactMap { $0 }
    }

    private func orientation(than usual: GridSummary, _ whose: String) -> String? {
        let expected = usual.usualOrientation
        let others = grids.filter { $0.orientation(view) != expected }
        guard !others.isEmpty else { return nil }
        let found = GridSummary(others, view: view).orientations.keys.sorted()
        let what = view.isPlanar ? "have slices" : others.count == 1 ? "is" : "are"
        return Self.count(others, of: grids)
            + (view.isPlanar && others.count == 1 ? " has slices" : " " + what)
            + " oriented \(listed(found, "or")) and not \(expected) \(whose): "
            + Self.names(others) { $0.subject } + "; images are used as stored, neither turned nor flipped."
    }

    private func spacing(than usual: GridSummary, _ whose: String) -> String? {
        let others = grids.filter { !usual.agrees($0.millimetres(view)) }
        guard !others.isEmpty else { return nil }
        func text(_ lengths: [Double]) -> String {
            lengths.map { String(format: "%.3g", $0) }.joined(separator: " x ") + " mm"
        }
        return Self.count(others, of: grids) + (others.count == 1 ? " has" : " have")
            + " a spacing that differs by more than \(Int(100 * GridSummary.tolerance)) % on an axis \(whose), "
            + "\(text(usual.spacing)): "
            + Self.names(others) { "\($0.subject) (\(text($0.millimetres(view))))" }
            + "; images are used as stored, not resampled."
    }

    /// Subjects of which `pixdim` gives other distances of voxels than the transform, which counts.
    public static func pixdimWarning(_ grids: [SubjectGrid]) -> String? {
        let others = grids.filter { grid in
            let (transform, pixdim) = grid.voxelMillimetres
            return (0..<3).contains { !(abs(transform[$0] - pixdim[$0]) <= 0.01 * transform[$0]) }
        }
        guard !others.isEmpty else { return nil }
        return count(others, of: grids) + (others.count == 1 ? " has" : " have")
            + " a pixdim that contradicts the transform: "
            + names(others) {
                let (transform, pixdim) = $0.voxelMillimetres
                return
                    "\($0.subject) (voxels of \(lengths(transform)) by its transform, \(lengths(pixdim)) by pixdim)"
            } + "; volumes go by the transform."
    }

    private static func lengths(_ lengths: SIMD3<Double>) -> String {
        (0..<3).map { String(format: "%.4g", lengths[$0]) }.joined(separator: " x ") + " mm"
    }

    private static func count(_ some: [SubjectGrid], of all: [SubjectGrid]) -> String {
        "\(some.count) of \(counted(all.count, "subject"))"
    }

    /// The first few.
    private static func names(_ grids: [SubjectGrid], _ name: (SubjectGrid) -> String) -> String {
        let most = 3
        let rest = grids.count - most
        return listed(
            grids.prefix(most).map(name) + (rest > 0 ? [counted(rest, "other")] : []), "and")
    }
}
