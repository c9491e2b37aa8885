import Geometry
import Testing

@Suite struct VoxelTests {
    @Test func sizesAreSaidInTheOrderOfWhoReadsThem() {
        var size = Size3(155, 240, 200)
        #expect(size.description == "155x240x200")
        #expect(size.xyz == "200 x 240 x 155")
        #expect(size.count == 7_440_000)
        for axis in 0..<3 { size[axis] += axis }
        #expect(size == Size3(155, 241, 202))
        #expect(Size3 { 10 * $0 } == Size3(0, 10, 20))
        #expect(Size3(cube: 3) == Size3(3, 3, 3))
    }

    @Test func offsetsAndPlacesAreEachOthers() {
        let size = Size3(2, 3, 4)
        for offset in 0..<size.count {
            let place = VoxelIndex(offset: offset, in: size)
            #expect((place.z * 3 + place.y) * 4 + place.x == offset)
            #expect([place[0], place[1], place[2]] == [place.z, place.y, place.x])
        }
        #expect(VoxelIndex { -$0 } == VoxelIndex(z: 0, y: -1, x: -2))
        #expect("\(VoxelIndex(z: 3, y: 2, x: -1))" == "(-1, 2, 3)")
    }

    @Test func boxesAreHalfOpen() {
        let box = VoxelBox(origin: VoxelIndex(z: 1, y: 2, x: -3), size: Size3(1, 4, 5))
        #expect(box.upper == VoxelIndex(z: 2, y: 6, x: 2))
        #expect(box.size == Size3(1, 4, 5))
        #expect([box.range(0), box.range(1), box.range(2)] == [1..<2, 2..<6, -3..<2])
        #expect(VoxelBox(Size3(2, 3, 4)) == VoxelBox(lower: .zero, upper: VoxelIndex(z: 2, y: 3, x: 4)))
        let empty = VoxelBox(lower: VoxelIndex(z: 0, y: 5, x: 0), upper: VoxelIndex(z: 1, y: 3, x: 1))
        #expect(empty.range(1).isEmpty && empty.size == Size3(1, 0, 1))
    }

    @Test func aUnionHoldsBoth() {
        let one = VoxelBox(origin: VoxelIndex(z: 0, y: 4, x: 2), size: Size3(1, 1, 3))
        let other = VoxelBox(origin: VoxelIndex(z: 2, y: 1, x: 3), size: Size3(1, 2, 1))
        let both = VoxelBox(lower: VoxelIndex(z: 0, y: 1, x: 2), upper: VoxelIndex(z: 3, y: 5, x: 5))
        #expect(one.union(other) == both && other.union(one) == both)
        #expect(one.union(one) == one)
    }

    @Test func surroundingBoxes() {
        let inner = VoxelBox(origin: VoxelIndex(z: 5, y: 5, x: 0), size: Size3(3, 3, 1))
        let outer = inner.surrounded(by: Size3(9, 4, 1))
        #expect(outer == VoxelBox(origin: VoxelIndex(z: 2, y: 5, x: 0), size: Size3(9, 4, 1)))
        // A patch smaller than what it is to hold lies in its middle; the odd voxel goes in front then.
        #expect(inner.surrounded(by: Size3(2, 1, 1)).origin == VoxelIndex(z: 6, y: 6, x: 0))
        #expect([-3, -2, -1, 0, 1, 2, 3].map(floorHalf) == [-2, -1, -1, 0, 0, 1, 1])
    }
}
