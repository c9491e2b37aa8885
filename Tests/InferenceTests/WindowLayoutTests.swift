import Engine
import Geometry
import Testing

@testable import Inference

@Suite("Windows over a volume")
struct WindowLayoutTests {
    @Test("The last window of an axis is shifted back to end with the volume")
    func startsAreShifted() {
        #expect(WindowLayout.starts(length: 10, step: 4) == [0, 4, 6])
        #expect(WindowLayout.starts(length: 8, step: 4) == [0, 4])
        #expect(WindowLayout.starts(length: 3, step: 4) == [0])
        #expect(WindowLayout.starts(length: 1, step: 1) == [0])
    }

    @Test(
        "Every voxel is covered, by as many windows as the shape needs",
        arguments: [
            (Size3(7, 9, 11), Size3(3, 9, 4), 3 * 1 * 3),
            (Size3(1, 5, 5), Size3(1, 2, 5), 1 * 3 * 1),
            (Size3(4, 4, 4), Size3(6, 4, 1), 1 * 1 * 4),
        ])
    func coversTheVolume(volume: Size3, effective: Size3, windows: Int) {
        let layout = WindowLayout(volume: volume, border: Size3(2, 2, 2), effective: effective)
        #expect(layout.origins.count == windows)
        #expect(
            layout.window == Size3(effective.depth + 4, effective.height + 4, effective.width + 4))
        var labels = [UInt8](repeating: 0, count: volume.count)
        let ones =
            [Float](repeating: 0, count: effective.count) + [Float](repeating: 1, count: effective.count)
        for origin in layout.origins {
            layout.storeLabels(of: ones, classes: 2, at: origin, in: &labels)
        }
        #expect(labels == [UInt8](repeating: 1, count: volume.count))
    }

    @Test("A window reads zeros outside the volume and its own voxels inside")
    func loadsWithZeros() {
        let layout = WindowLayout(volume: Size3(1, 2, 3), border: Size3(0, 1, 1), effective: Size3(1, 2, 2))
        #expect(layout.origins.map(\.x) == [0, 1])
        let images: [Float] = [1, 2, 3, 4, 5, 6] + [10, 20, 30, 40, 50, 60]
        var input = [Float](repeating: -1, count: 2 * layout.window.count)
        input.withUnsafeMutableBufferPointer {
            layout.load(images, channels: 2, at: layout.origins[1], into: $0)
        }
        // Rows of 4: the window starts one voxel before width 1 and one row above the volume.
        #expect(Array(input[..<16]) == [0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0])
        #expect(Array(input[16...]) == [0, 0, 0, 0, 10, 20, 30, 0, 40, 50, 60, 0, 0, 0, 0, 0])
    }

    @Test("The chosen window is the cheapest that the memory allows, and need not be a cube")
    func choosesTheCheapest() throws {
        let border = Size3(2, 2, 2)
        let volume = Size3(20, 12, 12)
        let whole = try #require(
            WindowLayout.choose(volume: volume, border: border, maximumWindowVoxels: .max) { _, _ in true })
        #expect(whole.window == Size3(24, 16, 16))
        #expect(whole.origins.count == 1)
        // 14 x 16 x 16 = 3584 voxels: halving the longest axis costs least.
        let halved = try #require(
            WindowLayout.choose(volume: volume, border: border, maximumWindowVoxels: 3600) { _, _ in true })
        #expect(halved.window == Size3(14, 16, 16))
        #expect(halved.computedVoxels == 2 * 3584)
        let none = WindowLayout.choose(volume: volume, border: border, maximumWindowVoxels: 124) { _, _ in
            true
        }
        #expect(none == nil)
    }

    @Test("A window has lengths that the network takes")
    func respectsTheNetwork() throws {
        let layout = try #require(
            WindowLayout.choose(
                volume: Size3(20, 20, 20), border: Size3(24, 24, 24), maximumWindowVoxels: .max
            ) { _, length in length % 6 == 3 })
        #expect(layout.window == Size3(69, 69, 69))
        #expect(layout.origins == [.zero])
    }

    @Test("Of equally probable classes the first is the label")
    func tiesGoToTheFirstClass() {
        let layout = WindowLayout(volume: Size3(1, 1, 3), border: Size3(0, 0, 0), effective: Size3(1, 1, 3))
        var labels: [UInt8] = [9, 9, 9]
        layout.storeLabels(
            of: [0.5, 0.2, 0.3] + [0.5, 0.4, 0.3] + [0, 0.4, 0.4], classes: 3, at: layout.origins[0],
            in: &labels)
        #expect(labels == [0, 1, 2])
    }
}

@Suite("Memory of a window")
struct WindowMemoryTests {
    /// In GiB.
    struct Case: Sendable {
        let ranks, reserved, free, expected: Int
    }

    static let cases = [
        Case(ranks: 1, reserved: 0, free: 24, expected: 8),
        Case(ranks: 2, reserved: 0, free: 24, expected: 4),
        Case(ranks: 2, reserved: 4, free: 24, expected: 4),
        Case(ranks: 2, reserved: 5, free: 24, expected: 2),
        Case(ranks: 1, reserved: 0, free: 16, expected: 8),
    ]

    @Test("Half of a rank's share, less what is reserved, as a power of two", arguments: cases)
    func share(_ one: Case) {
        let found = WindowMemory.bytes(ranks: one.ranks, reserved: one.reserved << 30, free: one.free << 30)
        #expect(found == one.expected << 30)
    }

    @Test("Where nothing is left, a byte: the window is refused with the numbers")
    func nothing() {
        #expect(WindowMemory.bytes(ranks: 1, reserved: 2 << 30, free: 1 << 30) == 1)
    }
}
