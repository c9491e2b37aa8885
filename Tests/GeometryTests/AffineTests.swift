import Geometry
import Testing

/// What files say, as nibabel reads it, is compared with SamplingTests' orientations.
@Suite struct AffineTests {
    /// 30 degrees about z, then zoomed by 2, 3 and 4.
    private let oblique = Affine(
        columns: [SIMD3(2 * 0.75.squareRoot(), 1, 0), SIMD3(-1.5, 3 * 0.75.squareRoot(), 0), SIMD3(0, 0, 4)],
        origin: SIMD3(10, 20, 30))

    @Test func sizesComeFromColumns() {
        for (length, expected) in zip([0, 1, 2].map { oblique.columnLengths[$0] }, [2.0, 3, 4]) {
            #expect(abs(length - expected) < 1e-12)
        }
        #expect(abs(oblique.determinant - 24) < 1e-12)
        #expect(abs(oblique.scaled(by: 0.5).determinant - 3) < 1e-12)
        let mirrored = Affine(columns: [SIMD3(-1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)], origin: .zero)
        #expect(mirrored.determinant == -1)
    }

    @Test func voxelsGoToTheWorld() {
        #expect(oblique(.zero) == SIMD3(10, 20, 30))
        #expect(oblique(SIMD3(0, 0, 2)) == SIMD3(10, 20, 38))
        let plain = Affine(spacing: SIMD3(1, 2, 3), origin: SIMD3(-1, 0, 1))
        #expect(plain(SIMD3(1, 1, 1)) == SIMD3(0, 2, 4))
    }

    /// nibabel's default for a file without a transform: its centre is the world's, x runs to the left.
    @Test func withoutATransformTheCentreIsTheWorlds() {
        let affine = Affine(withoutTransform: SIMD3(1, 2, 3), size: Size3(5, 4, 3))
        #expect(affine(SIMD3(1, 1.5, 2)) == .zero)
        #expect(affine.orientation == "LAS")
    }

    @Test func lettersOfDirections() {
        #expect(oblique.orientation == "RAS")
        let permuted = Affine(
            columns: [SIMD3(0, -1, 0), SIMD3(0, 0, 2), SIMD3(3, 0, 0)], origin: .zero)
        #expect(permuted.orientation == "PSR")
        let flat = Affine(columns: [SIMD3(1, 0, 0), SIMD3(0, 1, 0), .zero], origin: .zero)
        #expect(flat.orientation == "RA?")
    }
}
