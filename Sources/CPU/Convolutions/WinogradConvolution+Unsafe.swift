import CKernels
import Engine
import Geometry

/// 3^3 convolution by Winograd's minimal filtering F(4,3)^3 (Lavin and Gray 2016, in three dimensions), or
/// F(4,3)^2.
///
/// 216 products stand for 1,728 of the direct sum. Rounding: about 1e-6 of a result's norm, against 3e-7
/// directly. The gradient with respect to the input is the same pass with mirrored weights; that of the
/// weights is F(3,4)^3.
final class WinogradConvolution: ConvolutionKernel {
    private let convolution: Graph.Convolution
    private let context: Context
    private let epilogue: Epilogue
    private let region: Region
    private let weights: any WeightStore
    private let bias: ParameterArena.Entry?
    /// The bias, padded to whole blocks.
    private let lanes: FloatStorage
    private let forwardPass: Pass
    private var dataPass: Pass?
    private var weightsScratch: Buffer?
    private var gradientEpilogue: GradientEpilogue?
    private let outputs: VoxelRuns

    /// A convolution pass: its tiles, the transformed weights, and the tiles in flight.
    private struct Pass {
        let tiles: WinogradTiles
        let weights, scratch: Buffer

        init(x: Tensor, y: Tensor, tiles: WinogradTiles, context: Context, step: Int) {
            self.tiles = tiles
            var shape = tiles.kernelView(x: x, y: y, bound: false)
            weights = context.planner.buffer(count: Int(dr_winograd_weight_floats(&shape)), at: step)
            scratch = context.planner.buffer(
                count: Int(dr_winograd_scratch_floats(&shape, Int32(context.threads))), at: step)
        }
    }

    /// Whether the algorithm applies.
    static func computes(_ c: Graph.Convolution, planar: Bool) -> Bool {
        !c.transposed && c.kernel == (planar ? Size3(1, 3, 3) : Size3(cube: 3))
            && max(c.inputChannels, c.outputChannels) <= Int(DR_WINOGRAD_CHANNELS.rawValue)
    }

    /// - Parameter weights: Those of the model where nil.
    init(
        _ convolution: Graph.Convolution, x: Operand, y: Tensor, epilogue: Epilogue, region: Region,
        weights: (any WeightStore)? = nil, context: Context, step: Int
    ) {
        (self.convolution, self.context) = (convolution, context)
        (self.epilogue, self.region) = (epilogue, region)
        self.weights = weights ?? ArenaWeights(context, name: "\(convolution.name).weight")
        bias = context.model.parameters.entry(named: "\(convolution.name).bias")
        lanes = FloatStorage(count: y.layout.paddedChannels)
        outputs = context.voxels(of: y.layout)
        let tiles = WinogradTiles(
            x: x.tensor.layout, y: y.layout, zeros: Self.zeros(convolution), region: region)
        forwardPass = Pass(x: x.tensor, y: y, tiles: tiles, context: context, step: step)
        epilogue.shortcut?.buffer.touch(step)
    }

    let algorithm = "Winograd F(4,3)"

    func prepareBackward(
        x: Operand, y: Tensor, data: Bool, epilogue: GradientEpilogue?, step: Int
    ) throws(EngineError) {
        gradientEpilogue = epilogue
        epilogue?.before.buffer.touch(step)
        let share = context.slotGradients.isEmpty ? (x.tensor, y) : (x.tensor.slice(0), y.slice(0))
        var shape = forwardPass.tiles.kernelView(x: share.0, y: share.1, bound: false)
        let floats = dr_winograd_gradient_scratch_floats(&shape, Int32(context.threads))
        weightsScratch = context.planner.buffer(count: Int(floats), at: step)
        guard data else { return }
        // The gradient reaches every voxel that statistics were formed over, though often as zero.
        let tiles = WinogradTiles(
            x: y.layout, y: x.tensor.layout,
            zeros: Size3 { convolution.kernel[$0] - 1 - Self.zeros(convolution)[$0] },
            region: Region(x: region.y, y: VoxelBox(x.tensor.layout.size)))
        dataPass = Pass(x: y, y: x.tensor, tiles: tiles, context: context, step: step)
    }

    func forward(x: Operand, y: Tensor) throws(EngineError) {
        var shape = forwardPass.tiles.kernelView(x: x.tensor, y: y, bound: true)
        if let bias {
            let values = context.model.parameters.pointer(bias)
            lanes.pointer.update(from: values, count: convolution.outputChannels)
            shape.bias = UnsafePointer(lanes.pointer)
        }
        withAffine(of: x, &shape) { shape in
            guard let shortcut = epilogue.shortcut else { return sum(&shape, forwardPass) }
            shape.residual_block = Int64(epilogue.firstChannel / y.layout.block)
            withUnsafePointer(to: shortcut.kernelView) {
                shape.residual = $0
                sum(&shape, forwardPass)
            }
        }
    }

    /// Runs the pass, and keeps the sums if they are asked for.
    private func sum(_ shape: inout dr_winograd, _ pass: Pass) {
        guard let sums = epilogue.sums else { return run(&shape, pass, mirrored: false) }
        sums.values.withUnsafeMutableBufferPointer {
            shape.sums = $0.baseAddress
            run(&shape, pass, mirrored: false)
        }
    }

    func backwardWeights(x: Operand, dy: Tensor) throws(EngineError) {
        guard let weightsScratch else { preconditionFailure("\(convolution.name) only infers") }
        var shape = forwardPass.tiles.kernelView(x: x.tensor, y: dy, bound: true)
        withAffine(of: x, &shape) { shape in
            dr_winograd_gradient(
                &shape, weights.gradients, Int32(convolution.outputChannels),
                Int32(convolution.inputChannels), weightsScratch.pointer, Int32(context.threads))
        }
        if let bias {
            storeBiasGradient(
                of: dy, channels: convolution.outputChannels, outputs, context.threads,
                into: context.gradients.pointer(bias))
        }
    }

    func backwardData(dy: Tensor, dx: Tensor) throws(EngineError) {
        guard let dataPass else { preconditionFailure("\(convolution.name) has no gradient of its input") }
        if !dataPass.tiles.coversAll {
            clear(dx, context.voxels(of: dx.layout), threads: context.threads)
        }
        var shape = dataPass.tiles.kernelView(x: dy, y: dx, bound: true)
        guard let gradientEpilogue else { return run(&shape, dataPass, mirrored: true) }
        withUnsafePointer(to: gradientEpilogue.before.kernelView) { before in
            withUnsafePointer(to: gradientEpilogue.affine.lanes.kernelView) { affine in
                (shape.before, shape.before_affine) = (before, affine)
                gradientEpilogue.sums.values.withUnsafeMutableBufferPointer {
                    shape.sums = $0.baseAddress
                    run(&shape, dataPass, mirrored: true)
                }
            }
        }
    }

    private func run(_ shape: inout dr_winograd, _ pass: Pass, mirrored: Bool) {
        let threads = Int32(context.threads)
        dr_winograd_weights(
            &shape, weights.values, Int32(convolution.outputChannels),
            Int32(convolution.inputChannels), mirrored ? 1 : 0, pass.weights.pointer, threads)
        dr_winograd_forward(&shape, pass.weights.pointer, pass.scratch.pointer, threads)
    }

    private func withAffine(
        of x: Operand, _ shape: inout dr_winograd, _ body: (inout dr_winograd) -> Void
    ) {
        guard let affine = x.affine else { return body(&shape) }
        withUnsafePointer(to: affine.lanes.kernelView(firstSlot: x.tensor.firstSlot)) {
            shape.affine = $0
            body(&shape)
        }
    }

    /// Zeros in front of the image, in positions of the layout.
    private static func zeros(_ c: Graph.Convolution) -> Size3 { Size3 { c.zeros($0) / c.dilation } }
}

/// The gradient of a bias: the sum of dy over slots and voxels.
func storeBiasGradient(
    of dy: Tensor, channels: Int, _ voxels: VoxelRuns, _ threads: Int,
    into gradient: UnsafeMutablePointer<Float>
) {
    let sums = AffineLanes.moments(x: dy, voxels: voxels, threads: threads)
    let padded = dy.layout.paddedChannels
    for channel in 0..<channels {
        gradient[channel] = Float((0..<dy.slots).reduce(0.0) { $0 + sums[($1 * padded + channel) * 2] })
    }
}
