import Geometry

/// How a subject's voxels lie in the body, as the header of its first image says.
public struct SubjectGrid: Hashable, Sendable {
    public let subject: String
    /// Voxel (x, y, z) to world in millimetres, without the origin.
    private let columns: [SIMD3<Double>]
    private let pixdim: SIMD3<Double>

    public init(_ subject: String, _ geometry: VolumeGeometry) {
        self.subject = subject
        columns = geometry.affineMillimetres.columns
        pixdim = geometry.pixdimMillimetres
    }

    /// Reads the header of the first image and no voxels.
    /// - Throws: `NIfTIError`.
    public init(reading files: SubjectFiles) throws {
        self.init(files.subject, try NIfTIInput(path: files.images[0].path).geometry)
    }

    private var affine: Affine { Affine(columns: columns, origin: .zero) }

    // MARK: As ranks send it

    /// The numbers of a grid.
    public static let numberCount = 12

    /// ``numberCount`` numbers, from which the same grid can be made again.
    public var numbers: [Double] { (columns + [pixdim]).flatMap { [$0.x, $0.y, $0.z] } }

    /// - Parameter numbers: those of another one's ``numbers``.
    public init(_ subject: String, numbers: some Collection<Double>) {
        precondition(numbers.count == Self.numberCount, "\(numbers.count) numbers for a grid")
        let all = Array(numbers)
        self.subject = subject
        columns = (0..<3).map { SIMD3(all[3 * $0], all[3 * $0 + 1], all[3 * $0 + 2]) }
        pixdim = SIMD3(all[9], all[10], all[11])
    }

    // MARK: What a network sees

    /// The letters of the axes' directions, width, height and depth, where the subject is held as `view`
    /// says. Of slices width and height only.
    public func orientation(_ view: GridView) -> String {
        let stored = Array(affine.orientation)
        return String(axes(view).map { stored[$0] })
    }

    /// Distance of neighbouring voxels along the same axes in millimetres.
    public func millimetres(_ view: GridView) -> [Double] {
        let lengths = affine.columnLengths
        return axes(view).map { lengths[$0] }
    }

    /// The file's axes (x, y, z) that are width, height and depth.
    private func axes(_ view: GridView) -> [Int] {
        let order = affine.order(slicing: view.slices)
        return order.axes.reversed().map { 2 - $0 }.prefix(view.isPlanar ? 2 : 3).map { $0 }
    }

    // MARK: Sizes

    /// Distance of neighbouring voxels along x, y and z of the file in millimetres, by the transform and by
    /// `pixdim`. Those of a sheared grid agree too.
    public var voxelMillimetres: (transform: SIMD3<Double>, pixdim: SIMD3<Double>) {
        (affine.columnLengths, SIMD3(abs(pixdim.x), abs(pixdim.y), abs(pixdim.z)))
    }
}

/// How networks meet volumes: slices of a plane, or all three axes as they are stored.
public struct GridView: Hashable, Sendable {
    public let slices: SlicePlane
    public let isPlanar: Bool

    public init(slices: SlicePlane, isPlanar: Bool) {
        (self.slices, self.isPlanar) = (isPlanar ? slices : .stored, isPlanar)
    }
}
