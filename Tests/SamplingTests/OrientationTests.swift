import Foundation
import Geometry
import Testing

@testable import Sampling

/// What a header says and how nibabel reads it: see Tests/Fixtures/make_orientations.py.
struct OrientationCase: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let rows: [[Double]]
    let sformCode, qformCode: Int
    let pixdim, quaternion: [Double]
    let qfac: Double
    let units: UInt8
    let orientation: String
    let cubicMillimetres: Double
    let millimetres: [Double]

    var testDescription: String { name }

    /// Whether all voxels lie on a plane, a line or a point.
    var isSingular: Bool { cubicMillimetres == 0 }

    static let all: [OrientationCase] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/orientations.json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode([OrientationCase].self, from: Data(contentsOf: file))
        } catch {
            preconditionFailure("\(file.path) cannot be read: \(error)")
        }
    }()

    /// A volume of 2 x 3 x 4 voxels with this header, in NIfTI-2, whose numbers are as exact as nibabel's.
    var file: HandmadeNIfTI {
        var file = HandmadeNIfTI(
            version: 2, dimensions: [2, 3, 4], datatype: 2, bitsPerVoxel: 8, qformCode: qformCode,
            sformCode: sformCode, rows: rows, quaternion: quaternion, qfac: qfac, pixdim: pixdim, units: units
        )
        file.voxels = [UInt8](repeating: 1, count: 24)
        return file
    }
}

@Suite struct OrientationTests {
    @Test func headersAreReadAsNibabelReadsThem() throws {
        let folder = try TemporaryFolder()
        #expect(OrientationCase.all.count >= 50)
        for one in OrientationCase.all where !one.isSingular {
            let geometry = try Volume(reading: folder.write(one.file.bytes, to: "a.nii")).geometry
            #expect(geometry.orientation == one.orientation, "\(one.name)")
            let volume = geometry.voxelCubicMillimetres
            #expect(
                abs(volume - one.cubicMillimetres) <= 1e-9 * one.cubicMillimetres, "\(one.name): \(volume)")
            for axis in 0..<3 {
                let length = geometry.voxelMillimetres[axis]
                #expect(abs(length - one.millimetres[axis]) <= 1e-9 * length, "\(one.name): \(length)")
            }
        }
    }

    /// nibabel reads such a file; nothing that is measured in it has a meaning.
    @Test(arguments: OrientationCase.all.filter(\.isSingular))
    func transformsWithoutAVolumeAreRefused(of one: OrientationCase) throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: NIfTIError.self) {
            try Volume(reading: folder.write(one.file.bytes, to: "a.nii"))
        }
        #expect("\(try #require(error))".contains("(its determinant is 0)"), "\(one.name)")
    }

    /// The sizes that were wrong: by `pixdim`, or without the unit.
    @Test(arguments: [
        // Microns; an affine of 2 mm with a pixdim of 1; sheared, so that the edges' product is too much.
        (UInt8(3), [[1000.0, 0, 0, 0], [0, 1000, 0, 0], [0, 0, 1000, 0]], [1000.0, 1000, 1000], 1.0),
        (2, [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]], [1, 1, 1], 8),
        (0, [[1, 0.8, 0, 0], [0, 0.6, 0, 0], [0, 0, 1, 0]], [1, 1, 1], 0.6),
        (1, [[-0.001, 0, 0, 0], [0, 0.001, 0, 0], [0, 0, 0.003, 0]], [0.001, 0.001, 0.003], 3),
    ])
    func volumesGoByTheTransformInMillimetres(
        units: UInt8, rows: [[Double]], pixdim: [Double], expected: Double
    ) throws {
        let folder = try TemporaryFolder()
        var file = HandmadeNIfTI(dimensions: [2, 3, 4], datatype: 2, bitsPerVoxel: 8, rows: rows)
        (file.pixdim, file.units, file.voxels) = (pixdim, units, [UInt8](repeating: 1, count: 24))
        let geometry = try Volume(reading: folder.write(file.bytes, to: "a.nii")).geometry
        #expect(abs(geometry.voxelCubicMillimetres - expected) < 1e-6 * expected)
    }

    @Test func aTransformThatIsNotFiniteHasNoDirection() {
        var geometry = VolumeGeometry(extent: Size3(cube: 2), spacing: [1, 1, 1], origin: .zero)
        geometry.sform.rows[1].y = .nan
        #expect(geometry.orientation == "???")
    }

    /// An image of a single slice may be written with a transform that says nothing of the axis across.
    @Test func gridsWithoutADirectionAcrossAreCompared() {
        var geometry = VolumeGeometry(extent: Size3(1, 4, 4), spacing: [1, 1, 2], origin: .zero)
        geometry.sform.rows[2].z = 0
        var other = geometry
        other.sform.rows[0].w = 0.01
        #expect(other.difference(from: geometry) == nil)
    }

    /// x runs to the back, y to the top, z to the right. Axial slices of it run to the back along rows, to
    /// the right along columns.
    @Test func gridsAreSeenAsNetworksMeetThem() throws {
        var geometry = VolumeGeometry(extent: Size3(2, 3, 4), spacing: [1, 1, 1], origin: .zero)
        geometry.sform.rows = [[0, 0, 3, 0], [-1, 0, 0, 0], [0, 2, 0, 0]]
        let grid = SubjectGrid("s", geometry)
        let volumes = GridView(slices: .axial, isPlanar: false)
        #expect(grid.orientation(volumes) == "PSR")
        #expect(grid.millimetres(volumes) == [1, 2, 3])
        let axial = GridView(slices: .axial, isPlanar: true)
        #expect(grid.orientation(axial) == "PR")
        #expect(grid.millimetres(axial) == [1, 3])
        #expect(grid.orientation(GridView(slices: .stored, isPlanar: true)) == "PS")
        #expect(SubjectGrid("s", numbers: grid.numbers) == grid)
    }
}
