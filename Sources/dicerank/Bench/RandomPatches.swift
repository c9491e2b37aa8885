import Geometry
import Training

/// Patches that cost nothing to get: one of noise with one voxel of 50 in the foreground, in every slot.
struct RandomPatches: StepPatches {
    private let images: [Float]
    private let reference: [UInt8]
    let softClasses = 0

    init(channels: Int, inputSize: Size3, outputSize: Size3) {
        var random = SystemRandomNumberGenerator()
        images = (0..<channels * inputSize.count).map { _ in Float.random(in: -2...2, using: &random) }
        reference = (0..<outputSize.count).map { $0 % 50 == 0 ? 1 : 0 }
    }

    func withImages<R>(slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
        try images.withUnsafeBufferPointer(body)
    }

    func withReference<R>(slot: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        try reference.withUnsafeBufferPointer(body)
    }

    func withSoftReference<R>(slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
        preconditionFailure("the references of random patches are labels")
    }

    func place(ofGlobalSlot slot: Int) -> String? { "of noise" }
}
