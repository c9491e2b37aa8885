import Geometry
import Testing

@testable import Sampling

@Suite struct PhantomTests {
    @Test func aSubjectIsAPureFunctionOfSeedAndIndex() throws {
        let phantom = try Phantom(size: 24, foreground: 0.004, seed: 3)
        let subject = try phantom.subject(1)
        let again = try phantom.subject(1)
        #expect(subject.flair.voxels == again.flair.voxels)
        #expect(subject.lesion.labels == again.lesion.labels)
        #expect(subject.name == "phantom-002")
        #expect(try phantom.subject(0).flair.voxels != subject.flair.voxels)
        #expect(
            try Phantom(size: 24, foreground: 0.004, seed: 4).subject(1).flair.voxels != subject.flair.voxels)
    }

    @Test(arguments: [0.001, 0.002, 0.01])
    func foregroundIsThatAskedFor(foreground: Double) throws {
        let subject = try Phantom(size: 32, foreground: foreground, seed: 2).subject(0)
        let count = subject.lesion.labels.count { $0 != 0 }
        // To the voxel: 33, 66 and 328 of 32768.
        #expect(count == Int((foreground * 32768).rounded()))
    }

    @Test func contrastsOfTheTissues() throws {
        let subject = try Phantom(size: 48, foreground: 0.002, seed: 5).subject(0)
        func mean(_ volume: Volume, _ isInside: (Int) -> Bool) -> Float {
            let inside = volume.voxels.indices.filter(isInside)
            return inside.reduce(0) { $0 + volume.voxels[$1] } / Float(max(1, inside.count))
        }
        let (lesion, white) = (subject.lesion.labels, subject.whiteMatter.labels)
        #expect(zip(lesion, white).allSatisfy { $0 == 0 || $1 == 1 })
        for (volume, least, greatest) in [
            (subject.flair, Float(1.4), Float(2.1)), (subject.t2, 1.3, 2), (subject.t1, 0.7, 0.95),
        ] {
            let ratio = mean(volume) { lesion[$0] == 1 } / mean(volume) { white[$0] == 1 && lesion[$0] == 0 }
            #expect((least...greatest).contains(ratio))
        }
        // A corner is air: noise only.
        #expect(mean(subject.flair) { $0 < 48 } < 0.15 * mean(subject.flair) { white[$0] == 1 })
        #expect(subject.flair.geometry.orientation == "RAS")
        #expect(subject.flair.geometry.spacing == SIMD3(4, 4, 4))
        // White matter is a tenth or so of the cube.
        #expect((0.04...0.2).contains(Double(white.count { $0 == 1 }) / Double(white.count)))
    }

    @Test func moreLesionsThanTheWhiteMatterHolds() throws {
        let phantom = try Phantom(size: 24, foreground: 0.05, seed: 1)
        let error = #expect(throws: PhantomError.self) {
            for index in 0..<5 { _ = try phantom.subject(index) }
        }
        guard case .tooLittleWhiteMatter(691, let found, 24) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found < 1382)
    }

    @Test func valuesOutOfRange() {
        #expect(throws: PhantomError.size(20)) { try Phantom(size: 20) }
        #expect(throws: PhantomError.foreground(0, least: 1.0 / 32768)) {
            try Phantom(size: 32, foreground: 0)
        }
        #expect(throws: PhantomError.foreground(0.5, least: 1.0 / 32768)) {
            try Phantom(size: 32, foreground: 0.5)
        }
    }

    @Test func writtenFilesAreASubjectList() throws {
        let folder = try TemporaryFolder()
        var done: [Int] = []
        let facts = try Phantom(size: 24, foreground: 0.004, seed: 1)
            .write(subjects: 2, to: folder.file("out")) { done.append($0) }
        #expect(done == [1, 2])
        let list = try SubjectList(reading: facts.listPath)
        #expect(list.columns == ["flair", "t1", "t2", "lesion", "wm"])
        let files = try list.files(modalities: ["flair", "t1", "t2"], reference: "lesion", mask: "wm")
        #expect(files.map(\.subject) == facts.subjects.map(\.name))
        for (file, fact) in zip(files, facts.subjects) {
            let subject = try SubjectReader().read(file)
            #expect(subject.extent == Size3(cube: 24))
            let reference = try #require(subject.reference)
            #expect(reference.count { $0 == 1 } == fact.lesionVoxels)
            #expect(fact.lesionVoxels == 55)
            #expect(fact.lesions > 1)
            let mask = try LabelMap(reading: try #require(file.mask), classes: 2).labels
            #expect(mask.count { $0 == 1 } == fact.whiteMatterVoxels)
            let inside = subject.images.prefix(subject.extent.count).enumerated().filter {
                mask[$0.offset] == 1
            }
            let mean = inside.reduce(0.0) { $0 + Double($1.element) } / Double(inside.count)
            #expect(abs(mean) < 1e-6)
        }
    }

    @Test func componentsTouchByCorners() {
        let extent = Size3(2, 3, 4)
        var labels = [UInt8](repeating: 0, count: extent.count)
        for v in [(0, 0, 0), (1, 1, 1), (0, 0, 3), (0, 2, 3)] { labels[(v.0 * 3 + v.1) * 4 + v.2] = 1 }
        #expect(componentSizes(labels, extent: extent) == [2, 1, 1])
    }
}
