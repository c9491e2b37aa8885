import CNIfTI
import Geometry

/// What the header of a NIfTI-1 or NIfTI-2 file says, in either byte order, checked before anything goes by
/// it.
///
/// The library reads headers too, but it prints what it finds wrong to standard error, of which some cannot
/// be silenced, and repairs sizes and spacings without a word.
struct NIfTIHeader {
    /// Whether the voxels lie in a file of their own.
    let isPair: Bool
    let isNIfTI2: Bool
    let isSwapped: Bool
    /// Along x, y, z and what follows; each at least 1.
    let shape: [Int]
    let datatype: NIfTIDatatype
    /// Bytes before the first voxel, in the file that holds the voxels.
    let dataOffset: Int
    /// Value of a voxel: `slope * stored + intercept`.
    let slope: Double
    let intercept: Double
    /// Along x, y and z, above 0; 1 where the header leaves it out.
    let spacing: SIMD3<Double>
    let units: Int
    let qformCode: Int
    let sformCode: Int
    let qfac: Double
    /// Quaternion b, c, d; finite, as is all that follows.
    let quaternion: SIMD3<Double>
    let quaternionOffset: SIMD3<Double>
    let sform: Affine
    /// What the program that wrote the file says of it, `descrip`: 79 bytes at the most.
    let description: String

    /// The longest header: NIfTI-2's.
    static let longestByteCount = 540

    /// - Parameters:
    ///   - bytes: the file's first 540 bytes, or all where it has fewer.
    ///   - path: of the file, for messages.
    /// - Throws: `NIfTIError`.
    init(_ bytes: [UInt8], path: String) throws(NIfTIError) {
        guard !bytes.isEmpty else {
            throw .unreadable(path: path, reason: "it is empty, as after a copy that failed")
        }
        guard let fields = NIfTIFields(bytes) else { throw .notNIfTI(path: path) }
        func fault(_ fault: String) -> NIfTIError { .header(path: path, fault: fault) }

        isNIfTI2 = fields.layout == .second
        isSwapped = fields.isSwapped
        isPair = fields.isPair
        guard fields.hasSoundSignature else {
            throw fault(
                "the line ends of its signature are changed, as by a transfer of text; transfer it as binary")
        }
        shape = try Self.shape(fields, fault)
        datatype = try Self.datatype(fields, path, fault)
        dataOffset = try Self.dataOffset(fields, fault)
        (slope, intercept) = try Self.scaling(fields, fault)
        spacing = try Self.spacing(fields, dimensions: shape.count, fault)

        units = fields.units
        qformCode = fields.integer(fields.layout.qformCode)
        sformCode = fields.integer(fields.layout.sformCode)
        guard (0...255).contains(units), qformCode >= 0, sformCode >= 0 else {
            throw fault(
                "its codes of units and transforms (xyzt_units \(units), qform_code \(qformCode), sform_code "
                    + "\(sformCode)) are negative or too large")
        }
        description = fields.description
        let transforms = fields.reals(fields.layout.quaternion, count: 18)
        // What is not used may be anything: some tools leave it as it comes.
        func used(_ numbers: ArraySlice<Double>, _ code: Int, _ name: String) throws(NIfTIError) -> [Double] {
            if let bad = numbers.first(where: { !Self.isPlace($0) }), code > 0 {
                throw fault("its \(name) transform holds \(short(bad))")
            }
            return numbers.map { Self.isPlace($0) ? $0 : 0 }
        }
        let turn = try used(transforms[0..<6], qformCode, "qform")
        quaternion = SIMD3(turn[0], turn[1], turn[2])
        quaternionOffset = SIMD3(turn[3], turn[4], turn[5])
        let length = (quaternion * quaternion).sum()
        guard length <= 1.01 || qformCode == 0 else {
            throw fault("its qform is no turn: the squares of its quaternion add up to \(short(length))")
        }
        let first = fields.real(fields.layout.pixdim)
        qfac = first.isFinite ? first : 0
        let rows = try used(transforms[6..<18], sformCode, "sform")
        sform = Affine(
            rows: stride(from: 0, to: 12, by: 4).map {
                SIMD4(rows[$0], rows[$0 + 1], rows[$0 + 2], rows[$0 + 3])
            })
        // Also where rounding leaves a little of a determinant that is 0.
        let lengths = sform.columnLengths
        guard sformCode == 0 || abs(sform.determinant) > 1e-9 * lengths.x * lengths.y * lengths.z else {
            throw fault("its sform transform puts all voxels onto a plane or a line (its determinant is 0)")
        }
    }

    /// The transform of the quaternion, or of the spacing alone where there is none. The corresponding C
    /// function is `nifti_quatern_to_dmat44`.
    var qform: Affine {
        guard qformCode > 0 else { return Affine(spacing: spacing, origin: .zero) }
        let matrix = nifti_quatern_to_dmat44(
            quaternion.x, quaternion.y, quaternion.z, quaternionOffset.x, quaternionOffset.y,
            quaternionOffset.z,
            spacing.x, spacing.y, spacing.z, qfac < 0 ? -1 : 1
        ).m
        return Affine(
            rows: [matrix.0, matrix.1, matrix.2].map { SIMD4($0.0, $0.1, $0.2, $0.3) })
    }

    /// Whether a number can be a place in space or a distance, whatever its unit.
    private static func isPlace(_ value: Double) -> Bool { abs(value) <= 1e9 }

    // MARK: Fields

    private typealias Fault = (String) -> NIfTIError

    private static func shape(_ fields: NIfTIFields, _ fault: Fault) throws(NIfTIError) -> [Int] {
        let sizes = fields.integers(fields.layout.dim, count: 8)
        guard (1...7).contains(sizes[0]) else {
            throw fault("it announces \(sizes[0]) dimensions, and 1 to 7 are expected")
        }
        // Some tools write 0 for an axis beyond the third that the image does not have.
        let shape = sizes[1...sizes[0]].enumerated().map { $0.offset > 2 && $0.element == 0 ? 1 : $0.element }
        // No voxel count whose bytes overflow an integer.
        guard shape.allSatisfy({ $0 > 0 }), shape.reduce(1.0, { $0 * Double($1) }) < 1e15 else {
            throw fault("it announces \(shape.map(String.init).joined(separator: " x ")) voxels")
        }
        return shape
    }

    private static func datatype(
        _ fields: NIfTIFields, _ path: String, _ fault: Fault
    ) throws(NIfTIError) -> NIfTIDatatype {
        let code = fields.integer(fields.layout.datatype)
        let bits = fields.integer(fields.layout.bitpix)
        guard let datatype = NIfTIDatatype(rawValue: Int32(code)) else {
            guard let name = NIfTIDatatype.unsupported[code] else {
                throw fault("its datatype is \(code), which NIfTI does not define")
            }
            throw .unsupportedDatatype(path: path, datatype: name)
        }
        guard bits == 0 || bits == 8 * datatype.bytes else {
            throw fault(
                "its voxels are of type \(datatype), which has \(8 * datatype.bytes) bits, and of \(bits) bits"
            )
        }
        return datatype
    }

    private static func dataOffset(_ fields: NIfTIFields, _ fault: Fault) throws(NIfTIError) -> Int {
        let offset = fields.voxelOffset
        // A single file's voxels lie behind its header; 0 stands for the place right behind it.
        let least = fields.isPair ? 0 : fields.layout.byteCount
        let found = offset == 0 && !fields.isPair ? Double(fields.layout.byteCount + 4) : offset
        guard found >= Double(least), found < 1e15, found == found.rounded() else {
            throw fault("its voxels begin at byte \(short(offset)) (vox_offset)")
        }
        return Int(found)
    }

    private static func scaling(
        _ fields: NIfTIFields, _ fault: Fault
    ) throws(NIfTIError) -> (slope: Double, intercept: Double) {
        let slope = fields.real(fields.layout.slope)
        let intercept = fields.real(fields.layout.intercept)
        // Both are ways to say that nothing is scaled.
        if slope == 0 || slope.isNaN { return (1, 0) }
        guard slope.isFinite, intercept.isFinite else {
            throw fault(
                "it scales voxels by \(short(slope)) (scl_slope) and adds \(short(intercept)) (scl_inter)")
        }
        return (slope, intercept)
    }

    private static func spacing(
        _ fields: NIfTIFields, dimensions: Int, _ fault: Fault
    ) throws(NIfTIError) -> SIMD3<Double> {
        var spacing = SIMD3<Double>(1, 1, 1)
        for (axis, stored) in fields.reals(fields.layout.pixdim, count: 4).dropFirst().enumerated()
        where axis < dimensions && stored != 0 {
            // Older tools mark a flipped axis by a negative distance; the transforms say it too.
            let distance = abs(stored)
            guard distance >= 1e-9, isPlace(distance) else {
                throw fault("its voxels lie \(short(stored)) apart along \(["x", "y", "z"][axis]) (pixdim)")
            }
            spacing[axis] = distance
        }
        return spacing
    }
}

extension NIfTIDatatype {
    /// Types of voxels that NIfTI defines and that are not read, by their numbers, with their names.
    static let unsupported = [
        1: "1 bit", 32: "complex64", 128: "RGB24", 1536: "float128", 1792: "complex128", 2048: "complex256",
        2304: "RGBA32",
    ]
}
