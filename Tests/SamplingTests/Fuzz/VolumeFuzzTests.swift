import Foundation
import Fuzzing
import Geometry
import Testing

@testable import Sampling

/// Damaged volumes are read right or refused with one sentence, and nothing else is said.
@Suite struct VolumeFuzzTests {
    @Test func damagedVolumes() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            FuzzRun("volume").run { random in
                try VolumeCase(folder: folder, &random).outcome(&random)
            }
        }
        let complaints = FuzzRun("volume").complaints()
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }
}

/// A subject of four files of which one is damaged.
private struct VolumeCase {
    /// What was done to the damaged file.
    private enum Harm {
        case none
        /// To the header alone, before compression.
        case header
        /// To the voxels alone, before compression.
        case voxels
        /// To a file as it lies on the disk.
        case file
    }

    private let folder: TemporaryFolder
    private let role: SoundVolume.Role
    private let sound: SoundVolume
    private let harm: Harm
    private let files: SubjectFiles
    private let kind: ReferenceKind
    private let path: String
    private let names: [String]
    /// Whether the voxels, if they are read at all, are those of the sound file.
    private let mustBeEqual: Bool

    init(folder: TemporaryFolder, _ random: inout SeededGenerator) throws {
        self.folder = folder
        for name in try folder.names { unlink(folder.file(name)) }
        role = random.one(of: SoundVolume.Role.allCases)
        kind = role == .probabilities ? .probabilities : .labels
        sound = SoundVolume(role, &random)
        harm = random.one(of: [.none, .header, .header, .header, .header, .voxels, .file, .file, .file])
        let stem = folder.file("damaged")
        let (named, data) = sound.paths(stem)
        var changed = sound
        let other = SoundVolume(.image, &random)
        switch harm {
        case .header:
            for _ in 0...random.below(2) {
                if random.once(in: 4) {
                    Damage.bytes(&changed.header, splicing: other.header, &random)
                } else {
                    let field = random.one(of: sound.fields)
                    Damage.number(
                        in: &changed.header, at: field.offset, size: field.size, isReal: field.isReal,
                        isBigEndian: sound.isBigEndian, &random)
                }
            }
        case .voxels: Damage.bytes(&changed.voxels, splicing: other.voxels, &random)
        case .none, .file: break
        }
        if named == data {
            writeFile(changed.header + changed.voxels, to: named)
        } else {
            writeFile(changed.header, to: named)
            writeFile(changed.voxels, to: data)
        }
        if harm == .file {
            let target = random.once(in: 2) ? named : data
            var bytes = readBytes(target)
            Damage.bytes(&bytes, splicing: other.header + other.voxels, &random)
            if random.once(in: 40) {
                unlink(target)
            } else {
                try Data(bytes).write(to: URL(fileURLWithPath: target))
            }
        }
        path = named != data && random.once(in: 4) ? data : named
        mustBeEqual =
            switch harm {
            case .none: true
            case .header: sound.agreesOnVoxels(with: changed.header)
            // A stream that is accepted had the right checksum.
            case .file:
                data.hasSuffix(".gz") && readBytes(data).starts(with: [0x1F, 0x8B])
                    && (named == data || readBytes(named).starts(with: [0x1F, 0x8B]))
            case .voxels: false
            }

        func plain(_ name: String, _ values: [Float]) throws -> String {
            let file = folder.file(name)
            try Volume(geometry: Self.grid, voxels: values).write(to: file)
            return file
        }
        let count = SoundVolume.extent.count
        let image = role == .image ? path : try plain("image.nii", (0..<count).map { Float($0) + 1 })
        let reference =
            role == .labels || role == .probabilities
            ? path : try plain("reference.nii", (0..<count).map { $0 == 7 ? 1 : 0 })
        files = SubjectFiles(
            subject: "s", images: [.init(modality: "flair", path: image)], reference: reference,
            mask: role == .mask ? path : nil)
        // A damaged mask can leave of a sound image what cannot be normalised, which names that image.
        names = [named, data, image]
    }

    /// That of the sound files where they have an affine transform.
    private static let grid: VolumeGeometry = {
        var grid = VolumeGeometry(extent: SoundVolume.extent, spacing: SIMD3(2, 3, 4), origin: .zero)
        grid.sform = Affine(rows: [SIMD4(-2, 0, 0, 10), SIMD4(0, 3, 0, -20), SIMD4(0, 0, 4, -30)])
        return grid
    }()

    func outcome(_ random: inout SeededGenerator) throws -> FuzzRun.Outcome {
        try readVolume()
        let reader = SubjectReader(
            normalisation: role == .mask || random.once(in: 2) ? .zscore : .none, referenceKind: kind,
            slices: random.one(of: SlicePlane.allCases))
        do {
            let subject = try reader.read(files)
            guard subject.images.allSatisfy(\.isFinite) else {
                throw FuzzRun.Fault("an image that is not finite was accepted")
            }
            guard subject.reference?.allSatisfy({ $0 < 2 }) == true else {
                throw FuzzRun.Fault("a label outside of the classes was accepted")
            }
            try check(subject.geometry)
            return .accepted(harm == .none ? "sound" : "damaged, as a subject")
        } catch let error as NIfTIError {
            if harm == .none, !(sound.isSeries && kind == .labels) {
                throw FuzzRun.Fault("a sound file was refused: \(error)")
            }
            return .refused(error, naming: names)
        } catch let error as SubjectError {
            if harm == .none {
                throw FuzzRun.Fault("a sound subject was refused: \(error)")
            }
            return .refused(error, naming: names)
        }
    }

    /// Reads the damaged file by itself: what comes of it where it is accepted must be right.
    private func readVolume() throws {
        do {
            let volume = try Volume(reading: path)
            guard volume.voxels.allSatisfy(\.isFinite) else {
                throw FuzzRun.Fault("voxels that are not finite were accepted")
            }
            try check(volume.geometry)
            if mustBeEqual, volume.voxels != sound.values {
                throw FuzzRun.Fault(
                    "voxels that nothing has touched differ: \(sound.container), NIfTI-\(sound.version), \(harm)"
                )
            }
        } catch let error as NIfTIError {
            if let fault = Sentence.fault(in: "\(error)", naming: names) { throw FuzzRun.Fault(fault) }
            if harm == .none, !sound.isSeries { throw FuzzRun.Fault("a sound file was refused: \(error)") }
        }
    }

    private func check(_ geometry: VolumeGeometry) throws {
        let spacing = [geometry.spacing.x, geometry.spacing.y, geometry.spacing.z]
        guard spacing.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw FuzzRun.Fault("the spacing \(spacing) was accepted")
        }
        let numbers = geometry.affine.rows.flatMap { [$0.x, $0.y, $0.z, $0.w] }
        guard numbers.allSatisfy({ $0.isFinite && abs($0) < 1e15 }) else {
            throw FuzzRun.Fault("the transform \(numbers) was accepted")
        }
        guard geometry.extent.count > 0, geometry.extent.count <= 1 << 20 else {
            throw FuzzRun.Fault("\(geometry.extent.xyz) voxels were accepted")
        }
        // What was read can be written: a result is, on the same grid.
        try LabelMap(geometry: geometry, labels: Array(repeating: 0, count: geometry.extent.count))
            .write(to: folder.file("result.nii"))
        guard try Volume(reading: folder.file("result.nii")).geometry.extent == geometry.extent else {
            throw FuzzRun.Fault("a result on the grid reads back as another")
        }
    }
}
