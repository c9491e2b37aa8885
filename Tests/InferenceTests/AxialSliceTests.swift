import Geometry
import Sampling
import Testing

@testable import Inference

@Suite struct AxialSliceTests {
    /// 2 slices of 2 rows of 3 voxels, numbered in the order of the file; the second slice holds the
    /// foreground.
    private let extent = Size3(2, 2, 3)
    private let labels: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0]
    private var numbers: [Int] { Array(0..<extent.count) }

    @Test func theFrontIsUpAndTheRightSideOnTheLeft() {
        // x to the right, y to the front, z to the top.
        let geometry = VolumeGeometry(extent: extent, spacing: [1, 2, 3], origin: .zero)
        let slice = AxialSlice(geometry, mostOf: labels)
        #expect(slice.width == 3 && slice.height == 2 && slice.aspect == 2)
        #expect(slice.cut(numbers) == [11, 10, 9, 8, 7, 6])
        #expect(slice.cut(labels) == [0, 1, 0, 0, 1, 0])
    }

    @Test func axesOfTheFileMayBeTurned() {
        var geometry = VolumeGeometry(extent: extent, spacing: [1, 1, 1], origin: .zero)
        // x to the left, y to the back.
        geometry.sform.rows[0] = [-1, 0, 0, 0]
        geometry.sform.rows[1] = [0, -1, 0, 0]
        #expect(AxialSlice(geometry, mostOf: labels).cut(numbers) == [6, 7, 8, 9, 10, 11])
        // x to the top, y to the right, z to the front: the slice with the most foreground is that of x = 1.
        geometry.sform.rows[0] = [0, 1, 0, 0]
        geometry.sform.rows[1] = [0, 0, 1, 0]
        geometry.sform.rows[2] = [1, 0, 0, 0]
        let turned = AxialSlice(geometry, mostOf: labels)
        #expect(turned.width == 2 && turned.height == 2)
        #expect(turned.cut(numbers) == [10, 7, 4, 1])
    }

    @Test func ofEqualSlicesTheFirstIsTaken() {
        let geometry = VolumeGeometry(extent: extent, spacing: [1, 1, 1], origin: .zero)
        let none = AxialSlice(geometry, mostOf: [UInt8](repeating: 0, count: 12))
        #expect(none.cut(numbers) == [5, 4, 3, 2, 1, 0])
    }
}
